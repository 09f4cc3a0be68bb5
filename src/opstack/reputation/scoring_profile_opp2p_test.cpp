// The profile `opp2p`: its numbers, and what each is for, tried on the score function itself.
#include <gmock/gmock.h>

#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "opstack/reputation/scoring_profiles.hpp"

namespace opstack::reputation {
namespace {

namespace gs = libp2p::gossipsub;
using libp2p::Millis;
using libp2p::MonoTime;
using libp2p::Nanos;
using libp2p::Now;
using libp2p::PeerId;
using libp2p::Seconds;

const std::vector<std::string> kBlockTopics = {"/optimism/10/0/blocks", "/optimism/10/1/blocks",
                                               "/optimism/10/2/blocks", "/optimism/10/3/blocks"};
const std::string& kBusyTopic = kBlockTopics[3];  // the chain publishes here
constexpr Nanos kBlockTimes[] = {Millis(200), Seconds(1), Seconds(2), Seconds(4), Seconds(10)};

ScoringProfile opp2p_profile(Nanos block_time = Seconds(2)) {
  return make_scoring_profile("opp2p", {block_time, kBlockTopics}, ProfileUse::node).value();
}

// One node's view of peers that are told by number, under the profile.
class View {
 public:
  explicit View(Nanos block_time = Seconds(2))
      : profile(opp2p_profile(block_time)), scorer_(*profile.params, 7, now_) {}

  static PeerId peer(std::uint32_t number) {
    libp2p::Bytes multihash = {0x00, 0x04, 0, 0, 0, 0};
    libp2p::store_be32(multihash.data() + 2, number);
    return PeerId::from_bytes(multihash).value();
  }
  void add(std::uint32_t number) { scorer_.on_peer_added(peer(number), now_); }
  void remove(std::uint32_t number) { scorer_.on_peer_removed(peer(number), now_); }
  void place(std::uint32_t number, std::string_view address) {
    const std::vector<gs::PeerAddress> at{{libp2p::Multiaddr::from_text(address).value()}};
    scorer_.on_addresses(peer(number), at, now_);
  }
  void graft_everywhere(std::uint32_t number) {
    for (const auto& topic : kBlockTopics) scorer_.on_graft(peer(number), topic, now_);
  }
  void deliver(std::uint32_t number) { scorer_.on_delivered(peer(number), kBusyTopic, next_id(), now_); }
  void fault(std::uint32_t number) {
    scorer_.on_rejected(peer(number), kBusyTopic, next_id(), gs::RejectCause::invalid, now_);
  }
  void penalise(std::uint32_t number, unsigned count) { scorer_.on_penalty(peer(number), count, now_); }
  void pass(Nanos time) {
    const MonoTime end = now_.mono + time;
    while (*scorer_.next_deadline() <= end) {
      now_.mono = *scorer_.next_deadline();
      scorer_.on_timeout(now_);
    }
    now_.mono = end;
  }
  double score(std::uint32_t number) const { return scorer_.score(peer(number)); }
  // Everything that the positive parts can give.
  void earn_all(std::uint32_t number) {
    add(number);
    graft_everywhere(number);
    pass(Seconds(3600));
    for (int block = 0; block < 100; ++block) deliver(number);
  }

  const ScoringProfile profile;

 private:
  gs::MessageId next_id() {
    libp2p::Bytes id(20, 0);
    libp2p::store_le64(id.data(), ++messages_);
    return *gs::MessageId::from(id);
  }

