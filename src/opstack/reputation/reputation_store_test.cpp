// What a node remembers of bans and scores when its process ends, and what it does when the store fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "opstack/reputation/reputation_world_test.hpp"

namespace opstack::reputation::world {
namespace {

TEST_F(ReputationTest, keeps_a_ban_over_a_kill_and_a_restart_until_it_expires) {
  begin(1);
  ASSERT_GT(send_bad_until_banned(0), 0U);
  net_.run_for(Seconds(1));
  const auto before = reputation().ban_of(id(0));
  kill_and_restart();
  ASSERT_TRUE(judge_->loaded.has_value());
  const auto after = reputation().ban_of(id(0));
  ASSERT_TRUE(before && after);
  EXPECT_EQ(*after, *before) << "with its reason, scores and evidence";
  EXPECT_FALSE(connect(0));
  EXPECT_THAT(told().refused, Not(IsEmpty()));
  net_.run_for(before->until - node_.runtime().now().wall + Seconds(1));
  EXPECT_TRUE(connect(0));
  ASSERT_THAT(told().unbanned, SizeIs(1));
  EXPECT_EQ(told().unbanned[0], std::pair(id(0), BanEnd::expired));
  net_.run_for(Seconds(10));
  EXPECT_TRUE(connected(0)) << "its scores ended with the ban";
  EXPECT_THAT(reputation().faults_of(id(0)), IsEmpty());
  for (const auto base : {kPeerBanBase, kBanReasonBase})
    ASSERT_TRUE(store_->scan(base, [](std::string_view key, libp2p::ByteView) {
      ADD_FAILURE() << key;
      return true;
    }));
}

TEST_F(ReputationTest, keeps_an_undo_over_a_kill_and_a_restart) {
  begin(1);
  ASSERT_GT(send_bad_until_banned(0), 0U);
  net_.run_for(Seconds(20));
  ASSERT_EQ(undo(0), "changed");
  kill_and_restart();
  EXPECT_TRUE(connect(0));
  net_.run_for(Seconds(10));
  EXPECT_TRUE(connected(0));
}

TEST_F(ReputationTest, refuses_whom_it_cannot_look_up) {
  store_->reads_fail = true;
  peers_.push_back(std::make_unique<Peer>(net_.add()));
  start();
  EXPECT_FALSE(judge_->loaded.has_value());
  EXPECT_FALSE(connect(0));
  ASSERT_THAT(told().refused, Not(IsEmpty()));
  EXPECT_EQ(told().refused[0], GateRule::unreadable);
}

TEST_F(ReputationTest, answers_a_ban_of_the_operator_when_it_is_durable) {
  begin(1);
  std::optional<Result<bool>> answer;
  reputation().ban(id(0), Seconds(600), "it is rude", [&answer](Result<bool> result) { answer = result; });
  EXPECT_FALSE(answer.has_value());
  net_.world().run_until([&answer] { return answer.has_value(); }, Seconds(5));
  ASSERT_TRUE(answer && answer->has_value());
  judge_.reset();  // at this moment
  net_.run_for(Seconds(2));
  start();
  const auto ban = reputation().ban_of(id(0));
  ASSERT_TRUE(ban);
  EXPECT_EQ(ban->rule, BanRule::operator_request);
  EXPECT_EQ(ban->text, "it is rude");
  EXPECT_FALSE(connect(0));
}

TEST_F(ReputationTest, says_that_a_ban_is_not_durable_and_keeps_it_all_the_same) {
  begin(1);
  store_->failures = 1;
  EXPECT_EQ(ban(0), "input/output");
  EXPECT_EQ(told().store_failed, 1U);
  EXPECT_TRUE(reputation().ban_of(id(0)));
  net_.run_for(Seconds(10));
  kill_and_restart();
  EXPECT_TRUE(reputation().ban_of(id(0))) << "it was written later";
}

TEST_F(ReputationTest, bans_an_address_and_closes_what_comes_from_there) {
  begin(2);
  const std::string ip = net_.node(0).ip4();
  const auto mapped = "::ffff:" + ip;
  EXPECT_EQ(wait_for([&](Reputation::Done done) { reputation().ban_ip(mapped, Seconds(600), "spam", done); }),
            "changed");
  net_.run_for(Seconds(1));
  EXPECT_FALSE(connected(0));
  EXPECT_TRUE(connected(1));
  EXPECT_FALSE(connect(0));
  ASSERT_THAT(reputation().bans().ips, SizeIs(1));
  EXPECT_EQ(reputation().bans().ips[0].ip, ip);
  kill_and_restart();
  EXPECT_TRUE(reputation().ban_of_ip(ip));
  EXPECT_EQ(wait_for([&](Reputation::Done done) { reputation().unban_ip(ip, done); }), "changed");
  EXPECT_TRUE(connect(0));
}

TEST_F(ReputationTest, refuses_bans_that_make_no_sense) {
  begin(1);
  EXPECT_EQ(ban(0, Nanos(0)), "invalid argument");
  EXPECT_EQ(wait_for([&](Reputation::Done done) { reputation().ban(judge_->host.id(), Seconds(60), "", done); }),
            "invalid argument");
  EXPECT_EQ(wait_for([&](Reputation::Done done) { reputation().ban_ip("10.0.0.0/8", Seconds(60), "", done); }),
            "malformed");
  EXPECT_EQ(wait_for([&](Reputation::Done done) { reputation().unban_ip("nowhere", done); }), "malformed");
  ASSERT_EQ(ban(0, Seconds(30 * 86400)), "changed");
  EXPECT_EQ(reputation().ban_of(id(0))->until - reputation().ban_of(id(0))->since, kLongestBan);
}

TEST_F(ReputationTest, reads_the_ban_of_another_program_and_leaves_a_record_that_it_cannot_read) {
  peers_.push_back(std::make_unique<Peer>(net_.add()));
  const auto key = libp2p::storage::peer_key(kPeerBanBase, id(0));
  const UnixTime start_time = node_.runtime().now().wall;
  const std::vector<libp2p::storage::Change> changes = {
      {key, encode_ban({start_time + Seconds(500), start_time})},
      {libp2p::storage::peer_key(kBanReasonBase, id(0)), libp2p::to_bytes("{")},
      {"/ips/ban_expiration/nonsense", libp2p::to_bytes("{}")}};
  ASSERT_TRUE(store_->store.apply(changes).has_value());
  start();
  EXPECT_TRUE(judge_->loaded.has_value());
  EXPECT_EQ(told().store_failed, 2U);
  const auto ban = reputation().ban_of(id(0));
  ASSERT_TRUE(ban);
  EXPECT_EQ(ban->rule, BanRule::unknown);
  EXPECT_FALSE(connect(0));
}

TEST_F(ReputationTest, keeps_a_ban_whose_record_cannot_be_read_until_its_reason_says_and_an_undo_ends_it) {
  begin(2);
  ASSERT_EQ(ban(0, Seconds(600)), "changed");
  ASSERT_EQ(ban(1, Seconds(600)), "changed");
  const std::string ip = "198.51.100.7";
  ASSERT_EQ(wait_for([&](Reputation::Done done) { reputation().ban_ip(ip, Seconds(600), "spam", done); }), "changed");
  const auto before = reputation().ban_of(id(0));
  const auto ip_before = reputation().ban_of_ip(ip);
  judge_.reset();
  net_.run_for(Seconds(2));
  // One by the disk, one whose bytes are none of a ban, with a reason that cannot be read either.
  store_->damaged = {libp2p::storage::peer_key(kPeerBanBase, id(0)), std::string(kIpBanBase) + ip};
  const std::vector<libp2p::storage::Change> changes = {
      {libp2p::storage::peer_key(kPeerBanBase, id(1)), libp2p::to_bytes("{")},
      {libp2p::storage::peer_key(kBanReasonBase, id(1)), libp2p::to_bytes("{")}};
  ASSERT_TRUE(store_->store.apply(changes));
  for (int starts = 0; starts < 2; ++starts) {
    start();
    ASSERT_TRUE(judge_->loaded.has_value());
    EXPECT_EQ(told().store_failed, starts == 0 ? 4U : 0U) << "the records are written anew";
    EXPECT_EQ(reputation().ban_of(id(0)), before);
    EXPECT_EQ(reputation().ban_of_ip(ip), ip_before);
    const auto kept = reputation().ban_of(id(1));
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->until - kept->since, kLongestBan);
    EXPECT_THAT(kept->text, ::testing::HasSubstr("cannot be read"));
    EXPECT_FALSE(connect(1));
    net_.run_for(Seconds(5));
    if (starts == 0) judge_.reset();
    net_.run_for(Seconds(2));
  }
  ASSERT_EQ(undo(1), "changed");
  EXPECT_TRUE(connect(1));
}

TEST_F(ReputationTest, denies_a_peer_whose_score_cannot_be_read_until_an_undo_clears_it) {
  peers_.push_back(std::make_unique<Peer>(net_.add()));
  const auto key = libp2p::storage::peer_key(kScoreBase, id(0));
  const std::vector<libp2p::storage::Change> changes = {{key, libp2p::to_bytes("{")}};
  ASSERT_TRUE(store_->store.apply(changes));
  start();
  EXPECT_FALSE(connect(0));
  ASSERT_THAT(told().refused, Not(IsEmpty()));
  EXPECT_EQ(told().refused[0], GateRule::unreadable);
  const auto refusal = reputation().score_refusal(id(0));
  ASSERT_TRUE(refusal);
  EXPECT_THAT(refusal->why, ::testing::HasSubstr("cannot be read"));
  EXPECT_EQ(undo(0), "unchanged") << "it was not banned";
  EXPECT_FALSE(store_->store.get(key).value()) << "when it is answered, the record is gone";
  EXPECT_FALSE(reputation().score_refusal(id(0)));
  EXPECT_TRUE(connect(0));
}

TEST_F(ReputationTest, writes_live_scores_into_the_book) {
  begin(2);
  peer(1).send(valid_block());
  net_.run_for(Seconds(1));
  for (int n = 0; n < 2; ++n) peer(0).send(bad_hash());  // one alone costs nothing
  net_.run_for(Seconds(60));                             // the faults are held back for half a minute
  const auto bytes = store_->get(libp2p::storage::peer_key(kScoreBase, id(0))).value();
  ASSERT_TRUE(bytes);
  const auto written = decode_scores(*bytes).value();
  EXPECT_LT(written.scores.gossip.total, 0);
  EXPECT_GT(written.scores.gossip.invalid_message_deliveries, 1.8);
  EXPECT_LE(node_.runtime().now().wall - written.last_update, Seconds(20));
}

}  // namespace
}  // namespace opstack::reputation::world
