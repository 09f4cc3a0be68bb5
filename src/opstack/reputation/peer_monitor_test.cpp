#include "opstack/reputation/peer_monitor.hpp"

#include <gtest/gtest.h>

#include "opstack/reputation/reputation_test_support.hpp"

namespace opstack::reputation {
namespace {

using test::peer;

TEST(PeerMonitor, looks_at_one_peer_after_the_other_and_reads_the_list_again_when_it_is_used_up) {
  PeerMonitor monitor(-100, 8);
  std::vector<PeerId> connected{peer(1), peer(2)};
  std::size_t asked = 0;
  const auto list = [&] {
    ++asked;
    return connected;
  };
  EXPECT_EQ(monitor.next(list), peer(1));
  connected = {peer(3)};
  EXPECT_EQ(monitor.next(list), peer(2));
  EXPECT_EQ(asked, 1U);
  EXPECT_EQ(monitor.next(list), peer(3));
  EXPECT_EQ(monitor.next(list), peer(3));
  connected.clear();
  EXPECT_FALSE(monitor.next(list));
  EXPECT_FALSE(monitor.next(list));
  EXPECT_EQ(asked, 5U);
}

TEST(PeerMonitor, bans_below_the_threshold_and_spares_static_peers) {
  const PeerMonitor monitor(-100, 8);
  EXPECT_FALSE(monitor.is_too_low(-100, 0)) << "op-node: score >= threshold is kept";
  EXPECT_TRUE(monitor.is_too_low(-100.01, false));
  EXPECT_FALSE(monitor.is_too_low(-1e6, true));
}

TEST(PeerMonitor, bans_at_the_eighth_blamed_message_where_messages_count) {
  const PeerMonitor monitor(-100, 8);
  EXPECT_FALSE(monitor.are_too_many(7, false));
  EXPECT_TRUE(monitor.are_too_many(8, false));
  EXPECT_FALSE(monitor.are_too_many(8, true));
  EXPECT_FALSE(PeerMonitor(-100, 0).are_too_many(1000, false));
}

TEST(PeerMonitor, says_why) {
  EXPECT_EQ(PeerMonitor(-100, 8).text_of_score(-123.456), "its score is -123.46, below the ban threshold of -100.00");
  EXPECT_EQ(PeerMonitor::text_of_messages(8, libp2p::Seconds(600)),
            "it sent 8 different invalid messages within 600 s");
}

}  // namespace
}  // namespace opstack::reputation
