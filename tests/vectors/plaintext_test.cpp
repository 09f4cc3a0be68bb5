// libp2p/plaintext.json: what peers send, and inputs with the reference's verdict.
#include <gtest/gtest.h>

#include "libp2p/protocols/plaintext/handshake.hpp"
#include "testing/vectors.hpp"

namespace plaintext_vectors {
namespace {

using namespace testing_vectors;
using namespace libp2p;

constexpr std::string_view kFamily = "libp2p/plaintext";

TEST(PlaintextVectors, the_file_holds_nothing_else) { expect_known_root_keys(kFamily, {"exchanges", "inputs"}); }

TEST(PlaintextVectors, exchanges) {
  for_each_case(kFamily, "exchanges", {"key", "public_key", "peer_id", "framed"},
                [](const json::object& item, const std::string&) {
                  SCOPED_TRACE(text(item, "key"));
                  const auto key = crypto::PublicKey::from_protobuf(bytes(item, "public_key"));
                  ASSERT_TRUE(key) << key.error().message();
                  EXPECT_EQ(PeerId::from_public_key(*key).to_base58(), text(item, "peer_id"));
                  EXPECT_EQ(to_hex(plaintext::framed_exchange(*key)), to_hex(bytes(item, "framed")));
                });
}

TEST(PlaintextVectors, inputs_have_their_verdicts) {
  for_each_case(kFamily, "inputs", {"name", "bytes", "expected_peer", "valid", "reference_error", "peer_id", "taken"},
                [](const json::object& item, const std::string&) {
                  SCOPED_TRACE(text(item, "name"));
                  std::optional<PeerId> expected;
                  if (has(item, "expected_peer")) expected = PeerId::from_text(text(item, "expected_peer")).value();
                  plaintext::Handshake side({}, expected);
                  const auto taken = side.on_bytes(bytes(item, "bytes"));
                  ASSERT_EQ(taken.has_value(), boolean(item, "valid")) << (taken ? "" : taken.error().message());
                  EXPECT_EQ(side.finished(), boolean(item, "valid"));
                  if (!taken) return;
                  EXPECT_EQ(*taken, unsigned_integer(item, "taken"));
                  EXPECT_EQ(side.remote_peer().to_base58(), text(item, "peer_id"));
                });
}

}  // namespace
}  // namespace plaintext_vectors
