// A node that ends in order and is back within seconds: what its peers hold against it, which is nothing. It has told
// its peers a backoff of 10 s in each topic when it left.
#include <gtest/gtest.h>

#include "opp2p/node/backoff_record.hpp"
#include "opstack/rules/topics.hpp"
#include "opstack/testing/chain_builder.hpp"
#include "sim/sim_network.hpp"

namespace opp2p::sim {
namespace {

using libp2p::Seconds;

// Counts the GRAFTs that break a backoff.
class EarlyGrafts final : public NodeSink {
 public:
  void on(const NodeEvent& event, libp2p::Now) override {
    const auto* fault = std::get_if<libp2p::gossipsub::Fault>(&event);
    if (fault != nullptr && fault->kind == libp2p::gossipsub::FaultKind::graft_in_backoff) count += fault->count;
  }
  std::size_t count = 0;
};

class Restart : public testing::Test {
 protected:
  static constexpr std::int64_t kEpoch = 1'760'000'000;

  void SetUp() override {
    SimMemberOptions options;
    options.configure = [](NodeConfig& config) {
      opstack::reputation::ScoredChain chain;
      chain.topics = opstack::rules::blocks_topics(config.rollup.l2_chain_id);
      config.scoring = opstack::reputation::make_scoring_profile("opp2p", chain, opstack::reputation::ProfileUse::node)
                           .value();
    };
    options.before_start = [this](Node& node) {
      if (!sink_) sink_.emplace(node.add_sink(early_));
    };
    ASSERT_TRUE(network_.add(options));
    options.before_start = nullptr;
    options.dials = {0};
    ASSERT_TRUE(network_.add(options));
    network_.world().run_for(Seconds(5));
    ASSERT_EQ(meshes(), 4U);
    restarting_ = network_.node(1).host().id();
  }
  // Topics in whose mesh of the first node the other one is.
  std::size_t meshes() {
    std::size_t count = 0;
    for (const auto& topic : topics_) count += network_.node(0).gossip().router().mesh(topic).size();
    return count;
  }
  void restart(libp2p::Nanos away) {
    network_.stop(1);
    network_.world().run_for(away);
    ASSERT_TRUE(network_.start(1));
  }
  // The least that the first node thinks of it in that time.
  double least_score(Seconds time) {
    double least = 0;
    for (std::int64_t second = 0; second < time.count(); ++second) {
      network_.world().run_for(Seconds(1));
      const auto parts = network_.node(0).reputation()->scorer()->snapshot_of(restarting_);
      if (parts) least = std::min({least, parts->score, -parts->behaviour.value});
    }
    return least;
  }

  libp2p::SeededRng rng_{5};
  opstack::testing::ChainOptions options_ = [] {
    opstack::testing::ChainOptions out;
    out.genesis_time = kEpoch;
    return out;
  }();
  opstack::testing::ChainBuilder chain_{options_, rng_};
  const opstack::chain::RollupConfig rollup_ = opstack::chain::RollupConfig::from_json(chain_.rollup_config()).value();
  const std::vector<std::string> topics_ = opstack::rules::blocks_topics(rollup_.l2_chain_id);
  EarlyGrafts early_;
  SimNetwork network_{5, rollup_, libp2p::crypto::secp256k1::generate(rng_), libp2p::from_unix_seconds(kEpoch + 10)};
  std::optional<libp2p::Subscription> sink_;
  libp2p::PeerId restarting_;
};

TEST_F(Restart, a_node_that_is_back_within_seconds_keeps_its_backoffs_and_breaks_none) {
  for (int times = 0; times < 5; ++times) {
    restart(Seconds(1));
    EXPECT_EQ(least_score(Seconds(2)), 0) << times;
  }
  EXPECT_EQ(early_.count, 0U) << "also a peer that excuses nothing would count nothing";
  EXPECT_EQ(least_score(Seconds(13)), 0);
  EXPECT_EQ(meshes(), 4U) << "when the backoff is over it is in all meshes again";
}

TEST_F(Restart, a_node_that_was_away_for_longer_waits_for_nothing) {
  restart(Seconds(13));
  EXPECT_EQ(least_score(Seconds(3)), 0);
  EXPECT_EQ(meshes(), 4U);
  EXPECT_EQ(early_.count, 0U);
}

// As op-node, which keeps no backoffs.
TEST_F(Restart, a_node_that_forgets_its_backoffs_is_excused) {
  for (int times = 0; times < 2; ++times) {
    network_.stop(1);
    network_.world().run_for(Seconds(1));
    const libp2p::storage::Change forgotten[] = {{std::string(kBackoffKey), std::nullopt}};
    ASSERT_TRUE(network_.peerstore(1).apply(forgotten));
    ASSERT_TRUE(network_.start(1));
    EXPECT_EQ(least_score(Seconds(2)), 0) << times;
  }
  EXPECT_GT(early_.count, 0U) << "it does break them";
  EXPECT_EQ(least_score(Seconds(13)), 0);
  EXPECT_EQ(meshes(), 4U) << "and is back when its own backoff is over";
}

}  // namespace
}  // namespace opp2p::sim
