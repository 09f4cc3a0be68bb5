#include "opstack/sync/engine/answer.hpp"

#include <gtest/gtest.h>

#include "testing/blocks.hpp"

namespace opstack::sync {
namespace {

Answer judged(const libp2p::Bytes& bytes) {
  wire::ResponseDecoder decoder;
  (void)decoder.push(bytes);
  return judge_answer(7, payload::Version::v3, decoder);
}

TEST(Answer, that_refuses_says_how) {
  EXPECT_EQ(judged({1}).kind, AnswerKind::not_found);
  EXPECT_EQ(judged({2}).kind, AnswerKind::invalid_request);
  for (const unsigned code : {3U, 4U, 255U}) {
    EXPECT_EQ(judged({static_cast<std::uint8_t>(code)}).kind, AnswerKind::throttled);
    EXPECT_EQ(judged({static_cast<std::uint8_t>(code)}).detail, "result code " + std::to_string(code));
  }
}

TEST(Answer, of_nothing_is_a_failure_and_one_that_is_cut_off_is_malformed) {
  EXPECT_EQ(judged({}).kind, AnswerKind::failed);
  EXPECT_EQ(judged({0}).kind, AnswerKind::malformed);
  EXPECT_EQ(judged({0, 0, 0, 0, 0}).kind, AnswerKind::malformed);
}

// A chain whose blocks are two seconds apart; all forks up to `last` are active.
chain::RollupConfig rollup_up_to(chain::Fork last) {
  chain::RollupConfig out;
  out.l2_chain_id = 901;
  out.block_time = 2;
  out.genesis.l2_time = 1000;
  for (int fork = static_cast<int>(chain::Fork::bedrock) + 1; fork <= static_cast<int>(last); ++fork)
    out.set_activation_time(static_cast<chain::Fork>(fork), 0);
  return out;
}

Answer judged(std::uint64_t number, payload::Version version, const chain::RollupConfig& rollup,
              const payload::Envelope& envelope) {
  wire::ResponseDecoder decoder;
  (void)decoder.push(wire::encode_response(response_version(version), payload::encode_envelope(version, envelope)));
  return judge_answer(number, rollup, decoder);
}

TEST(Answer, of_a_good_block_has_no_evidence_against_it) {
  const auto rollup = rollup_up_to(chain::Fork::isthmus);
  const auto answer = judged(7, payload::Version::v4, rollup, testing_blocks::block(payload::Version::v4, 7, 1014));
  ASSERT_EQ(answer.kind, AnswerKind::block) << answer.detail;
  EXPECT_EQ(answer.broken_rule, "");
  EXPECT_EQ(answer.wrong_time, "");
}

TEST(Answer, with_withdrawals_that_its_hash_does_not_cover_is_altered) {
  const auto rollup = rollup_up_to(chain::Fork::isthmus);
  auto envelope = testing_blocks::block(payload::Version::v4, 7, 1014);
  envelope.payload.withdrawals->push_back({1, 2, {}, 3});
  ASSERT_EQ(payload::compute_block_hash(envelope), envelope.payload.block_hash);
  const auto answer = judged(7, payload::Version::v4, rollup, envelope);
  EXPECT_EQ(answer.kind, AnswerKind::altered);
  EXPECT_NE(answer.detail, "");
  EXPECT_EQ(answer.block.envelope, nullptr);
}

// All that gossip's field rules look at, where the hash covers it: the block is the chain's, whoever sends it.
TEST(Answer, that_breaks_a_field_rule_which_its_hash_covers_is_a_block_with_evidence) {
  const auto ecotone = rollup_up_to(chain::Fork::ecotone);
  auto withdrawals = testing_blocks::block(payload::Version::v3, 7, 1014);
  withdrawals.payload.withdrawals->push_back({1, 2, {}, 3});
  auto blob_gas = testing_blocks::block(payload::Version::v3, 7, 1014);
  blob_gas.payload.blob_gas_used = 5;
  auto excess = testing_blocks::block(payload::Version::v3, 7, 1014);
  excess.payload.excess_blob_gas = 5;
  for (const auto& broken : {withdrawals, blob_gas, excess}) {
    const auto answer = judged(7, payload::Version::v3, ecotone, testing_blocks::sealed(broken));
    ASSERT_EQ(answer.kind, AnswerKind::block) << answer.detail;
    EXPECT_NE(answer.broken_rule, "");
    EXPECT_EQ(answer.wrong_time, "");
  }
}

TEST(Answer, of_a_block_that_has_not_the_time_of_its_number_says_both_times) {
  const auto rollup = rollup_up_to(chain::Fork::ecotone);
  for (const std::uint64_t time : {1012, 1013, 1015, 1016}) {
    const auto answer = judged(7, payload::Version::v3, rollup, testing_blocks::block(payload::Version::v3, 7, time));
    ASSERT_EQ(answer.kind, AnswerKind::block) << answer.detail;
    EXPECT_NE(answer.wrong_time.find(std::to_string(time)), std::string::npos) << answer.wrong_time;
    EXPECT_NE(answer.wrong_time.find("1014"), std::string::npos) << answer.wrong_time;
  }
}

}  // namespace
}  // namespace opstack::sync
