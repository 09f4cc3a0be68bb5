// Ten whole nodes in one simulated world: real handshakes, muxing and gossip on a virtual clock.
#include <gtest/gtest.h>

#include <cstdlib>

#include "known_traces.hpp"
#include "libp2p/upgrade/connection_engine.hpp"
#include "opstack/testing/chain_builder.hpp"
#include "sim/sim_network.hpp"
#include "story.hpp"

namespace opp2p::sim {
namespace {

using libp2p::Seconds;
namespace secp256k1 = libp2p::crypto::secp256k1;

constexpr std::size_t kNodes = 9;  // and the late joiner
constexpr std::uint64_t kBlocks = 30;

struct FirstNetworkEnding {
  std::uint64_t trace_hash = 0;
  std::vector<std::uint64_t> heads;
  std::vector<opstack::payload::Hash> hashes;
  std::uint64_t late_joiner_synced = 0;
  std::uint64_t delivered = 0;
};

// Every node dials the two before it, and the second one the first.
SimMemberOptions dialling(std::size_t index) {
  SimMemberOptions out;
  out.sequencer = index == 0;
  for (std::size_t back = 1; back <= 2 && back <= index; ++back) out.dials.push_back(index - back);
  return out;
}

FirstNetworkEnding run_first_network(std::uint64_t seed) {
  libp2p::SeededRng rng(seed);
  opstack::testing::ChainOptions options;
  options.genesis_time = kGenesisTime;
  options.block_size = 2000;
  opstack::testing::ChainBuilder chain(options, rng);
  const auto rollup = opstack::chain::RollupConfig::from_json(chain.rollup_config()).value();
  SimNetwork network(seed, rollup, secp256k1::generate(rng), libp2p::from_unix_seconds(kGenesisTime));
  for (std::size_t i = 0; i < kNodes; ++i) EXPECT_TRUE(network.add(dialling(i)));
  for (std::uint64_t block = 1; block <= kBlocks; ++block) {
    network.world().run_for(Seconds(2));
    if (block == 12) {
      EXPECT_EQ(network.world().disconnect(network.world_index(3), network.world_index(4)), 1u);
    }
    if (block == 20) {
      EXPECT_TRUE(network.add(dialling(kNodes)));
    }
    const auto published = network.publish(0, chain.next(), Seconds(1));
    EXPECT_TRUE(published) << published.error().message();
  }
  network.world().run_for(Seconds(20));
  FirstNetworkEnding out;
  for (std::size_t i = 0; i < network.size(); ++i) {
    out.heads.push_back(network.node(i).head().number);
    out.hashes.push_back(network.node(i).head().hash);
  }
  out.late_joiner_synced = network.node(kNodes).stats().synced;
  out.trace_hash = network.world().trace_hash();
  out.delivered = network.world().delivered();
  return out;
}

#ifndef OPP2P_NO_ASSERTIONS
// A node with three blocks, of which the last loses its place among the canonical ones.
class BrokenDisk {
 public:
  BrokenDisk() {
    EXPECT_TRUE(network_.add(dialling(0)));
    for (int block = 0; block < 3; ++block) EXPECT_TRUE(network_.publish(0, chain_.next(), Seconds(1)));
    network_.disk(0).alter([](TableTxn& txn) {
      const auto last = txn.last(Table::canonical).value();
      EXPECT_TRUE(txn.erase(Table::canonical, libp2p::to_bytes(last->key)));
    });
  }
  SimNetwork& network() { return network_; }

 private:
  static opstack::testing::ChainOptions chain_options() {
    opstack::testing::ChainOptions out;
    out.genesis_time = kGenesisTime;
    return out;
  }
  libp2p::SeededRng rng_{5};
  opstack::testing::ChainBuilder chain_{chain_options(), rng_};
  SimNetwork network_{5, opstack::chain::RollupConfig::from_json(chain_.rollup_config()).value(),
                      secp256k1::generate(rng_), libp2p::from_unix_seconds(kGenesisTime)};
};

TEST(SimNetworkDeathTest, a_broken_store_ends_the_process_when_the_world_ends) {
  EXPECT_DEATH(BrokenDisk().network().close(), "the tables of the store agree");
}

TEST(SimNetworkDeathTest, a_broken_store_ends_the_process_while_the_world_runs) {
  EXPECT_DEATH(
      {
        BrokenDisk broken;
        for (int i = 0; i < 9000; ++i) broken.network().place(0).runtime().post([] {});
        broken.network().world().run_for(Seconds(1));
        std::_Exit(0);  // not the check at the end
      },
      "the tables of the store agree.*(.|\n)*in the simulated world of seed 5");
}
#endif

TEST(FirstNetwork, a_late_joiner_and_a_lost_connection_leave_all_heads_equal) {
  const auto ending = run_first_network(1);
  for (const auto head : ending.heads) EXPECT_EQ(head, kBlocks);
  for (const auto& hash : ending.hashes) EXPECT_EQ(hash, ending.hashes.front());
  EXPECT_GE(ending.late_joiner_synced, 18u);
}

TEST(FirstNetwork, the_same_seed_gives_the_same_trace_and_another_seed_another) {
  const auto first = run_first_network(7);
  const auto second = run_first_network(7);
  EXPECT_EQ(first.trace_hash, second.trace_hash);
  EXPECT_EQ(first.delivered, second.delivered);
  EXPECT_NE(run_first_network(8).trace_hash, first.trace_hash);
  expect_known_trace("first_network", 7, first.trace_hash);
}

TEST(FirstNetwork, nothing_of_a_network_outlives_it) {
  run_first_network(3);
  EXPECT_EQ(libp2p::live<Node>(), 0);
  EXPECT_EQ(libp2p::live<libp2p::runtime::detail::Root>(), 0);
}

}  // namespace
}  // namespace opp2p::sim
