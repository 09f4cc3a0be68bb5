// Node::post_unsafe_payload, behind admin_postUnsafePayload: a block that nobody signed comes in.
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace opp2p::sim
