#include <gtest/gtest.h>

#include "libp2p/multiformats/multibase.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "testing/vectors.hpp"

namespace peer_ids_vectors {
namespace {

using namespace testing_vectors;
using libp2p::PeerId;
using libp2p::crypto::KeyType;
using libp2p::crypto::PrivateKey;
using libp2p::crypto::PublicKey;
constexpr auto kFamily = "libp2p/peer-ids";

// Empty when both verdicts are fine.
std::optional<bool> verdict(const json::object& item) {
  if (const auto* value = item.if_contains("valid"); value != nullptr && value->is_string()) {
    EXPECT_EQ(value->get_string(), "either");
    return std::nullopt;
  }
  return boolean(item, "valid");
}

TEST(PeerIdVectors, have_no_unknown_key) {
  expect_known_root_keys(kFamily, {"cases", "peer_id_text", "public_key_decoding", "signatures"});
}

TEST(PeerIdVectors, keys_give_peer_ids_and_signatures) {
  for_each_case(
      kFamily, "cases",
      {"type", "private_key_protobuf", "public_key_protobuf", "raw_public_key", "peer_id_multihash", "peer_id_base58",
       "peer_id_cid_base32", "peer_id_cid_base36", "message", "signature", "source", "kind"},
      [](const json::object& item, const std::string&) {
        const auto secret = PrivateKey::from_protobuf(bytes(item, "private_key_protobuf"));
        ASSERT_TRUE(secret) << secret.error().message();
        const auto& key = secret->public_key();
        EXPECT_EQ(to_string(key.type()), text(item, "type"));
        EXPECT_EQ(key.to_protobuf(), bytes(item, "public_key_protobuf"));
        EXPECT_EQ(secret->to_protobuf(), bytes(item, "private_key_protobuf"));
        EXPECT_EQ(PublicKey::from_protobuf(bytes(item, "public_key_protobuf")).value(), key);
        // For ECDSA and RSA the Data field is the DER form, for the others the bare key: raw() in each case.
        EXPECT_EQ(libp2p::to_hex(key.raw()), libp2p::to_hex(bytes(item, "raw_public_key")));

        const auto id = PeerId::from_public_key(key);
        EXPECT_TRUE(libp2p::equal(id.bytes(), bytes(item, "peer_id_multihash")));
        EXPECT_EQ(id.to_base58(), text(item, "peer_id_base58"));
        EXPECT_EQ(id.to_cid(), text(item, "peer_id_cid_base32"));
        for (const auto* form : {"peer_id_base58", "peer_id_cid_base32", "peer_id_cid_base36"})
          EXPECT_EQ(PeerId::from_text(text(item, form)).value(), id) << form;

        const auto message = bytes(item, "message");
        EXPECT_TRUE(key.verify(message, bytes(item, "signature")));
        const auto mine = secret->sign(message).value();
        EXPECT_TRUE(key.verify(message, mine));
        if (key.type() != KeyType::ecdsa) {
          EXPECT_EQ(mine, bytes(item, "signature")) << "this kind of signature is deterministic";
        }
      });
}

TEST(PeerIdVectors, texts_have_their_verdicts) {
  for_each_case(kFamily, "peer_id_text",
                {"name", "text", "valid", "base58", "multihash", "public_key_inlined", "reference_error"},
                [](const json::object& item, const std::string&) {
                  const auto id = PeerId::from_text(text(item, "text"));
                  ASSERT_EQ(id.has_value(), verdict(item).value_or(id.has_value())) << text(item, "text");
                  if (!id) return;
                  EXPECT_EQ(id->to_base58(), text(item, "base58"));
                  EXPECT_TRUE(libp2p::equal(id->bytes(), bytes(item, "multihash")));
                  EXPECT_EQ(id->public_key().has_value(), boolean(item, "public_key_inlined"));
                  EXPECT_EQ(PeerId::from_bytes(id->bytes()).value(), *id);
                });
}

TEST(PeerIdVectors, public_keys_have_their_verdicts) {
  for_each_case(kFamily, "public_key_decoding",
                {"name", "bytes", "valid", "type", "peer_id_base58", "reference_accepts", "reference_error", "why"},
                [](const json::object& item, const std::string&) {
                  const auto key = PublicKey::from_protobuf(bytes(item, "bytes"));
                  ASSERT_EQ(key.has_value(), verdict(item).value_or(key.has_value())) << text(item, "name");
                  if (!key) return;
                  EXPECT_EQ(to_string(key->type()), text(item, "type"));
                  EXPECT_EQ(PeerId::from_public_key(*key).to_base58(), text(item, "peer_id_base58"));
                });
}

TEST(PeerIdVectors, signatures_have_their_verdicts) {
  for_each_case(kFamily, "signatures",
                {"name", "public_key_protobuf", "message", "signature", "valid", "reference_accepts", "why"},
                [](const json::object& item, const std::string&) {
                  const auto key = PublicKey::from_protobuf(bytes(item, "public_key_protobuf"));
                  ASSERT_TRUE(key);
                  const auto right = key->verify(bytes(item, "message"), bytes(item, "signature")).has_value();
                  EXPECT_EQ(right, verdict(item).value_or(right)) << text(item, "name");
                });
}

}  // namespace
}  // namespace peer_ids_vectors
