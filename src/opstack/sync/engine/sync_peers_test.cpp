#include "opstack/sync/engine/sync_peers.hpp"

#include <gmock/gmock.h>

#include "opstack/sync/engine/sync_world_test.hpp"

namespace opstack::sync {
namespace {

using libp2p::Millis;
using libp2p::Seconds;
using testing::ElementsAre;
using testing_world::peer_named;

class SyncPeersTest : public testing::Test {
 protected:
  PeerId add(std::uint8_t n, bool identified = true) {
    const PeerId id = peer_named(n);
    peers_.add(id, AddressBlocks{{10, 0, 0, n}, {}}, identified, now_);
    return id;
  }
  PeerId add_proven(std::uint8_t n) {
    const PeerId id = add(n);
    peers_.on_good(id);
    return id;
  }
  std::optional<PeerId> choose(bool due_next = false, const PeerId* holder = nullptr) {
    return peers_.choose({asked_, passed_over_, due_next, holder}, now_).peer;
  }
  // What a request to the peer is given.
  Nanos patience(const PeerId& id) {
    const MonoTime deadline = peers_.on_request(id, now_);
    peers_.on_idle(id);
    return deadline - now_;
  }

  MonoTime now_{Seconds(1000)};
  SyncPeers peers_{PeerLimits{}, SyncLimits{}, now_};
  std::vector<PeerId> asked_;
  std::vector<PeerId> passed_over_;
};

TEST_F(SyncPeersTest, those_who_have_proved_more_come_first) {
  const PeerId unidentified = add(1, false);
  const PeerId fresh = add(2);
  const PeerId vouched = add(3);
  const PeerId answered = add(4);
  const PeerId proven = add_proven(5);
  peers_.vouch(vouched);
  peers_.on_answered(answered);
  for (const PeerId& next : {proven, answered, vouched, fresh, unidentified}) {
    const auto choice = peers_.choose({asked_, passed_over_}, now_);
    EXPECT_EQ(choice.peer, next);
    EXPECT_FALSE(choice.all_asked);
    asked_.push_back(next);
    std::sort(asked_.begin(), asked_.end());
  }
  const auto choice = peers_.choose({asked_, passed_over_}, now_);
  EXPECT_FALSE(choice.peer);
  EXPECT_TRUE(choice.all_asked);
  EXPECT_TRUE(choice.any_free) << "for another block";
}

TEST_F(SyncPeersTest, among_equals_the_one_with_fewer_faults_and_then_the_one_idle_longest_is_asked) {
  const PeerId first = add_proven(1);
  const PeerId second = add_proven(2);
  EXPECT_EQ(choose(), first);
  patience(first);
  EXPECT_EQ(choose(), second);
  patience(second);
  EXPECT_EQ(choose(), first);
  peers_.on_empty_handed(first, now_);
  EXPECT_EQ(choose(), second);
}

TEST_F(SyncPeersTest, what_the_chain_waits_for_is_for_the_proven_while_one_can_be_asked) {
  const PeerId proven = add_proven(1);
  const PeerId stranger = add(2);
  peers_.on_request(proven, now_);
  EXPECT_EQ(choose(false), stranger);
  EXPECT_FALSE(choose(true)) << "the proven one will be free soon";
  asked_ = {proven};
  EXPECT_EQ(choose(true), stranger);
}

TEST_F(SyncPeersTest, a_stranger_is_the_second_only_where_no_proven_peer_but_the_first_is_there) {
  const PeerId holder = add_proven(1);
  const PeerId stranger = add(2);
  peers_.on_request(holder, now_);
  EXPECT_EQ(choose(true, &holder), stranger);
  const PeerId other = add_proven(3);
  EXPECT_EQ(choose(true, &holder), other);
  peers_.on_request(other, now_);
  EXPECT_FALSE(choose(true, &holder));
}

TEST_F(SyncPeersTest, the_second_is_the_one_that_has_proved_most) {
  const PeerId holder = add_proven(1);
  add_proven(2);
  const PeerId best = add_proven(3);
  peers_.on_good(best);
  EXPECT_EQ(choose(), holder) << "the first is the one that waits longest";
  EXPECT_EQ(choose(true, &holder), best);
}

TEST_F(SyncPeersTest, a_paused_peer_is_not_asked_until_its_pause_ends) {
  const PeerId peer = add_proven(1);
  EXPECT_EQ(peers_.on_busy(peer, now_), Seconds(1));
  const auto choice = peers_.choose({asked_, passed_over_}, now_);
  EXPECT_FALSE(choice.peer);
  EXPECT_FALSE(choice.any_free);
  EXPECT_EQ(choice.retry, now_ + Seconds(1));
  now_ += Seconds(1);
  EXPECT_EQ(choose(), peer);
}

TEST_F(SyncPeersTest, a_peer_is_asked_no_faster_than_it_serves) {
  const PeerId peer = add_proven(1);
  for (int i = 0; i < 15; ++i) {
    ASSERT_EQ(choose(), peer) << i;
    patience(peer);
  }
  const auto choice = peers_.choose({asked_, passed_over_}, now_);
  EXPECT_FALSE(choice.peer);
  EXPECT_EQ(choice.retry, now_ + Millis(250));
}

TEST_F(SyncPeersTest, pauses_double_up_to_a_bound) {
  const PeerId peer = add(1);
  const auto lengths = [&](Nanos (SyncPeers::*happened)(const PeerId&, MonoTime), std::size_t times) {
    std::vector<std::int64_t> out;
    while (out.size() < times) out.push_back((peers_.*happened)(peer, now_) / Millis(1));
    return out;
  };
  EXPECT_THAT(lengths(&SyncPeers::on_busy, 6), ElementsAre(1000, 2000, 4000, 8000, 16000, 16000));
  EXPECT_THAT(lengths(&SyncPeers::on_failure, 7), ElementsAre(1000, 2000, 4000, 8000, 16000, 30000, 30000));
  EXPECT_THAT(lengths(&SyncPeers::on_fault, 7), ElementsAre(5000, 10000, 20000, 40000, 80000, 120000, 120000));
  EXPECT_THAT(lengths(&SyncPeers::on_empty_handed, 9), ElementsAre(0, 0, 0, 500, 1000, 2000, 4000, 8000, 8000));
  peers_.on_good(peer);
  EXPECT_THAT(lengths(&SyncPeers::on_busy, 1), ElementsAre(1000)) << "a block that links ends the count";
}

TEST_F(SyncPeersTest, a_failure_halves_proof_and_a_lie_ends_it) {
  const PeerId peer = add(1);
  EXPECT_FALSE(peers_.is_proven(peer));
  for (int i = 0; i < 4; ++i) peers_.on_good(peer);
  peers_.on_failure(peer, now_);
  peers_.on_failure(peer, now_);
  EXPECT_TRUE(peers_.is_proven(peer));
  peers_.on_failure(peer, now_);
  EXPECT_FALSE(peers_.is_proven(peer));
  for (int i = 0; i < 100; ++i) peers_.on_good(peer);
  peers_.on_fault(peer, now_);
  EXPECT_FALSE(peers_.is_proven(peer));
}

TEST_F(SyncPeersTest, a_request_has_longer_the_more_a_peer_has_proved_or_failed) {
  const PeerId peer = add(1);
  EXPECT_EQ(patience(peer), Seconds(3));
  for (int i = 0; i < 3; ++i) peers_.on_good(peer);
  EXPECT_EQ(patience(peer), Seconds(12));
  for (int i = 0; i < 16; ++i) peers_.on_good(peer);
  EXPECT_EQ(patience(peer), Seconds(25));
  const PeerId slow = add(2);
  peers_.on_failure(slow, now_);
  EXPECT_EQ(patience(slow), Seconds(6));
  peers_.on_failure(slow, now_);
  EXPECT_EQ(patience(slow), Seconds(12));
  EXPECT_EQ(patience(peer_named(9)), Seconds(3)) << "of somebody who has gone";
}

TEST_F(SyncPeersTest, who_is_passed_over_is_not_asked_and_not_free_for_the_gap) {
  const PeerId first = add_proven(1);
  const PeerId second = add(2);
  passed_over_ = {first};
  EXPECT_EQ(choose(true), second) << "no proven peer can be asked for it";
  passed_over_ = {first, second};
  const auto choice = peers_.choose({asked_, passed_over_}, now_);
  EXPECT_FALSE(choice.peer);
  EXPECT_FALSE(choice.any_free);
  EXPECT_TRUE(choice.all_asked);
  passed_over_ = {first};
  asked_ = {second};
  EXPECT_TRUE(peers_.choose({asked_, passed_over_}, now_).all_asked);
  passed_over_.clear();
  EXPECT_EQ(choose(true), first) << "for another gap it is as good as it was";
}

TEST_F(SyncPeersTest, a_block_of_another_branch_pauses_nobody_takes_no_proof_and_gives_no_place) {
  const PeerId fresh = add(1);
  const PeerId answered = add(2);
  const PeerId proven = add_proven(3);
  peers_.on_answered(answered);
  for (int i = 0; i < 20; ++i) {
    peers_.on_other_branch(answered);
    peers_.on_other_branch(proven);
  }
  EXPECT_TRUE(peers_.is_proven(proven));
  EXPECT_EQ(choose(), proven);
  asked_ = {proven};
  EXPECT_EQ(choose(), fresh) << "the other one is no better than who was never asked";
  asked_ = {fresh, proven};
  EXPECT_EQ(choose(), answered);
}

// The most urgent gap tries strangers in vain, again and again; who serves the others must be able to prove it.
TEST_F(SyncPeersTest, gaps_behind_the_most_urgent_one_have_a_trial_and_a_rate_of_trials_for_themselves) {
  add_proven(1);
  for (std::uint8_t n = 2; n <= 60; ++n) add(n);
  const PeerId proven = peer_named(1);
  passed_over_ = {proven};
  const auto try_one = [&](bool urgent) {
    const auto choice = peers_.choose({asked_, passed_over_, false, nullptr, urgent}, now_);
    if (choice.peer) peers_.on_request(*choice.peer, now_, urgent);
    peers_.check();
    return choice.peer;
  };
  const auto first = try_one(true);
  ASSERT_TRUE(first);
  EXPECT_FALSE(try_one(true)) << "one trial, while little else is in flight";
  const auto second = try_one(false);
  ASSERT_TRUE(second);
  EXPECT_FALSE(try_one(false));
  EXPECT_EQ(peers_.trials(), 2u);
  peers_.on_idle(*second);
  int tried = 1;
  for (; const auto next = try_one(false); ++tried) peers_.on_idle(*next);
  EXPECT_EQ(tried, 11) << "nine of the common burst that were left, and two of their own";
  peers_.on_idle(*first);
  EXPECT_FALSE(try_one(true)) << "it waits for the rate";
  now_ += Millis(200);
  EXPECT_TRUE(try_one(true));
  EXPECT_TRUE(peers_.remove(*second));
  peers_.check();
}

TEST_F(SyncPeersTest, a_peer_that_identify_does_not_list_is_tried_alone) {
  const PeerId first = add(1, false);
  const PeerId second = add(2, false);
  ASSERT_EQ(choose(), first);
  peers_.on_request(first, now_);
  EXPECT_FALSE(choose());
  peers_.on_idle(first);
  asked_ = {first};
  EXPECT_EQ(choose(), second);
  peers_.on_request(second, now_);
  EXPECT_TRUE(peers_.remove(second));
  asked_ = {};
  EXPECT_EQ(choose(), first);
  peers_.on_served(first);
  EXPECT_TRUE(peers_.is_identified(first));
}

}  // namespace
}  // namespace opstack::sync
