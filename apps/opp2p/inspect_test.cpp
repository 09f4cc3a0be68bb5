#include "inspect.hpp"

#include <gtest/gtest.h>

#include "libp2p/multiformats/peer_id.hpp"
#include "opstack/payload/payload_json.hpp"
#include "opstack/rules/topics.hpp"
#include "opstack/sync/wire/codec.hpp"
#include "testing/blocks.hpp"

namespace opp2p::inspect {
namespace {

namespace json = boost::json;
using libp2p::Bytes;
using opstack::payload::Version;
using testing_blocks::block;

constexpr std::int64_t kNow = 1'700'000'000;

opstack::rules::Address address_of(const opstack::rules::Secret& key) {
  return libp2p::crypto::secp256k1::address_of(key);
}

GossipInspector inspector(std::optional<opstack::rules::Address> signer, Version version = Version::v1) {
  opstack::rules::BlockRulesConfig config;
  config.chain_id = 901;
  config.version = version;
  opstack::rules::SignerState signers;
  signers.current = signer;
  return {opstack::rules::blocks_topic(901, version), config, signers, libp2p::from_unix_seconds(kNow)};
}

Bytes message(std::uint64_t number, const opstack::rules::Secret& key = testing_blocks::sequencer_key()) {
  return testing_blocks::message(901, Version::v1, block(Version::v1, number, kNow), key);
}

TEST(InspectGossip, an_accepted_block_is_described_and_its_repeat_is_ignored) {
  auto gossip = inspector(address_of(testing_blocks::sequencer_key()));
  auto line = gossip.line(message(7));
  EXPECT_EQ(line.at("verdict"), json::value("accept"));
  EXPECT_TRUE(line.at("reason").is_null());
  EXPECT_EQ(line.at("reason_id"), json::value("valid"));
  EXPECT_EQ(line.at("signature_address"), json::value(libp2p::to_hex0x(address_of(testing_blocks::sequencer_key()))));
  EXPECT_EQ(line.at("block_hash"), json::value(libp2p::to_hex0x(block(Version::v1, 7, kNow).payload.block_hash)));
  EXPECT_EQ(line.at("block_number"), json::value(7));
  EXPECT_EQ(line.at("timestamp"), json::value(kNow));
  EXPECT_EQ(line.at("transactions"), json::value(2));
  EXPECT_EQ(line.at("message_id").as_string().size(), 42u);
  line = gossip.line(message(7));
  EXPECT_EQ(line.at("verdict"), json::value("ignore"));
  EXPECT_EQ(line.at("reason"), json::value("validated already seen message again"));
  EXPECT_EQ(line.at("reason_id"), json::value("already_seen"));
}

TEST(InspectGossip, an_empty_message_is_a_reject_with_an_id_and_nothing_else) {
  const auto line = inspector(address_of(testing_blocks::sequencer_key())).line({});
  EXPECT_EQ(line.at("verdict"), json::value("reject"));
  EXPECT_TRUE(line.at("reason").is_string());
  EXPECT_TRUE(line.at("message_id").is_string());
  for (const char* key : {"signature_address", "block_hash", "block_number", "timestamp", "transactions"})
    EXPECT_TRUE(line.at(key).is_null()) << key;
}

TEST(InspectGossip, a_block_of_the_wrong_signer_is_rejected_and_still_described) {
  const auto line =
      inspector(address_of(testing_blocks::sequencer_key())).line(message(9, testing_blocks::other_key()));
  EXPECT_EQ(line.at("verdict"), json::value("reject"));
  EXPECT_EQ(line.at("signature_address"), json::value(libp2p::to_hex0x(address_of(testing_blocks::other_key()))));
  EXPECT_EQ(line.at("block_number"), json::value(9));
}

TEST(InspectGossip, a_zero_signer_means_that_none_is_configured) {
  EXPECT_EQ(inspector(opstack::rules::Address{}).line(message(7)).at("verdict"), json::value("ignore"));
}

TEST(InspectPayload, is_the_envelope_with_its_computed_hash) {
  for (const Version version : {Version::v1, Version::v2, Version::v3, Version::v4}) {
    const auto envelope = block(version, 7, kNow);
    const Bytes body = opstack::payload::encode_envelope(version, envelope);
    const auto shown = payload(version, body);
    ASSERT_TRUE(shown) << shown.error().message();
    EXPECT_EQ(shown->at("computed_block_hash"), json::value(libp2p::to_hex0x(envelope.payload.block_hash)));
    EXPECT_EQ(*opstack::payload::envelope_from_json(*shown), envelope);
  }
}

TEST(InspectPayload, says_at_which_byte_it_is_wrong) {
  Bytes body = opstack::payload::encode_envelope(Version::v3, block(Version::v3, 7, kNow));
  body[32 + 436] ^= 1;
  const auto shown = payload(Version::v3, body);
  ASSERT_FALSE(shown);
  EXPECT_EQ(shown.error().offset(), 32u + 436u);
}

Bytes answer(Version version, const Bytes& body) {
  const bool envelope = has_parent_beacon_block_root(version);
  Bytes out{0, static_cast<std::uint8_t>(envelope ? 1 : 0), 0, 0, 0};
  opstack::encoding::append_snappy_frames(out, body);
  return out;
}

TEST(InspectResponse, finds_the_version_by_the_layout) {
  for (const Version version : {Version::v1, Version::v2, Version::v3, Version::v4}) {
    const auto envelope = block(version, 7, kNow);
    const Bytes stream = answer(version, opstack::payload::encode_envelope(version, envelope));
    const auto shown = response(stream, std::nullopt);
    ASSERT_TRUE(shown) << shown.error().message();
    EXPECT_EQ(shown->at("result"), json::value("success"));
    EXPECT_EQ(shown->at("payload_version"), json::value(static_cast<int>(version)));
    EXPECT_EQ(shown->at("computed_block_hash"), json::value(libp2p::to_hex0x(envelope.payload.block_hash)));
    EXPECT_TRUE(response(stream, version));
    EXPECT_FALSE(response(stream, has_parent_beacon_block_root(version) ? Version::v1 : Version::v3));
  }
}

TEST(InspectResponse, a_refusal_is_told_and_a_cut_answer_is_an_error) {
  EXPECT_EQ(response(Bytes{1}, std::nullopt)->at("code"), json::value(1));
  EXPECT_EQ(response(Bytes{200}, std::nullopt)->at("result"), json::value("error"));
  EXPECT_FALSE(response({}, std::nullopt));
  EXPECT_FALSE(response(Bytes{0, 0, 0}, std::nullopt));
  EXPECT_FALSE(response(answer(Version::v1, Bytes(10)), std::nullopt));
}

TEST(InspectKey, shows_the_public_half_in_every_form) {
  const std::string secret(64, '1');
  const auto shown = key(KeyForm::secp256k1_secret, "0x" + secret + "\n");
  ASSERT_TRUE(shown) << shown.error().message();
  EXPECT_EQ(shown->at("ethereum_address"), json::value(libp2p::to_hex0x(address_of(testing_blocks::sequencer_key()))));
  const auto again = key(KeyForm::public_protobuf, shown->at("public_key_protobuf").as_string());
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *shown);
  const auto id = peer_id(shown->at("peer_id").as_string());
  ASSERT_TRUE(id);
  EXPECT_EQ(id->at("public_key"), json::value(shown->at("public_key")));
  EXPECT_EQ(*peer_id(id->at("multihash").as_string()), *id);
  EXPECT_EQ(*peer_id(id->at("cid").as_string()), *id);
}

TEST(InspectKey, wrong_text_is_an_error_with_its_place) {
  const auto shown = key(KeyForm::secp256k1_secret, "0x12g4");
  ASSERT_FALSE(shown);
  EXPECT_EQ(shown.error().offset(), 4u);
  EXPECT_FALSE(key(KeyForm::secp256k1_secret, "123"));
  EXPECT_FALSE(key(KeyForm::secp256k1_secret, ""));
  const auto id = peer_id("no id");
  ASSERT_FALSE(id);
  EXPECT_TRUE(id.error().text().starts_with("no peer id, which looks like 16Uiu2HAm")) << id.error().text();
}

TEST(InspectMultiaddr, shows_the_parts_and_reads_its_own_bytes) {
  const auto shown = multiaddr("/ip4/127.0.0.1/tcp/9222/ws");
  ASSERT_TRUE(shown) << shown.error().message();
  const auto& parts = shown->at("components").as_array();
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].at("value"), json::value("127.0.0.1"));
  EXPECT_EQ(parts[1].at("value"), json::value("9222"));
  EXPECT_TRUE(parts[2].at("value").is_null());
  EXPECT_EQ(*multiaddr(shown->at("bytes").as_string()), *shown);
  EXPECT_FALSE(multiaddr("/ip4/1.2.3"));
}

}  // namespace
}  // namespace opp2p::inspect
