#include <gtest/gtest.h>

#include "opstack/rules/block_message.hpp"
#include "opstack/rules/block_rules.hpp"
#include "opstack/rules/topics.hpp"
#include "testing/blocks.hpp"

namespace opstack::rules {
namespace {

using libp2p::Errc;
using libp2p::from_hex;
using libp2p::to_hex;
using testing_blocks::block;

TEST(Topics, are_spelled_with_the_chain_id_and_the_version_from_zero) {
  EXPECT_EQ(blocks_topic(10, Version::v1), "/optimism/10/0/blocks");
  EXPECT_EQ(blocks_topics(901)[3], "/optimism/901/3/blocks");
}

TEST(Topics, only_their_exact_text_is_read) {
  const auto topic = parse_blocks_topic("/optimism/11155420/2/blocks");
  ASSERT_TRUE(topic);
  EXPECT_EQ(topic->chain_id, chain::ChainId(11155420));
  EXPECT_EQ(topic->version, Version::v3);
  for (const char* text :
       {"", "/optimism/10/4/blocks", "/optimism/010/0/blocks", "/optimism/10/0/blocks/", "/optimism//0/blocks",
        "optimism/10/0/blocks", "/optimism/10/0/block", "/optimism/x/0/blocks", "/optimism/10"})
    EXPECT_FALSE(parse_blocks_topic(text)) << text;
}

TEST(MessageIds, are_of_the_contents_when_they_can_be_read) {
  const auto id = [](std::string_view topic, const char* hex) { return to_hex(message_id(topic, *from_hex(hex))); };
  EXPECT_EQ(id("/optimism/10/3/blocks", "0102030405"), "fbf92cb1d4c49a3112675f9de2ab776980f07626");
  EXPECT_EQ(id("/optimism/10/3/blocks", "05100102030405"), "bf505bf25edfc5f008ccb4ba3179e1a2a5cc0ef3");
  EXPECT_EQ(id("/optimism/10/3/blocks", ""), "7089bc102a34890a0ad0bc7dd53db5ec588a82d0");
  EXPECT_EQ(id("/optimism/10/3/blocks", "00"), "babd4198f6c0079c3007b7d1e7b134a4f60e4c5b");
  EXPECT_EQ(id("test", "0102030405"), "b6897dcba59347fedcd694cc0f5117093c9dc727");
  EXPECT_EQ(id("test", "05100102030405"), "adbe547b27f41294a08a09210a5e8531e83cdc16");
  // The length may be padded; it is the same message.
  EXPECT_EQ(id("test", "858080808000100102030405"), "adbe547b27f41294a08a09210a5e8531e83cdc16");
  EXPECT_EQ(id("test", "85808080808080808000100102030405"), "adbe547b27f41294a08a09210a5e8531e83cdc16");
}

TEST(Signing, gives_the_known_hash_and_signature) {
  Secret secret;
  const auto raw = *from_hex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318");
  std::copy(raw.begin(), raw.end(), secret.begin());
  const Bytes body{0xde, 0xad};
  EXPECT_EQ(to_hex(signing_hash(10, payload_hash(body))),
            "677ca9180e02f43d79f4c287741d558fe9579e54f1eb2ea74192579a05e386f8");
  EXPECT_EQ(
      to_hex(sign_body(secret, 10, body)),
      "738f07947000e076f4ca51bdfd5d962ae0fa9ae88e73f1eb800409749cd7e70874fd826ace53fd3a892de185878a8815e34047d2b11265e"
      "737cc2a96b97e890f01");
  EXPECT_EQ(to_hex(*recover_signer(10, body, sign_body(secret, 10, body))), "2c7536e3605d9c16a7a3d7b1898e529396a65c23");
}

TEST(BlockMessage, of_every_version_is_accepted_on_its_topic) {
  for (const Version version : kVersions) {
    const auto made = make_block_message(901, version, block(version, 7, 1000), testing_blocks::sequencer_key());
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_EQ(made->topic, blocks_topic(901, version));
    BlockRulesConfig config;
    config.chain_id = 901;
    config.version = version;
    BlockRules rules(config);
    SignerState signers;
    signers.current = libp2p::crypto::secp256k1::address_of(testing_blocks::sequencer_key());
    EXPECT_EQ(rules.judge(*made->data, signers, libp2p::from_unix_seconds(1000)).verdict, Verdict::accept);
    const auto signed_elsewhere = make_signed_block_message(901, version, block(version, 7, 1000), made->signature);
    ASSERT_TRUE(signed_elsewhere);
    EXPECT_EQ(*signed_elsewhere->data, *made->data);
  }
}

// A stranger can do so to every block; op-node forwards it.
TEST(BlockMessage, with_a_padded_snappy_length_is_accepted_as_op_node_does) {
  const auto made = make_block_message(901, Version::v4, block(Version::v4, 7, 1000), testing_blocks::sequencer_key());
  ASSERT_TRUE(made);
  Bytes padded = *made->data;
  ASSERT_GE(padded[0], 0x80);  // a length of two bytes
  padded[1] |= 0x80;
  const Bytes more{0x80, 0x80, 0x80, 0x00};
  padded.insert(padded.begin() + 2, more.begin(), more.end());
  BlockRulesConfig config;
  config.chain_id = 901;
  config.version = Version::v4;
  BlockRules rules(config);
  SignerState signers;
  signers.current = libp2p::crypto::secp256k1::address_of(testing_blocks::sequencer_key());
  const auto outcome = rules.judge(padded, signers, libp2p::from_unix_seconds(1000));
  EXPECT_EQ(outcome.verdict, Verdict::accept) << outcome.text();
  EXPECT_EQ(message_id(made->topic, padded), message_id(made->topic, *made->data));
}

TEST(BlockMessage, an_isthmus_block_with_the_empty_tries_root_stays_one_of_version_4) {
  auto envelope = block(Version::v4, 7, 1000);
  envelope.payload.withdrawals_root = payload::withdrawals_root({});
  envelope = testing_blocks::sealed(envelope);
  const auto made = make_block_message(901, Version::v4, envelope, testing_blocks::sequencer_key());
  ASSERT_TRUE(made);
  const auto read = read_message(made->topic, *made->data);
  EXPECT_EQ(*payload::decode_envelope(Version::v4, ByteView(*read.decompressed).subspan(65)), envelope);
}

TEST(BlockMessage, what_is_no_block_of_the_version_or_has_a_wrong_hash_is_not_signed) {
  const auto key = testing_blocks::sequencer_key();
  EXPECT_EQ(make_block_message(901, Version::v4, block(Version::v3, 7, 1000), key).error(), Errc::invalid_argument);
  auto wrong = block(Version::v3, 7, 1000);
  wrong.payload.gas_used ^= 1;
  const auto refused = make_block_message(901, Version::v3, wrong, key);
  EXPECT_EQ(refused.error(), Errc::mismatch);
  EXPECT_NE(refused.error().text().find("payload has bad block hash"), std::string::npos);
  EXPECT_FALSE(make_signed_block_message(901, Version::v3, block(Version::v3, 7, 1000), Signature{}));
}

TEST(BlockMessage, a_block_longer_than_gossip_carries_is_refused) {
  auto envelope = block(Version::v1, 7, 1000);
  const std::size_t room = kMaxGossipSize - 65 - payload::encoded_envelope_size(Version::v1, envelope);
  const std::size_t size = envelope.payload.transactions[0].size() + room;
  envelope.payload.transactions = {Bytes(size), {0x02, 0xff}};
  envelope = testing_blocks::sealed(envelope);
  EXPECT_TRUE(make_block_message(901, Version::v1, envelope, testing_blocks::sequencer_key()));
  envelope.payload.transactions = {Bytes(size + 1), {0x02, 0xff}};
  envelope = testing_blocks::sealed(envelope);
  EXPECT_EQ(make_block_message(901, Version::v1, envelope, testing_blocks::sequencer_key()).error(), Errc::too_large);
}

}  // namespace
}  // namespace opstack::rules
