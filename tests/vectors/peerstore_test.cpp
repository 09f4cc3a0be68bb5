// Vectors opstack/peerstore.json: records of op-node's peerstore as Go writes them, and what they mean.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "libp2p/storage/records/address_record.hpp"
#include "libp2p/storage/records/gater_records.hpp"
#include "libp2p/storage/records/metadata_value.hpp"
#include "libp2p/storage/records/peer_keys.hpp"
#include "opp2p/peerstore/peerstore_record.hpp"
#include "opstack/reputation/records.hpp"
#include "testing/vectors.hpp"

namespace peerstore_vectors {
namespace {

using namespace testing_vectors;
using namespace libp2p;
using opp2p::RecordKind;
namespace reputation = opstack::reputation;

constexpr const char* kFamily = "opstack/peerstore";
const std::initializer_list<std::string_view> kKnown = {
    "kind", "key",       "value",   "exact",       "peer",   "addresses", "seq",   "envelope", "name",
    "text", "protocols", "numbers", "last_update", "expiry", "enr",       "chain", "spelling"};

using Check = std::function<void(const json::object& item, const std::string& key, const Bytes& value)>;

void for_each_of(std::string_view kind, const Check& check) {
  std::size_t count = 0;
  for_each_case(kFamily, "cases", kKnown, [&](const json::object& item, const std::string&) {
    if (text(item, "kind") != kind) return;
    ++count;
    check(item, text(item, "key"), bytes(item, "value"));
  });
  EXPECT_GT(count, 0u) << "no record of " << kind;
}

PeerId peer(const json::object& item) { return PeerId::from_text(text(item, "peer")).value(); }
bool is_exact(const json::object& item) { return !has(item, "exact") || boolean(item, "exact"); }

TEST(PeerstoreVectors, every_record_is_sound) {
  std::set<RecordKind> kinds;
  for_each_case(kFamily, "cases", kKnown, [&](const json::object& item, const std::string&) {
    const auto checked = opp2p::check_record(text(item, "key"), bytes(item, "value"));
    ASSERT_TRUE(checked) << checked.error().message();
    EXPECT_EQ(checked->peer.has_value(), has(item, "peer"));
    if (checked->peer) {
      EXPECT_EQ(*checked->peer, peer(item));
    }
    kinds.insert(checked->kind);
  });
  EXPECT_EQ(kinds.size(), opp2p::kRecordKinds);
}

TEST(PeerstoreVectors, addresses) {
  for_each_of("addresses", [](const auto& item, const auto& key, const auto& value) {
    EXPECT_EQ(storage::peer_key(storage::kAddressBase, peer(item)), key);
    auto record = storage::decode_address_record(value).value();
    EXPECT_EQ(record.skipped_addresses, 0u);
    const auto& stated = item.at("addresses").as_array();
    ASSERT_EQ(record.addresses.size(), stated.size());
    for (std::size_t i = 0; i < stated.size(); ++i) {
      const auto& one = stated[i].as_object();
      EXPECT_EQ(record.addresses[i].address.text(), text(one, "address"));
      EXPECT_EQ(record.addresses[i].ttl.count(), integer(one, "ttl"));
      const bool never = integer(one, "expiry") > unix_seconds(UnixTime::max());
      EXPECT_EQ(record.addresses[i].expiry, never ? UnixTime::max() : from_unix_seconds(integer(one, "expiry")));
    }
    ASSERT_TRUE(record.signed_record);
    EXPECT_EQ(record.signed_record->seq, unsigned_integer(item, "seq"));
    EXPECT_EQ(record.signed_record->envelope, bytes(item, "envelope"));
    // What never expires is written as the last second that we know; all else has Go's bytes.
    record.addresses.pop_back();
    auto again = storage::decode_address_record(storage::encode_address_record(record)).value();
    EXPECT_EQ(again, record);
  });
}

TEST(PeerstoreVectors, keys) {
  for_each_of("public_key", [](const auto& item, const auto& key, const auto& value) {
    EXPECT_EQ(storage::peer_key(storage::kKeyBase, peer(item), storage::kPublicKeyName), key);
    EXPECT_EQ(crypto::PublicKey::from_protobuf(value).value().to_protobuf(), value);
  });
  for_each_of("private_key", [](const auto& item, const auto& key, const auto& value) {
    EXPECT_EQ(storage::peer_key(storage::kKeyBase, peer(item), storage::kPrivateKeyName), key);
    EXPECT_EQ(crypto::PrivateKey::from_protobuf(value).value().to_protobuf(), value);
  });
}

TEST(PeerstoreVectors, metadata) {
  for_each_of("metadata", [](const auto& item, const auto& key, const auto& value) {
    EXPECT_EQ(storage::peer_key(storage::kMetadataBase, peer(item), text(item, "name")), key);
    storage::MetadataValue expected;
    if (has(item, "text"))
      expected = text(item, "text");
    else
      expected = storage::StoredProtocols{texts_or_none(item, "protocols")};
    EXPECT_EQ(storage::decode_metadata_value(value).value(), expected);
    EXPECT_EQ(storage::encode_metadata_value(expected) == value, is_exact(item));
  });
}

TEST(PeerstoreVectors, scores) {
  for_each_of("scores", [](const auto& item, const auto& key, const auto& value) {
    EXPECT_EQ(storage::peer_key(reputation::kScoreBase, peer(item)), key);
    const auto entry = reputation::decode_scores(value).value();
    EXPECT_EQ(unix_seconds(entry.last_update), integer(item, "last_update"));
    const auto& gossip = entry.scores.gossip;
    const auto& sync = entry.scores.req_resp;
    const std::vector<double> got{gossip.total,
                                  gossip.time_in_mesh,
                                  gossip.first_message_deliveries,
                                  gossip.mesh_message_deliveries,
                                  gossip.invalid_message_deliveries,
                                  gossip.ip_colocation_factor,
                                  gossip.behavioural_penalty,
                                  sync.valid_responses,
                                  sync.error_responses,
                                  sync.rejected_payloads};
    std::vector<double> wanted;
    for (const auto& number : texts(item, "numbers")) wanted.push_back(std::strtod(number.c_str(), nullptr));
    EXPECT_EQ(got, wanted);
    EXPECT_EQ(as_text(reputation::encode_scores(entry)), as_text(value));
  });
}

TEST(PeerstoreVectors, bans) {
  const auto check = [](const auto& item, const Bytes& value) {
    const auto entry = reputation::decode_ban(value).value();
    EXPECT_EQ(unix_seconds(entry.expiry), integer(item, "expiry"));
    EXPECT_EQ(unix_seconds(entry.last_update), integer(item, "last_update"));
    EXPECT_EQ(as_text(reputation::encode_ban(entry)), as_text(value));
  };
  for_each_of("peer_ban", [&](const auto& item, const auto& key, const auto& value) {
    EXPECT_EQ(storage::peer_key(reputation::kPeerBanBase, peer(item)), key);
    check(item, value);
  });
  for_each_of("ip_ban", [&](const auto& item, const auto& key, const auto& value) {
    EXPECT_EQ(reputation::ip_ban_key(text(item, "spelling")).value(), key);
    EXPECT_EQ(reputation::read_ip_ban_key(key).value(), text(item, "text"));
    check(item, value);
  });
}

TEST(PeerstoreVectors, peer_metadata) {
  for_each_of("peer_metadata", [](const auto& item, const auto& key, const auto& value) {
    EXPECT_EQ(storage::peer_key(reputation::kPeerMetadataBase, peer(item)), key);
    const auto entry = reputation::decode_metadata(value).value();
    EXPECT_EQ(entry.metadata.enr, text(item, "enr"));
    EXPECT_EQ(entry.metadata.op_stack_id, unsigned_integer(item, "chain"));
    EXPECT_EQ(as_text(reputation::encode_metadata(entry)), as_text(value));
  });
}

TEST(PeerstoreVectors, rules_of_the_gater) {
  for_each_of("blocked_peer", [](const auto& item, const auto& key, const auto& value) {
    const auto record = storage::blocked_peer_record(peer(item));
    EXPECT_EQ(record.key, key);
    EXPECT_EQ(record.value, value);
  });
  for_each_of("blocked_ip", [](const auto& item, const auto& key, const auto& value) {
    const auto record = storage::blocked_ip_record(text(item, "spelling")).value();
    EXPECT_EQ(record.key, key);
    EXPECT_EQ(record.value, value);
    EXPECT_EQ(storage::decode_blocked_ip(value).value(), text(item, "text"));
  });
  for_each_of("blocked_subnet", [](const auto& item, const auto& key, const auto& value) {
    const auto record = storage::blocked_subnet_record(text(item, "spelling")).value();
    EXPECT_EQ(record.key, key);
    EXPECT_EQ(record.value, value);
    EXPECT_EQ(storage::decode_blocked_subnet(value).value(), text(item, "text"));
  });
}

}  // namespace
}  // namespace peerstore_vectors
