// Node::publish, behind admin_publishUnsafePayload: what no peer would take is neither kept nor the head.
#include <gtest/gtest.h>

#include "opstack/testing/chain_builder.hpp"
#include "sim/sim_network.hpp"

namespace opp2p::sim {
namespace {

namespace payload = opstack::payload;

constexpr std::int64_t kFirstTime = 1'760'000'000;

class Publish : public testing::Test {
 protected:
  static opstack::testing::ChainOptions options() {
    opstack::testing::ChainOptions out;
    out.fork = opstack::chain::Fork::isthmus;
    out.genesis_time = kFirstTime;
    return out;
  }
  void SetUp() override {
    SimMemberOptions member;
    member.sequencer = true;
    ASSERT_TRUE(network_.add(member));
    member.sequencer = false;
    member.dials = {0};
    ASSERT_TRUE(network_.add(member));
    network_.world().run_for(libp2p::Seconds(3));
  }
  Result<void> publish(const Envelope& envelope) {
    std::optional<Result<void>> out;
    network_.node(0).publish(std::make_shared<const Envelope>(envelope),
                             [&out](Result<void> outcome) { out = std::move(outcome); });
    network_.world().run_for(libp2p::Seconds(1));
    return out ? *out : Result<void>(libp2p::fail(libp2p::Errc::timed_out, "the test"));
  }
  // With an error that has these words, and without a trace.
  void expect_refused(const Envelope& envelope, const std::string& words) {
    const auto done = publish(envelope);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().text().find("validation failed for payload 0x"), std::string::npos) << done.error().text();
    EXPECT_NE(done.error().text().find(words), std::string::npos) << done.error().text();
    network_.world().run_for(libp2p::Seconds(30));
    for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(network_.node(i).head().number, 0u);
    EXPECT_FALSE(network_.store(0).by_hash(envelope.payload.block_hash).value()) << "it is stored";
  }

  libp2p::SeededRng rng_{3};
  opstack::testing::ChainBuilder chain_{options(), rng_};
  SimNetwork network_{3, opstack::chain::RollupConfig::from_json(chain_.rollup_config()).value(),
                      libp2p::crypto::secp256k1::generate(rng_), libp2p::from_unix_seconds(kFirstTime + 10)};
};

TEST_F(Publish, a_block_that_breaks_a_rule_of_its_fork_is_not_kept) {
  Envelope block = chain_.next();
  block.payload.blob_gas_used = 5;  // before Jovian
  block.payload.block_hash = payload::compute_block_hash(block);
  expect_refused(block, "payload has blob gas used before Jovian");
}

TEST_F(Publish, an_altered_block_is_not_kept_under_the_honest_ones_hash) {
  const Envelope block = chain_.next();
  Envelope altered = block;
  altered.payload.withdrawals->push_back({1, 2, {}, 3});
  ASSERT_EQ(payload::compute_block_hash(altered), block.payload.block_hash);
  expect_refused(altered, "payload has withdrawals in its list");
  const auto done = publish(block);
  ASSERT_TRUE(done) << done.error().text();
  const auto stored = network_.store(0).by_number(1).value();
  ASSERT_TRUE(stored);
  EXPECT_TRUE(payload::decode_block(stored->version, stored->body).value().payload().withdrawals->empty());
}

TEST_F(Publish, a_block_of_another_hash_is_not_kept) {
  Envelope block = chain_.next();
  block.payload.gas_used += 1;
  const auto done = publish(block);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().text().find("payload has bad block hash"), std::string::npos) << done.error().text();
  EXPECT_EQ(network_.node(0).head().number, 0u);
}

TEST_F(Publish, a_block_an_hour_ahead_is_not_kept) {
  for (int i = 0; i < 1800; ++i) (void)chain_.next();
  expect_refused(chain_.head(), "payload is too new");
}

TEST_F(Publish, a_block_of_the_end_of_time_is_not_kept) {
  Envelope block = chain_.next();
  block.payload.block_number = UINT64_MAX;
  block.payload.timestamp = UINT64_MAX;
  block.payload.block_hash = payload::compute_block_hash(block);
  expect_refused(block, "payload is too new");
}

TEST_F(Publish, five_seconds_ahead_are_allowed) {
  network_.world().run_until([] { return false; }, libp2p::Millis(10));
  Envelope block = chain_.next();
  const auto ahead = [&] {
    return static_cast<std::int64_t>(block.payload.timestamp) -
           libp2p::unix_seconds(network_.place(0).runtime().now().wall);
  };
  while (ahead() < 4) {
    const auto done = publish(block);
    ASSERT_TRUE(done) << done.error().text();
    block = chain_.next();
  }
  ASSERT_LE(ahead(), 5);
  EXPECT_TRUE(publish(block));
}

TEST_F(Publish, a_block_that_is_too_old_for_gossip_is_kept) {
  const Envelope block = chain_.next();
  network_.world().run_for(libp2p::Seconds(300));
  const auto done = publish(block);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(network_.node(0).head().number, 1u);
}

}  // namespace
}  // namespace opp2p::sim
