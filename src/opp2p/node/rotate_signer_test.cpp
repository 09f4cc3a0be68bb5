// Node::rotate_signer: another key signs the chain's blocks.
#include <gtest/gtest.h>

#include "opstack/testing/chain_builder.hpp"
#include "sim/sim_network.hpp"

namespace opp2p::sim {
namespace {

namespace secp256k1 = libp2p::crypto::secp256k1;

TEST(RotateSigner, the_new_signers_first_block_takes_the_head_from_a_longer_branch_of_the_old_one) {
  libp2p::SeededRng rng(3);
  opstack::testing::ChainOptions options;
  options.genesis_time = 1'760'000'000;
  opstack::testing::ChainBuilder old_chain(options, rng);
  const auto old_key = secp256k1::generate(rng);
  const auto new_key = secp256k1::generate(rng);
  SimNetwork network(3, opstack::chain::RollupConfig::from_json(old_chain.rollup_config()).value(), old_key,
                     libp2p::from_unix_seconds(1'760'000'010));
  SimMemberOptions member;
  member.configure = [&](NodeConfig& config) { config.sequencer_key = old_key; };
  ASSERT_TRUE(network.add(member));
  member.configure = [&](NodeConfig& config) { config.sequencer_key = new_key; };
  member.dials = {0};
  ASSERT_TRUE(network.add(member));
  network.world().run_for(libp2p::Seconds(3));
  auto new_chain = old_chain;
  new_chain.diverge(1);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(network.publish(0, old_chain.next(), libp2p::Seconds(1)));
  network.world().run_for(libp2p::Seconds(1));
  EXPECT_EQ(network.node(1).head().number, 3u);

  for (std::size_t i = 0; i < 2; ++i) network.node(i).rotate_signer(secp256k1::address_of(new_key));
  EXPECT_EQ(network.node(1).head().number, 3u) << "a change of the signer alone moves no head";
  const auto first = new_chain.next();
  ASSERT_TRUE(network.publish(1, first, libp2p::Seconds(1)));
  network.world().run_for(libp2p::Seconds(1));
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(network.node(i).head().hash, first.payload.block_hash);
}

}  // namespace
}  // namespace opp2p::sim
