// Node::post_unsafe_payload, behind admin_postUnsafePayload: a block that nobody signed comes in.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "opstack/testing/chain_builder.hpp"
#include "sim/sim_network.hpp"

namespace opp2p::sim {
namespace {

namespace payload = opstack::payload;

class PostPayload : public testing::Test {
 protected:
  static opstack::testing::ChainOptions options() {
    opstack::testing::ChainOptions out;
    out.fork = opstack::chain::Fork::isthmus;
    out.genesis_time = 1'760'000'000;
    return out;
  }
  void SetUp() override { ASSERT_TRUE(network_.add({})); }
  Result<void> post(const Envelope& envelope) {
    std::optional<Result<void>> out;
    network_.node(0).post_unsafe_payload(std::make_shared<const Envelope>(envelope),
                                         [&out](Result<void> outcome) { out = std::move(outcome); });
    network_.world().run_for(libp2p::Seconds(1));
    return out ? *out : Result<void>(libp2p::fail(libp2p::Errc::timed_out, "the test"));
  }

  // Calls the node and does not wait. The answer's text is appended to `answers_`, "" for success.
  void begin_to_post(const Envelope& envelope) {
    network_.node(0).post_unsafe_payload(std::make_shared<const Envelope>(envelope), [this](const Result<void>& out) {
      answers_.push_back(out ? "" : out.error().text());
    });
  }

  std::vector<std::string> answers_;
  libp2p::SeededRng rng_{3};
  opstack::testing::ChainBuilder chain_{options(), rng_};
  SimNetwork network_{3, opstack::chain::RollupConfig::from_json(chain_.rollup_config()).value(),
                      libp2p::crypto::secp256k1::generate(rng_), libp2p::from_unix_seconds(1'760'000'010)};
};

TEST_F(PostPayload, a_block_with_contents_that_its_hash_does_not_cover_is_refused) {
  const Envelope block = chain_.next();
  Envelope altered = block;
  altered.payload.withdrawals->push_back({1, 2, {}, 3});
  ASSERT_EQ(payload::compute_block_hash(altered), block.payload.block_hash);
  const auto refused = post(altered);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("withdrawals"), std::string::npos) << refused.error().message();
  altered.payload.withdrawals.reset();
  EXPECT_FALSE(post(altered));
  EXPECT_EQ(network_.node(0).head().number, 0u);
  const auto taken = post(block);
  ASSERT_TRUE(taken) << taken.error().message();
  EXPECT_EQ(network_.node(0).head().number, 1u);
}

TEST_F(PostPayload, a_block_that_breaks_a_rule_of_its_fork_is_refused_though_its_hash_is_right) {
  Envelope block = chain_.next();
  block.payload.blob_gas_used = 5;  // before Jovian
  block.payload.block_hash = payload::compute_block_hash(block);
  const auto refused = post(block);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("blob gas"), std::string::npos) << refused.error().message();
}

TEST_F(PostPayload, blocks_are_examined_behind_the_call_and_taken_in_the_order_of_their_calls) {
  // Workers end in an order that the seed draws: without the queue some block would come before its parent.
  constexpr std::size_t kBlocks = 20;
  network_.world().run_for(libp2p::Seconds(60));  // until none of them is of the future
  for (std::size_t i = 0; i < kBlocks; ++i) begin_to_post(chain_.next());
  EXPECT_TRUE(answers_.empty()) << "nothing is hashed inside the call";
  network_.world().run_for(libp2p::Seconds(1));
  EXPECT_EQ(answers_, std::vector<std::string>(kBlocks));
  EXPECT_EQ(network_.node(0).head().number, kBlocks);
}

TEST_F(PostPayload, one_bad_block_does_not_hold_up_those_behind_it) {
  const Envelope first = chain_.next();
  Envelope bad = first;
  bad.payload.gas_used += 1;
  begin_to_post(bad);
  begin_to_post(first);
  begin_to_post(chain_.next());
  network_.world().run_for(libp2p::Seconds(1));
  ASSERT_EQ(answers_.size(), 3u);
  EXPECT_EQ(std::count(answers_.begin(), answers_.end(), ""), 2);
  EXPECT_NE(answers_[0].find("payload has bad block hash"), std::string::npos) << answers_[0];
  EXPECT_EQ(network_.node(0).head().number, 2u);
}

TEST_F(PostPayload, more_blocks_than_may_wait_are_refused_at_once) {
  network_.world().run_for(libp2p::Seconds(200));
  for (int i = 0; i < 65; ++i) begin_to_post(chain_.next());
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_NE(answers_[0].find("64 posted payloads"), std::string::npos) << answers_[0];
  network_.world().run_for(libp2p::Seconds(1));
  EXPECT_EQ(network_.node(0).head().number, 64u);
}

TEST_F(PostPayload, a_block_under_examination_is_answered_when_the_node_closes_or_is_gone) {
  begin_to_post(chain_.next());
  network_.lose_power(0);
  EXPECT_EQ(answers_, std::vector<std::string>{"the node is stopping"});
  network_.world().run_for(libp2p::Seconds(1));  // the worker ends after the node
  ASSERT_TRUE(network_.start(0));
  begin_to_post(chain_.next());
  network_.stop(0);
  EXPECT_EQ(answers_.size(), 2u);
}

}  // namespace
}  // namespace opp2p::sim
