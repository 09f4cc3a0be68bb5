// libp2p/tls-certificates.json: chains that peers show, with the reference's verdict.
#include <gtest/gtest.h>

#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/protocols/tls/certificate.hpp"
#include "testing/vectors.hpp"

namespace tls_vectors {
namespace {

using namespace testing_vectors;
using namespace libp2p;

constexpr std::string_view kFamily = "libp2p/tls-certificates";
constexpr UnixTime kNow = from_unix_seconds(1'764'547'200);  // 2025-12-01

TEST(TlsCertificateVectors, the_file_holds_nothing_else) { expect_known_root_keys(kFamily, {"cases"}); }

// Where a case says "either", the specification is silent or looser than we are: then it is refused.
TEST(TlsCertificateVectors, chains_have_their_verdicts) {
  SeededRng rng(1);
  const auto world = tls::OpenSslWorld::make(rng).value();
  for_each_case(kFamily, "cases",
                {"name", "certificates", "valid", "peer_id", "public_key_protobuf", "key_type", "why", "kind", "source",
                 "reference_error", "reference_accepts"},
                [&world](const json::object& item, const std::string&) {
                  SCOPED_TRACE(text(item, "name"));
                  std::vector<Bytes> chain;
                  for (const auto& der : texts(item, "certificates")) chain.push_back(parse_hex(der));
                  const auto key = tls::verify_chain(chain, kNow, *world);
                  const bool valid = item.at("valid").is_bool() && boolean(item, "valid");
                  ASSERT_EQ(key.has_value(), valid) << (key ? "" : key.error().message());
                  if (!key) return;
                  EXPECT_EQ(PeerId::from_public_key(*key).to_base58(), text(item, "peer_id"));
                  EXPECT_EQ(to_hex(key->to_protobuf()), to_hex(bytes(item, "public_key_protobuf")));
                  EXPECT_EQ(crypto::to_string(key->type()), text(item, "key_type"));
                });
}

}  // namespace
}  // namespace tls_vectors
