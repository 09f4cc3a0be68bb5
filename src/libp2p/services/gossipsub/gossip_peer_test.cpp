#include "libp2p/services/gossipsub/gossip_peer.hpp"

#include <gtest/gtest.h>

namespace libp2p {
namespace {

// An idle gossip peer costs 27 KB in all; its row is the smallest part of that and stays so.
static_assert(sizeof(GossipPeer) <= 40);

TEST(GossipPeer, waits_twice_as_long_after_each_failure_and_at_most_the_longest_time) {
  GossipsubConfig config;
  config.reopen_first = Millis(100);
  config.reopen_most = Seconds(60);
  GossipPeer peer(1, Direction::inbound);
  Nanos expected = Millis(100);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(peer.next_delay(config), std::min<Nanos>(expected, Seconds(60))) << i;
    expected *= 2;
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(peer.next_delay(config), Seconds(60)) << "and never overflows";
}

TEST(GossipPeer, opens_one_stream_at_a_time) {
  GossipPeer peer(1, Direction::inbound);
  EXPECT_TRUE(peer.wants_outbound());
  peer.begin_opening();
  EXPECT_FALSE(peer.wants_outbound());
  peer.end_opening();
  EXPECT_TRUE(peer.wants_outbound());
}

TEST(GossipPeer, is_made_known_and_ready_once) {
  GossipPeer peer(1, Direction::inbound);
  EXPECT_TRUE(peer.mark_known());
  EXPECT_FALSE(peer.mark_known());
  peer.set_known(false);
  EXPECT_TRUE(peer.mark_known());
  EXPECT_TRUE(peer.mark_ready());
  EXPECT_FALSE(peer.mark_ready());
  peer.clear_ready();
  EXPECT_TRUE(peer.mark_ready());
}

}  // namespace
}  // namespace libp2p
