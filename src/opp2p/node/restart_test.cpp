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

// Counts how often the restarting node takes a peer into its meshes.
class Grafts final : public NodeSink {
 public:
  void on(const NodeEvent& event, libp2p::Now) override {
    if (std::holds_alternative<opstack::gossip::PeerGrafted>(event)) ++count;
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
      for (auto& topic : opstack::rules::blocks_topics(config.rollup.l2_chain_id)) chain.topics.push_back(topic);
      config.scoring =
          opstack::reputation::make_scoring_profile("opp2p", chain, opstack::reputation::ProfileUse::node).value();
    };
    ASSERT_TRUE(network_.add(options));
    options.before_start = [this](Node& node) { sink_ = node.add_sink(grafts_); };
    options.dials = {0};
    ASSERT_TRUE(network_.add(options));
    network_.world().run_for(Seconds(5));
    ASSERT_EQ(meshes(), 4U);
    restarting_ = network_.node(1).host().id();
  }
  // Topics in whose mesh of the first node the other one is.
  std::size_t meshes() {
    std::size_t count = 0;
    for (const std::size_t size : network_.node(0).snapshots().readings().mesh) count += size;
    return count;
  }
  void restart(libp2p::Nanos away) {
    network_.stop(1);
    grafts_.count = 0;
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
  Grafts grafts_;
  SimNetwork network_{5, rollup_, libp2p::crypto::secp256k1::generate(rng_), libp2p::from_unix_seconds(kEpoch + 10)};
  libp2p::Subscription sink_;
  libp2p::PeerId restarting_;
};

TEST_F(Restart, a_node_that_is_back_within_seconds_keeps_its_backoffs_and_breaks_none) {
  for (int times = 0; times < 3; ++times) {
    restart(Seconds(1));
    EXPECT_EQ(least_score(Seconds(2)), 0) << times;
    EXPECT_EQ(grafts_.count, 0U) << "also a peer that excuses nothing would count nothing";
  }
  EXPECT_EQ(least_score(Seconds(13)), 0);
  EXPECT_EQ(meshes(), 4U) << "when the backoff is over it is in all meshes again";
}

TEST_F(Restart, a_node_that_was_away_for_longer_waits_for_nothing) {
  restart(Seconds(13));
  EXPECT_EQ(least_score(Seconds(3)), 0);
  EXPECT_EQ(meshes(), 4U);
}

// As op-node, which keeps no backoffs.
TEST_F(Restart, a_node_that_forgets_its_backoffs_is_excused) {
  for (int times = 0; times < 2; ++times) {
    network_.stop(1);
    network_.world().run_for(Seconds(1));
    const libp2p::storage::Change forgotten[] = {{std::string(kBackoffKey), std::nullopt}};
    ASSERT_TRUE(network_.peerstore(1).apply(forgotten));
    ASSERT_TRUE(network_.start(1));
    grafts_.count = 0;
    EXPECT_EQ(least_score(Seconds(2)), 0) << times;
    EXPECT_EQ(grafts_.count, 4U) << "it does break them";
  }
  EXPECT_EQ(least_score(Seconds(13)), 0);
  EXPECT_EQ(meshes(), 4U) << "and is back when its own backoff is over";
}

}  // namespace
}  // namespace opp2p::sim
