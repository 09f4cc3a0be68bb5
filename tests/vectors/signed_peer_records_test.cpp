#include <gtest/gtest.h>

#include "libp2p/multiformats/peer_record.hpp"
#include "testing/vectors.hpp"

namespace signed_peer_records_vectors {
namespace {

using namespace testing_vectors;
using libp2p::crypto::KeyType;
using libp2p::crypto::PrivateKey;
using libp2p::multiformats::PeerRecord;
using libp2p::multiformats::SignedEnvelope;
constexpr auto kFamily = "libp2p/signed-peer-records";

TEST(SignedPeerRecordVectors, have_no_unknown_key_and_our_domain_and_type) {
  expect_known_root_keys(kFamily, {"cases", "domain", "payload_type"});
  for (const auto& file : load(kFamily)) {
    SCOPED_TRACE(file.path);
    EXPECT_EQ(text(file.root, "domain"), libp2p::multiformats::kPeerRecordDomain);
    EXPECT_TRUE(libp2p::equal(bytes(file.root, "payload_type"), libp2p::multiformats::kPeerRecordType));
  }
}

void expect_resealed(const json::object& item, const PeerRecord& record) {
  const auto key = PrivateKey::from_protobuf(bytes(item, "private_key_protobuf"));
  ASSERT_TRUE(key) << key.error().message();
  const auto sealed = record.seal(*key);
  ASSERT_TRUE(sealed) << sealed.error().message();
  EXPECT_TRUE(PeerRecord::open(*sealed));
  if (key->type() != KeyType::ecdsa) {
    EXPECT_EQ(*sealed, bytes(item, "envelope")) << "the signature is deterministic";
  }
}

TEST(SignedPeerRecordVectors, open_or_are_refused) {
  for_each_case(kFamily, "cases",
                {"name", "envelope", "valid", "peer_id", "seq", "addrs", "payload", "payload_type",
                 "private_key_protobuf", "signer_matches_peer_id", "why", "reference_error"},
                [](const json::object& item, const std::string&) {
                  const auto wire = bytes(item, "envelope");
                  const auto opened = PeerRecord::open_unmatched(wire);
                  ASSERT_EQ(opened.has_value(), boolean(item, "valid"))
                      << text(item, "name") << ": " << (opened ? "opened" : opened.error().message());
                  if (!opened) {
                    EXPECT_FALSE(PeerRecord::open(wire));
                    return;
                  }
                  const auto& record = opened->record;
                  EXPECT_EQ(record.peer_id.to_base58(), text(item, "peer_id"));
                  EXPECT_EQ(record.seq, unsigned_integer(item, "seq"));
                  EXPECT_TRUE(libp2p::equal(opened->envelope.payload(), bytes(item, "payload")));
                  EXPECT_TRUE(libp2p::equal(opened->envelope.payload_type(), bytes(item, "payload_type")));
                  ASSERT_TRUE(has(item, "addrs") && item.at("addrs").is_array());
                  const auto& addresses = item.at("addrs").get_array();
                  ASSERT_EQ(record.addresses.size(), addresses.size());
                  for (std::size_t i = 0; i < addresses.size(); ++i)
                    EXPECT_EQ(record.addresses[i].text(), std::string_view(addresses[i].as_string()));
                  EXPECT_EQ(opened->signer_matches, boolean(item, "signer_matches_peer_id"));
                  EXPECT_EQ(PeerRecord::open(wire).has_value(), boolean(item, "signer_matches_peer_id"));
                  EXPECT_EQ(record.encode(), bytes(item, "payload"));
                  EXPECT_EQ(opened->envelope.encode(), wire);
                  if (has(item, "private_key_protobuf")) expect_resealed(item, record);
                });
}

}  // namespace
}  // namespace signed_peer_records_vectors
