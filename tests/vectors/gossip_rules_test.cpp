// Vectors opstack/gossip/{single-v1..4,full-blocks,published,sequences,size-limit}.json.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "opstack/encoding/snappy_block.hpp"
#include "opstack/payload/payload_json.hpp"
#include "opstack/rules/block_message.hpp"
#include "opstack/rules/block_rules.hpp"
#include "opstack/rules/topics.hpp"
#include "testing/block_rule_parts.hpp"
#include "testing/vectors.hpp"

namespace opstack::rules {
namespace {

namespace json = testing_vectors::json;
using libp2p::to_hex0x;
using testing_vectors::bytes;
using testing_vectors::has;
using testing_vectors::text;

Address address(const json::object& item, std::string_view key) {
  const auto raw = bytes(item, key);
  Address out{};
  EXPECT_EQ(raw.size(), out.size());
  if (raw.size() == out.size()) std::copy(raw.begin(), raw.end(), out.begin());
  return out;
}

UnixTime wall_of(const json::object& item) { return libp2p::from_unix_seconds(testing_vectors::integer(item, "now")); }

BlockRules rules_of(const json::object& item) {
  BlockRulesConfig config;
  config.chain_id = testing_vectors::unsigned_integer(item, "chain_id");
  config.version = static_cast<Version>(testing_vectors::integer(item, "topic_version"));
  config.max_age = Seconds(testing_vectors::integer(item, "threshold_seconds"));
  if (has(item, "jovian_active") && testing_vectors::boolean(item, "jovian_active")) config.jovian_time = 0;
  EXPECT_EQ(blocks_topic(config.chain_id, config.version), text(item, "topic"));
  const auto topic = parse_blocks_topic(text(item, "topic"));
  EXPECT_TRUE(topic && topic->chain_id == config.chain_id && topic->version == config.version);
  return BlockRules(config);
}

SignerState signers_of(const json::object& item) {
  SignerState signers;
  signers.current = address(item, "sequencer");
  if (has(item, "previous_sequencer")) {
    signers.previous = address(item, "previous_sequencer");
    signers.previous_until = wall_of(item) + kSignerGracePeriod;
  }
  return signers;
}

void expect_verdict(const json::object& item, const Outcome& outcome) {
  const std::string expect = text(item, "expect");
  ASSERT_TRUE(expect == "accept" || expect == "reject" || expect == "ignore" || expect == "either") << expect;
  if (expect != "either") {
    EXPECT_EQ(to_string(outcome.verdict), expect) << outcome.text();
  }
}

// What a case says about the contents, whether the rules came that far or not.
void expect_contents(const json::object& item, const Bytes& message) {
  EXPECT_EQ(to_hex0x(message_id(text(item, "topic"), message)), text(item, "message_id"));
  const auto contents = opstack::encoding::snappy_decompress(message, 2 * kMaxGossipSize);
  if (has(item, "decompressed_length")) {
    const auto length = opstack::encoding::snappy_decoded_length(message);
    ASSERT_TRUE(length);
    EXPECT_EQ(*length, testing_vectors::unsigned_integer(item, "decompressed_length"));
  }
  if (has(item, "decompressed")) {
    ASSERT_TRUE(contents);
    EXPECT_EQ(to_hex0x(*contents), text(item, "decompressed"));
  }
  if (!item.contains("payload_hash") && !item.contains("signature")) return;
  ASSERT_TRUE(contents && contents->size() >= 65) << "hashes of a message that cannot be read";
  const ByteView signature = ByteView(*contents).first(65);
  const ByteView body = ByteView(*contents).subspan(65);
  const chain::ChainId chain_id(testing_vectors::unsigned_integer(item, "chain_id"));
  EXPECT_EQ(to_hex0x(signature), text(item, "signature"));
  EXPECT_EQ(to_hex0x(payload_hash(body)), text(item, "payload_hash"));
  EXPECT_EQ(to_hex0x(signing_hash(chain_id, payload_hash(body))), text(item, "signing_hash"));
  ASSERT_TRUE(item.contains("recovered_address"));
  const auto signer = recover_signer(chain_id, body, signature);
  EXPECT_EQ(signer.has_value(), has(item, "recovered_address"));
  if (signer && has(item, "recovered_address")) {
    EXPECT_EQ(to_hex0x(*signer), text(item, "recovered_address"));
  }
  if (!has(item, "decoded")) return;
  const auto envelope =
      payload::decode_envelope(static_cast<Version>(testing_vectors::integer(item, "topic_version")), body);
  ASSERT_TRUE(envelope) << envelope.error().message();
  EXPECT_EQ(json::serialize(payload::to_json(*envelope)), json::serialize(item.at("decoded")));
  const auto hash = payload::compute_block_hash(*envelope);
  EXPECT_EQ(to_hex0x(hash), text(item, "block_hash_from_fields"));
  EXPECT_EQ(hash == envelope->payload.block_hash, testing_vectors::boolean(item, "block_hash_matches"));
}

void expect_block(const json::object& item, const Outcome& outcome) {
  ASSERT_NE(outcome.envelope, nullptr);
  const auto& p = outcome.envelope->payload;
  if (has(item, "block_hash")) {
    EXPECT_EQ(to_hex0x(p.block_hash), text(item, "block_hash"));
  }
  if (!has(item, "block")) return;
  const auto& block = item.at("block").as_object();
  EXPECT_EQ(block.size(), 4u);
  EXPECT_EQ(to_hex0x(p.block_hash), text(block, "block_hash"));
  EXPECT_EQ(p.block_number, testing_vectors::unsigned_integer(block, "block_number"));
  EXPECT_EQ(p.timestamp, testing_vectors::unsigned_integer(block, "timestamp"));
  EXPECT_EQ(p.transactions.size(), testing_vectors::unsigned_integer(block, "tx_count"));
}

// The order in which the parts of the examination run changes no verdict; of the small ones neither with bytes changed.
void expect_the_same_in_every_order(const json::object& item, const BlockRulesConfig& config, const Bytes& message) {
  EXPECT_EQ(testing_parts::first_difference(config, message, signers_of(item), wall_of(item)), "");
  if (message.size() > 4096) return;
  libp2p::SeededRng rng(message.size());
  for (int i = 0; i < 6; ++i) {
    const Bytes changed = testing_parts::mutated(message, rng);
    EXPECT_EQ(
        testing_parts::first_difference(config, changed, signers_of(item), wall_of(item), testing_parts::Effort::quick),
        "")
        << libp2p::to_hex0x(changed);
  }
}

void expect_case(const json::object& item, const Bytes& message) {
  SCOPED_TRACE(text(item, "name"));
  expect_contents(item, message);
  auto signers = signers_of(item);
  auto rules = rules_of(item);
  const Outcome outcome = rules.judge(message, signers, wall_of(item));
  expect_verdict(item, outcome);
  expect_the_same_in_every_order(item, rules.config(), message);
  if (outcome.signer && has(item, "recovered_address")) {
    EXPECT_EQ(to_hex0x(*outcome.signer), text(item, "recovered_address"));
  }
  if (outcome.verdict != Verdict::accept) return;
  expect_block(item, outcome);
  // What was taken encodes to the same body, which the builder signs over to the same topic.
  const auto message_again =
      make_signed_block_message(rules.config().chain_id, rules.config().version, *outcome.envelope, [&] {
        Signature out;
        std::copy_n(outcome.contents->begin(), out.size(), out.begin());
        return out;
      }());
  ASSERT_TRUE(message_again) << message_again.error().message();
  EXPECT_EQ(message_again->topic, text(item, "topic"));
  EXPECT_EQ(to_hex0x(message_id(message_again->topic, *message_again->data)), text(item, "message_id"));
}

// A test of a family that no set has would be skipped as a whole by for_each_case; each family is a test of its own.
void run_singles(const char* family) {
  testing_vectors::expect_known_root_keys(family, {"cases", "base", "sequencer_private_key"});
  testing_vectors::for_each_case(
      family, "cases",
      {"chain_id",
       "decompressed_length",
       "expect",
       "message",
       "message_id",
       "name",
       "now",
       "payload_hash",
       "recovered_address",
       "sequencer",
       "signature",
       "signing_hash",
       "threshold_seconds",
       "topic",
       "topic_version",
       "why",
       "previous_sequencer",
       "jovian_active",
       "reference_error",
       "kind",
       "source",
       "block",
       "block_hash_from_fields",
       "block_hash_matches",
       "decoded",
       "signer_known_as",
       "signer_note",
       "compression_note",
       "decompressed",
       "note"},
      [](const json::object& item, const std::string&) { expect_case(item, bytes(item, "message")); });
}

TEST(GossipVectors, single_messages_on_the_v1_topic) { run_singles("opstack/gossip/single-v1"); }
TEST(GossipVectors, single_messages_on_the_v2_topic) { run_singles("opstack/gossip/single-v2"); }
TEST(GossipVectors, single_messages_on_the_v3_topic) { run_singles("opstack/gossip/single-v3"); }
TEST(GossipVectors, single_messages_on_the_v4_topic) { run_singles("opstack/gossip/single-v4"); }
TEST(GossipVectors, full_blocks) { run_singles("opstack/gossip/full-blocks"); }
TEST(GossipVectors, messages_of_other_implementations) { run_singles("opstack/gossip/published"); }

// The key that the files name signs the bodies of accepted messages to the very signature that they carry.
TEST(GossipVectors, the_builder_makes_the_messages_of_the_reference_again) {
  std::size_t remade = 0;
  for (const char* family : {"opstack/gossip/single-v1", "opstack/gossip/single-v2", "opstack/gossip/single-v3",
                             "opstack/gossip/single-v4", "opstack/gossip/full-blocks"}) {
    for (const auto& file : testing_vectors::load(family)) {
      if (!has(file.root, "sequencer_private_key")) continue;
      const auto secret = libp2p::crypto::secp256k1::parse_secret(bytes(file.root, "sequencer_private_key"));
      ASSERT_TRUE(secret);
      for (const auto& value : file.root.at("cases").as_array()) {
        const auto& item = value.as_object();
        auto signers = signers_of(item);
        auto rules = rules_of(item);
        const auto outcome = rules.judge(bytes(item, "message"), signers, wall_of(item));
        if (outcome.verdict != Verdict::accept) continue;
        if (libp2p::crypto::secp256k1::address_of(*secret) != *outcome.signer) continue;
        SCOPED_TRACE(file.path + " " + text(item, "name"));
        const auto made =
            make_block_message(rules.config().chain_id, rules.config().version, *outcome.envelope, *secret);
        ASSERT_TRUE(made) << made.error().message();
        if (text(item, "name").find("high_s") == std::string::npos) {
          EXPECT_EQ(to_hex0x(made->signature), text(item, "signature"));
        }
        ++remade;
      }
    }
  }
  if (remade == 0) GTEST_SKIP() << "no set has accepted messages with their key";
}

TEST(GossipVectors, sequences_of_messages_to_one_validator) {
  testing_vectors::expect_known_root_keys("opstack/gossip/sequences", {"cases"});
  testing_vectors::for_each_case(
      "opstack/gossip/sequences", "cases",
      {"chain_id", "name", "now", "sequencer", "steps", "threshold_seconds", "topic", "topic_version", "why",
       "previous_sequencer", "jovian_active", "kind", "source"},
      [](const json::object& item, const std::string&) {
        SCOPED_TRACE(text(item, "name"));
        auto signers = signers_of(item);
        auto rules = rules_of(item);
        const auto& steps = item.at("steps").as_array();
        ASSERT_FALSE(steps.empty());
        for (std::size_t i = 0; i < steps.size(); ++i) {
          SCOPED_TRACE("step " + std::to_string(i));
          const auto& step = steps[i].as_object();
          for (const auto& field : step)
            EXPECT_TRUE(field.key() == "expect" || field.key() == "message" || field.key() == "variant") << field.key();
          expect_verdict(step, rules.judge(bytes(step, "message"), signers, wall_of(item)));
        }
      });
}

TEST(GossipVectors, messages_at_the_limit_of_size) {
  testing_vectors::expect_known_root_keys("opstack/gossip/size-limit", {"cases"});
  testing_vectors::for_each_case(
      "opstack/gossip/size-limit", "cases",
      {"block_hash", "chain_id", "decompressed_length", "expect", "message_file", "message_id", "name", "now",
       "payload_hash", "recovered_address", "sequencer", "signature", "signing_hash", "threshold_seconds", "topic",
       "topic_version", "why", "kind", "source"},
      [](const json::object& item, const std::string& label) {
        const auto json_path = label.substr(0, label.find(".json "));
        const auto path = std::filesystem::path(json_path).parent_path() / text(item, "message_file");
        std::ifstream in(path, std::ios::binary);
        ASSERT_TRUE(in) << path;
        expect_case(item, Bytes(std::istreambuf_iterator<char>(in), {}));
      });
}

}  // namespace
}  // namespace opstack::rules
