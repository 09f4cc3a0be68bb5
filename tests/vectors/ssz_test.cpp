// Vectors opstack/ssz/*.json.
#include <gtest/gtest.h>

#include "opstack/payload/payload.hpp"
#include "opstack/payload/payload_json.hpp"
#include "opstack/rules/signing.hpp"
#include "testing/vectors.hpp"

namespace opstack::payload {
namespace {

namespace json = testing_vectors::json;
using libp2p::to_hex;
using libp2p::to_hex0x;
using testing_vectors::bytes;
using testing_vectors::has;
using testing_vectors::text;

Version version_of(const json::object& item) {
  const auto number = testing_vectors::integer(item, "version");
  EXPECT_TRUE(number >= 1 && number <= 4);
  return static_cast<Version>(number);
}

// Versions 3 and 4 are given as envelopes, 1 and 2 as payloads; an older case says it by its version alone.
void expect_type(const json::object& item, Version version) {
  if (!has(item, "ssz_type")) return;
  EXPECT_EQ(text(item, "ssz_type"),
            has_parent_beacon_block_root(version) ? "ExecutionPayloadEnvelope" : "ExecutionPayload");
}

void expect_decodes(const json::object& item, Version version, const Bytes& ssz) {
  const auto envelope = decode_envelope(version, ssz);
  ASSERT_TRUE(envelope) << envelope.error().message();
  EXPECT_EQ(json::serialize(to_json(*envelope)), json::serialize(item.at("decoded")));
  EXPECT_EQ(encode_envelope(version, *envelope), ssz);
  EXPECT_TRUE(check_encodable(version, *envelope));
  const auto from_json = envelope_from_json(item.at("decoded"));
  ASSERT_TRUE(from_json) << from_json.error().message();
  EXPECT_EQ(*from_json, *envelope);
  EXPECT_EQ(compute_block_hash(*envelope) == envelope->payload.block_hash,
            testing_vectors::boolean(item, "block_hash_matches"));
}

TEST(SszVectors, files_hold_no_unknown_keys) {
  for (const char* family : {"opstack/ssz/payloads", "opstack/ssz/structure", "opstack/ssz/published"})
    testing_vectors::expect_known_root_keys(family, {"cases"});
}

TEST(SszVectors, payloads_decode_encode_and_hash_as_told) {
  testing_vectors::for_each_case(
      "opstack/ssz/payloads", "cases",
      {"block_hash_from_fields", "block_hash_matches", "chain_id", "decoded", "kind", "name", "payload_hash",
       "signing_hash", "source", "ssz", "ssz_length", "ssz_type", "transactions_root", "version", "why", "note"},
      [](const json::object& item, const std::string&) {
        SCOPED_TRACE(text(item, "name"));
        const Version version = version_of(item);
        const Bytes ssz = bytes(item, "ssz");
        expect_type(item, version);
        EXPECT_EQ(ssz.size(), testing_vectors::unsigned_integer(item, "ssz_length"));
        expect_decodes(item, version, ssz);
        const auto envelope = decode_envelope(version, ssz);
        ASSERT_TRUE(envelope);
        EXPECT_EQ(to_hex0x(compute_block_hash(*envelope)), text(item, "block_hash_from_fields"));
        EXPECT_EQ(to_hex0x(transactions_root(envelope->payload.transactions)), text(item, "transactions_root"));
        const auto hash = opstack::rules::payload_hash(ssz);
        EXPECT_EQ(to_hex0x(hash), text(item, "payload_hash"));
        const chain::ChainId chain_id(testing_vectors::unsigned_integer(item, "chain_id"));
        EXPECT_EQ(to_hex0x(opstack::rules::signing_hash(chain_id, hash)), text(item, "signing_hash"));
      });
}

TEST(SszVectors, structures_are_decoded_or_refused_as_told) {
  for (const char* family : {"opstack/ssz/structure", "opstack/ssz/published"}) {
    testing_vectors::for_each_case(family, "cases",
                                   {"block_hash_matches", "decoded", "expect", "name", "ssz", "ssz_type", "version",
                                    "why", "reference_error", "source", "kind"},
                                   [](const json::object& item, const std::string&) {
                                     SCOPED_TRACE(text(item, "name"));
                                     const Version version = version_of(item);
                                     const Bytes ssz = bytes(item, "ssz");
                                     expect_type(item, version);
                                     const std::string expect = text(item, "expect");
                                     const auto envelope = decode_envelope(version, ssz);
                                     if (expect == "either") return;
                                     ASSERT_TRUE(expect == "ok" || expect == "error") << expect;
                                     ASSERT_EQ(envelope.has_value(), expect == "ok");
                                     if (envelope) return expect_decodes(item, version, ssz);
                                     ASSERT_TRUE(envelope.error().offset());
                                     EXPECT_LE(*envelope.error().offset(), ssz.size());
                                   });
  }
}

}  // namespace
}  // namespace opstack::payload
