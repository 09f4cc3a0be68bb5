#include "opp2p/peerstore/peerstore_record.hpp"

#include <gmock/gmock.h>

#include "opp2p/peerstore/peerstore_test_support.hpp"

namespace opp2p {
namespace {

using namespace testing_peerstore;
using libp2p::Bytes;
using libp2p::Errc;
using ::testing::HasSubstr;

TEST(PeerstoreRecord, of_every_kind_is_known_by_its_key) {
  std::set<RecordKind> kinds;
  auto records = one_of_each(1);
  records.push_back(private_key_of(make_key(1)));
  for (const auto& [key, value] : records) {
    const auto checked = check_record(key, *value);
    ASSERT_TRUE(checked) << key << ": " << checked.error().message();
    kinds.insert(checked->kind);
  }
  EXPECT_EQ(kinds.size(), kRecordKinds);
}

TEST(PeerstoreRecord, says_whose_it_is_and_when_it_was_changed) {
  const auto peer = peer_of_key(make_key(1));
  const auto ban = ban_of(peer, 7, 5);
  const auto checked = check_record(ban.key, *ban.value).value();
  EXPECT_EQ(checked.peer, peer);
  EXPECT_EQ(checked.last_update, libp2p::from_unix_seconds(5));
}

TEST(PeerstoreRecord, is_refused_under_the_key_of_another) {
  const auto others = one_of_each(2);
  const auto records = one_of_each(1);
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i].key == others[i].key) continue;  // of no peer
    const auto kind = check_record(records[i].key, *records[i].value)->kind;
    const auto checked = check_record(others[i].key, *records[i].value);
    const bool names_its_peer =
        kind == RecordKind::addresses || kind == RecordKind::public_key || kind == RecordKind::blocked_peer;
    EXPECT_EQ(checked.has_value(), !names_its_peer) << records[i].key;
  }
  const auto ip = libp2p::storage::blocked_ip_record("192.0.2.9").value();
  EXPECT_EQ(check_record("/libp2p/net/conngater/addr/192.0.2.8", ip.value).error(), Errc::mismatch);
  EXPECT_EQ(check_record("/libp2p/net/conngater/subnet/11.0.0.0/8", libp2p::to_bytes("10.0.0.0/8")).error(),
            Errc::mismatch);
}

TEST(PeerstoreRecord, with_a_signed_record_of_another_peer_is_refused) {
  const auto key = make_key(1);
  auto record = libp2p::storage::decode_address_record(*addresses_of(key).value).value();
  record.signed_record = libp2p::storage::decode_address_record(*addresses_of(make_key(2)).value)->signed_record;
  const auto at = libp2p::storage::peer_key(libp2p::storage::kAddressBase, record.peer);
  EXPECT_EQ(check_record(at, libp2p::storage::encode_address_record(record)).error(), Errc::mismatch);
  record.signed_record->envelope.back() ^= 1;
  EXPECT_THAT(check_record(at, libp2p::storage::encode_address_record(record)).error().message(),
              HasSubstr("signed peer record"));
}

TEST(PeerstoreRecord, of_a_subnet_with_bits_of_a_host_is_taken_as_its_network) {
  const std::string base(libp2p::storage::kBlockedSubnetBase);
  const auto network = libp2p::storage::blocked_subnet_record("10.0.0.0/8").value();
  const auto taken = check_record(base + "10.1.2.3/8", libp2p::to_bytes("10.1.2.3/8")).value();
  EXPECT_EQ(taken.kind, RecordKind::blocked_subnet);
  ASSERT_TRUE(taken.changed);
  EXPECT_EQ(taken.changed->key, network.key);
  EXPECT_EQ(taken.changed->value, network.value);
  EXPECT_FALSE(check_record(network.key, network.value)->changed);
  EXPECT_EQ(check_record(base + "10.1.2.3/16", libp2p::to_bytes("10.1.2.3/8")).error(), Errc::mismatch);
}

TEST(PeerstoreRecord, of_another_kind_is_unsupported) {
  const auto id = libp2p::storage::peer_key("", peer_of_key(make_key(1)));
  for (const std::string& key :
       {std::string("/"), std::string("/local/x"), "/peers/gc/addrs/5/" + id, "/opp2p/bans/" + id,
        "/peers/keys/" + id + "/other", "/peers/scores/" + id + "/more", "/peers/metadata/" + id})
    EXPECT_EQ(check_record(key, Bytes{'{', '}'}).error(), Errc::unsupported) << key;
}

TEST(PeerstoreRecord, that_no_datastore_takes_is_refused) {
  const auto peer = peer_of_key(make_key(1));
  const auto value = libp2p::storage::encode_metadata_value("x");
  const auto long_key = libp2p::storage::peer_key(libp2p::storage::kMetadataBase, peer, std::string(500, 'n'));
  EXPECT_EQ(check_record(long_key, value).error(), Errc::too_large);
  const auto agent = libp2p::storage::peer_key(libp2p::storage::kMetadataBase, peer, "AgentVersion");
  EXPECT_EQ(check_record(agent, Bytes(libp2p::storage::kMaxValue + 1)).error(), Errc::too_large);
}

}  // namespace
}  // namespace opp2p
