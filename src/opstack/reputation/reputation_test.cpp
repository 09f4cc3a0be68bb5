// The whole of it on simulated hosts: blocks are gossiped, peers are blamed, banned, and let back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "opstack/reputation/reputation_world_test.hpp"

namespace opstack::reputation::world {
namespace {

TEST_F(ReputationTest, bans_a_peer_of_invalid_blocks_within_ten_of_them_and_says_why) {
  begin(2);
  for (int n = 0; n < 3; ++n) {
    peer(1).send(valid_block());
    net_.run_for(Seconds(1));
  }
  const auto sent = send_bad_until_banned(0);
  EXPECT_EQ(sent, 8U);
  net_.run_for(Seconds(1));
  EXPECT_FALSE(connected(0));
  EXPECT_TRUE(connected(1));
  const auto list = reputation().bans();
  ASSERT_THAT(list.peers, SizeIs(1));
  EXPECT_THAT(list.ips, IsEmpty()) << "no rule bans an address";
  EXPECT_EQ(list.peers[0].peer, id(0));
  const Ban& ban = list.peers[0].ban;
  EXPECT_EQ(ban.rule, BanRule::blamed_messages);
  EXPECT_EQ(ban.until - ban.since, Seconds(3600));
  EXPECT_GT(ban.score, -40) << "eight faults keep it above the graylist";
  EXPECT_LT(ban.score, 0);
  EXPECT_GT(ban.scores.gossip.invalid_message_deliveries, 7);
  ASSERT_THAT(ban.evidence, SizeIs(8));
  EXPECT_EQ(ban.evidence[7].kind, FaultKind::bad_block_hash);
  EXPECT_EQ(ban.evidence[7].block_number, number_);
  EXPECT_TRUE(ban.evidence[7].block_hash.has_value());
  EXPECT_EQ(ban.evidence[7].message_id.size(), 40U);
  EXPECT_THAT(ban.evidence[7].text, HasSubstr("payload has bad block hash"));
  EXPECT_THAT(ban.text, HasSubstr("8 different invalid messages"));
  EXPECT_THAT(told().banned, SizeIs(1));
  EXPECT_EQ(told().blamed, 8U);
  EXPECT_THAT(told().common, IsEmpty());
}

TEST_F(ReputationTest, lets_a_peer_back_whose_ban_is_undone_and_does_not_ban_it_again_at_once) {
  begin(2);
  peer(1).send(valid_block());
  ASSERT_GT(send_bad_until_banned(0), 0U);
  net_.run_for(Seconds(1));
  EXPECT_EQ(undo(0), "changed");
  EXPECT_EQ(undo(0), "unchanged") << "there is none any more";
  ASSERT_TRUE(connect(0));
  net_.run_for(Seconds(30));
  EXPECT_TRUE(connected(0));
  EXPECT_GE(reputation().scores_of(id(0)).value().gossip.total, 0);
  for (int n = 0; n < 7; ++n) {
    peer(0).send(bad_hash());
    peer(1).send(valid_block());  // the chain goes on, so the faults are the peer's
    net_.run_for(Seconds(1));
  }
  EXPECT_TRUE(connected(0)) << "it begins anew";
  const auto more = send_bad_until_banned(0);
  EXPECT_GT(more, 0U);
  EXPECT_LE(more, 2U) << "and is banned again at the eighth blamed message; an accepted block may excuse one";
}

TEST_F(ReputationTest, blames_nobody_for_blocks_that_an_honest_peer_may_pass_on) {
  begin(2);
  peer(1).send(valid_block());
  for (int n = 0; n < 40; ++n) {
    peer(0).send(old_block());
    net_.run_for(Seconds(1));
  }
  EXPECT_TRUE(connected(0));
  EXPECT_THAT(reputation().faults_of(id(0)), IsEmpty());
  EXPECT_GE(reputation().scores_of(id(0)).value().gossip.total, 0);
  EXPECT_EQ(told().blamed, 0U);
}

TEST_F(ReputationTest, never_bans_a_static_peer_by_a_rule) {
  begin(2, {0});
  peer(1).send(valid_block());
  EXPECT_EQ(send_bad_until_banned(0, 30), 0U);
  EXPECT_TRUE(connected(0));
  EXPECT_EQ(ban(0), "changed") << "the operator may";
  net_.run_for(Seconds(1));
  EXPECT_FALSE(connected(0));
}

TEST_F(ReputationTest, bans_nobody_without_ban_peers) {
  config_.ban_peers = false;
  begin(2);
  peer(1).send(valid_block());
  EXPECT_EQ(send_bad_until_banned(0, 12), 0U);
  EXPECT_GE(reputation().faults_of(id(0)).size(), 8U);
}

TEST_F(ReputationTest, under_light_an_invalid_block_costs_nothing_as_in_op_node_and_is_on_record) {
  use("light");
  begin(2);
  EXPECT_EQ(send_bad_until_banned(0, 12), 0U);
  EXPECT_TRUE(connected(0));
  EXPECT_EQ(reputation().scores_of(id(0)).value().gossip.total, 0);
  EXPECT_EQ(reputation().faults_of(id(0)).size(), 12U);
}

TEST_F(ReputationTest, takes_a_fault_of_most_peers_for_its_own_and_gives_back_what_it_cost) {
  begin(5);
  for (std::size_t n = 0; n < 5; ++n) {
    peer(n).send(valid_block());
    net_.run_for(Seconds(1));
  }
  for (int round = 0; round < 20; ++round) {
    for (std::size_t n = 0; n < 3; ++n) peer(n).send(signed_by_another());
    net_.run_for(Seconds(2));
  }
  for (std::size_t n = 0; n < 5; ++n) {
    EXPECT_TRUE(connected(n)) << n;
    EXPECT_THAT(reputation().faults_of(id(n)), IsEmpty()) << n;
    EXPECT_GE(reputation().scores_of(id(n)).value().gossip.total, 0) << n;
  }
  ASSERT_THAT(told().common, SizeIs(1)) << "it is told once";
  EXPECT_THAT(told().common[0], HasSubstr("signer"));
  EXPECT_EQ(send_bad_until_banned(4), 8U) << "a fault of another kind is the peer's";
}

}  // namespace
}  // namespace opstack::reputation::world