  Now now_{MonoTime(Seconds(100)), libp2p::UnixTime(Seconds(1'700'000'000))};
  gs::PeerScorer scorer_;
  std::uint64_t messages_ = 0;
};

struct Opp2pRow {
  Nanos block_time;
  double first_message_deliveries_decay;  // 1% after 120 blocks
  Nanos blame_delay;                      // 15 blocks
};

TEST(ScoringProfileOpp2p, has_these_numbers_at_every_block_time_and_only_the_memory_of_deliveries_follows_it) {
  for (const Opp2pRow& row : {Opp2pRow{Millis(200), 0.8254041852680184, Seconds(30)},
                              {Seconds(1), 0.9623506263980885, Seconds(30)},
                              {Seconds(2), 0.9809947127268773, Seconds(30)},
                              {Seconds(4), 0.990451772034801, Seconds(60)},
                              {Seconds(10), 0.9961697125149411, Seconds(150)},
                              {Seconds(0), 0.9809947127268773, Seconds(30)}}) {
    const auto made = opp2p_profile(row.block_time);
    ASSERT_TRUE(made.params);
    const gs::PeerScoreParams& p = *made.params;
    EXPECT_EQ(p.decay_interval, Seconds(1));
    EXPECT_EQ(p.decay_to_zero, 0.01);
    EXPECT_EQ(p.retain_score, Seconds(3600));
    EXPECT_EQ(p.topic_score_cap, 2.4);
    EXPECT_EQ(p.app_specific_weight, 1);
    EXPECT_EQ(p.ip_colocation_factor_weight, -1);
    EXPECT_EQ(p.ip_colocation_factor_threshold, 20U);
    EXPECT_EQ(p.behaviour_penalty_weight, -16);
    EXPECT_EQ(p.behaviour_penalty_threshold, 6);
    EXPECT_NEAR(p.behaviour_penalty_decay, 0.9623506263980885, 1e-15);
    EXPECT_EQ(p.seen_msg_ttl, gs::Params().seen_ttl);
    ASSERT_EQ(p.topics.size(), 4U);
    for (const auto& topic : kBlockTopics) {
      const auto& t = p.topics.at(topic);
      EXPECT_EQ(t.topic_weight, 1);
      EXPECT_EQ(t.time_in_mesh_quantum, Seconds(1));
      EXPECT_EQ(t.time_in_mesh_cap, 3600);
      EXPECT_DOUBLE_EQ(t.time_in_mesh_weight, 0.1 / 3600);
      EXPECT_EQ(t.first_message_deliveries_weight, 0.1);
      EXPECT_EQ(t.first_message_deliveries_cap, 20);
      EXPECT_NEAR(t.first_message_deliveries_decay, row.first_message_deliveries_decay, 1e-15);
      EXPECT_EQ(t.mesh_message_deliveries_weight, 0) << "P3 is off: three of four topics are quiet";
      EXPECT_EQ(t.mesh_failure_penalty_weight, 0) << "and P3b is";
      EXPECT_EQ(t.invalid_message_deliveries_weight, -0.6);
      EXPECT_NEAR(t.invalid_message_deliveries_decay, 0.9987216039048303, 1e-15);
    }
    EXPECT_EQ(made.thresholds.gossip, -10);
    EXPECT_EQ(made.thresholds.publish, -40);
    EXPECT_EQ(made.thresholds.graylist, -40);
    EXPECT_EQ(made.thresholds.accept_px, 20);
    EXPECT_EQ(made.thresholds.opportunistic_graft, 0.5);
    EXPECT_TRUE(made.counts_blamed_only);
    EXPECT_EQ(made.blame_delay, row.blame_delay);
    EXPECT_TRUE(made.bans_on_live_score);
    EXPECT_TRUE(made.ban_ignores_ip_colocation);
    EXPECT_EQ(made.blamed_messages_to_ban, 8U);
    EXPECT_EQ(made.blame_window, Seconds(600));
  }
}

TEST(ScoringProfileOpp2p, is_the_only_one_with_rules_of_its_own_for_bans) {
  for (const auto name : scoring_profile_names(ProfileUse::simulation)) {
    if (name == "opp2p") continue;
    const auto made = make_scoring_profile(name, {Seconds(2), kBlockTopics}, ProfileUse::simulation).value();
    EXPECT_FALSE(made.counts_blamed_only) << name;
    EXPECT_FALSE(made.bans_on_live_score) << name;
    EXPECT_FALSE(made.ban_ignores_ip_colocation) << name;
    EXPECT_EQ(made.blamed_messages_to_ban, 0U) << name;
    EXPECT_EQ(made.messages_to_cost, 1U) << name;
    if (made.params) EXPECT_FALSE(made.params->ip_colocation_spares_older) << name;
  }
}

// Below the graylist the router reads nothing of a peer, and nobody would see the eighth fault.
TEST(ScoringProfileOpp2p, keeps_a_peer_of_eight_faults_above_the_graylist_and_one_of_nine_below_it) {
  View stranger;
  stranger.add(1);
  for (int fault = 0; fault < 8; ++fault) stranger.fault(1);
  EXPECT_GT(stranger.score(1), stranger.profile.thresholds.graylist) << "without anything that it has earned";

  View model;
  model.earn_all(1);
  for (int fault = 0; fault < 8; ++fault) model.fault(1);
  EXPECT_GT(model.score(1), model.profile.thresholds.graylist);
  model.fault(1);
  EXPECT_LT(model.score(1), model.profile.thresholds.graylist) << "whatever it has earned before";
}

TEST(ScoringProfileOpp2p, lets_nobody_earn_more_than_two_faults_cost) {
  View view;
  view.earn_all(1);
  EXPECT_DOUBLE_EQ(view.score(1), 2.4);
  view.fault(1);
  view.fault(1);
  EXPECT_NEAR(view.score(1), 0, 1e-9);
}

TEST(ScoringProfileOpp2p, graylists_in_time_who_stays_just_below_the_eighth_fault_in_ten_minutes) {
  for (const Nanos block_time : kBlockTimes) {
    View view(block_time);
    view.earn_all(1);
    for (int fault = 0; fault < 50; ++fault) {
      view.deliver(1);
      view.fault(1);
      view.pass(view.profile.blame_window / 7);
    }
    EXPECT_LT(view.score(1), view.profile.thresholds.graylist);
  }
}

TEST(ScoringProfileOpp2p, forgets_a_single_fault_within_the_hour_and_keeps_that_of_a_peer_that_left_for_as_long) {
  View view;
  view.add(1);
  view.fault(1);
  EXPECT_DOUBLE_EQ(view.score(1), -0.6);
  view.pass(Seconds(3602));
  EXPECT_EQ(view.score(1), 0);

  for (int fault = 0; fault < 5; ++fault) view.fault(1);
  const double before = view.score(1);
  view.remove(1);
  view.pass(Seconds(3000));
  view.add(1);
  EXPECT_EQ(view.score(1), before) << "a peer gains nothing by leaving";
}

TEST(ScoringProfileOpp2p, counts_faults_of_all_topics_for_less_than_the_same_in_one) {
  View view;
  view.add(1);
  for (int fault = 0; fault < 8; ++fault) view.fault(1);
  EXPECT_NEAR(view.score(1), -38.4, 1e-9) << "which is the most that eight cost";
}

// A topic without blocks costs nobody anything: those of past forks, and all of them while the sequencer is paused.
TEST(ScoringProfileOpp2p, costs_nothing_in_quiet_topics_and_while_the_sequencer_is_paused) {
  View view;
  view.earn_all(1);
  for (int minute = 0; minute < 24 * 60; ++minute) {
    view.pass(Seconds(60));
    EXPECT_GE(view.score(1), 0);
  }
  EXPECT_DOUBLE_EQ(view.score(1), 0.4) << "P1 is left";
}

// What a mesh of silent peers has, whatever its age, starts the search for better ones; one block brings a peer above.
TEST(ScoringProfileOpp2p, grafts_others_where_the_mesh_is_old_and_silent) {
  View view;
  view.add(1);
  view.graft_everywhere(1);
  view.pass(Seconds(7200));
  EXPECT_GT(view.score(1), 0.3);
  EXPECT_LT(view.score(1), view.profile.thresholds.opportunistic_graft);
  view.deliver(1);
  view.deliver(1);
  EXPECT_GT(view.score(1), view.profile.thresholds.opportunistic_graft);
}

TEST(ScoringProfileOpp2p, gives_a_peer_of_every_eighth_block_about_the_same_at_every_block_time) {
  for (const Nanos block_time : kBlockTimes) {
    View view(block_time);
    view.add(1);
    for (int block = 0; block < 1000; ++block) {
      if (block % 8 == 0) view.deliver(1);
      view.pass(block_time);
    }
    EXPECT_NEAR(view.score(1), 0.28, 0.06) << block_time.count();
  }
}

TEST(ScoringProfileOpp2p, takes_nothing_from_twenty_nodes_of_one_address_and_little_for_each_further_one) {
  View view;
  const std::vector<std::pair<std::uint32_t, double>> expected = {{20, 0},   {21, -1},  {22, -4}, {23, -9},
                                                                  {24, -16}, {26, -36}, {27, -49}};
  std::uint32_t there = 0;
  for (const auto& [nodes, score] : expected) {
    while (there < nodes) {
      ++there;
      view.add(there);
      view.place(there, "/ip4/198.51.100.7/tcp/" + std::to_string(9000 + there));
    }
    EXPECT_DOUBLE_EQ(view.score(1), score) << nodes;
  }
}

TEST(ScoringProfileOpp2p, bears_the_broken_promises_of_a_peer_that_lost_its_power) {
  View view;
  view.add(1);
  view.penalise(1, 6);
  EXPECT_EQ(view.score(1), 0) << "the threshold of P7 is op-node's";
  view.penalise(1, 2);
  EXPECT_LT(view.score(1), view.profile.thresholds.graylist);
  view.pass(Seconds(120));
  EXPECT_EQ(view.score(1), 0);
}

}  // namespace
}  // namespace opstack::reputation
