// The score function behind the service: it hears of time, of addresses and of what messages are worth, and its
// thresholds close the gossip of real hosts.
#include <gmock/gmock.h>

#include <map>

#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "libp2p/services/gossipsub/gossipsub_peers_test.hpp"

namespace libp2p {
namespace {

using gossipsub::PeerScoreParams;
using gossipsub::PeerScorer;
using gossipsub::TraceKind;
using testing::ElementsAre;
using testing::IsEmpty;

// As op-node's profile `light` in its form: no topics; the application, addresses and behaviour count.
PeerScoreParams light_params() {
  PeerScoreParams params;
  params.app_specific_weight = 1;
  params.ip_colocation_factor_weight = -1;
  params.ip_colocation_factor_threshold = 10;
  params.behaviour_penalty_weight = -1;
  params.behaviour_penalty_decay = 0.5;
  params.decay_interval = Seconds(1);
  params.retain_score = Seconds(600);
  return params;
}

// Own messages go to every peer whose score allows it, whatever is in the mesh.
GossipsubConfig flooding_config() {
  GossipsubConfig config = gossip_config();
  config.router.params.mesh.flood_publish = true;
  return config;
}

// Node 0 judges, nodes 1 and 2 are judged; all are connected with it.
class ScoredService : public testing::Test {
 protected:
  ScoredService() : scorer_(light_params(), 1, net_.add().runtime().now()) {
    gossipers_.push_back(std::make_unique<Gossiper>(net_.host(0), flooding_config(), &scorer_));
    for (std::size_t i = 1; i < 3; ++i) {
      net_.add();
      gossipers_.push_back(std::make_unique<Gossiper>(net_.host(i), flooding_config()));
    }
    for (auto& gossiper : gossipers_) gossiper->join();
    for (std::size_t i = 1; i < 3; ++i) EXPECT_TRUE(net_.connect(i, 0));
    net_.run_for(Seconds(2));
  }
  ~ScoredService() override { scorer_.check(); }

  Gossiper& at(std::size_t i) { return *gossipers_.at(i); }
  PeerId peer(std::size_t i) { return net_.host(i).id(); }
  void publish(std::size_t from, std::string_view text) {
    ASSERT_TRUE(at(from).publish(text).has_value());
    net_.run_for(Millis(100));
  }

  SimHosts net_{41};
  PeerScorer scorer_;
  std::vector<std::unique_ptr<Gossiper>> gossipers_;
};

TEST_F(ScoredService, a_score_below_graylist_closes_gossip_in_both_directions_and_the_trace_says_why) {
  publish(0, "to all");
  publish(1, "from 1");
  EXPECT_THAT(at(1).heard, ElementsAre("to all"));
  EXPECT_THAT(at(0).heard, ElementsAre("from 1"));

  scorer_.set_application_score(peer(1), -41);
  publish(1, "not heard");
  EXPECT_THAT(at(0).heard, ElementsAre("from 1"));
  EXPECT_GE(at(0).count(TraceKind::graylisted, peer(1), -41), 1u);
  net_.run_for(Millis(600));  // a heartbeat
  EXPECT_EQ(at(0).count(TraceKind::prune, peer(1), -41), 1u);
  EXPECT_THAT(at(0).service->router().mesh(kTopic), ElementsAre(peer(2)));
  publish(0, "kept from 1");
  publish(2, "forwarded, but not to 1");
  publish(1, "not heard either");
  net_.run_for(Seconds(5));  // no gossip brings it later
  EXPECT_THAT(at(0).heard, ElementsAre("from 1", "forwarded, but not to 1"));
  EXPECT_THAT(at(1).heard, ElementsAre("to all"));
  EXPECT_THAT(at(2).heard, ElementsAre("to all", "from 1", "kept from 1"));
  EXPECT_TRUE(net_.host(0).connected(peer(1))) << "the connection is not gossip's to close";

  scorer_.set_application_score(peer(1), 0);
  net_.run_for(Seconds(70));  // the backoff
  publish(0, "to all again");
  publish(1, "from 1 again");
  EXPECT_EQ(at(1).count("to all again"), 1u);
  EXPECT_EQ(at(0).count("from 1 again"), 1u);
  EXPECT_EQ(at(0).count(TraceKind::prune, peer(2), 0), 0u);
}

TEST_F(ScoredService, penalties_decay_by_the_services_timer) {
  scorer_.on_penalty(peer(1), 4, net_.host(0).runtime().now());
  EXPECT_EQ(scorer_.score(peer(1)), -16);
  net_.run_for(Seconds(1));
  EXPECT_EQ(scorer_.score(peer(1)), -4);
  net_.run_for(Seconds(10));
  EXPECT_EQ(scorer_.score(peer(1)), 0);
}

TEST_F(ScoredService, counts_peers_where_their_connections_come_from_until_they_are_forgotten) {
  EXPECT_EQ(scorer_.sizes().addresses, 2u);
  net_.disconnect(0, 1);
  net_.run_for(Seconds(1));
  EXPECT_EQ(scorer_.sizes().retained, 1u);
  EXPECT_EQ(scorer_.sizes().addresses, 2u);
  net_.run_for(Seconds(610));
  EXPECT_EQ(scorer_.sizes().addresses, 1u);
}

// What a score function is told of addresses.
class HeardAddresses final : public gossipsub::PeerScores {
 public:
  double score(const PeerId&) const override { return 0; }
  void on_peer_added(const PeerId& peer, Now) override { told[peer].clear(); }
  void on_addresses(const PeerId& peer, std::span<const gossipsub::PeerAddress> addresses, Now) override {
    EXPECT_TRUE(told.contains(peer)) << "only of a peer that was added";
    told[peer].push_back(addresses.size());
  }
  std::map<PeerId, std::vector<std::size_t>> told;  // since the peer was added, and how many
};

TEST(GossipsubServiceAddresses, are_told_when_a_peer_is_added_and_whenever_its_connections_change) {
  SimHosts net(42);
  HeardAddresses scores;
  net.add();
  net.add();
  Gossiper gossiper(net.host(0), gossip_config(), &scores);
  Gossiper other(net.host(1));
  const PeerId peer = net.host(1).id();
  ASSERT_TRUE(net.connect(0, 1));
  net.run_for(Seconds(1));
  ASSERT_FALSE(scores.told[peer].empty());
  EXPECT_EQ(scores.told[peer].back(), 1u);
  // Who does not know whom it dials makes another connection.
  const auto again = net.run(1, net.host(1).connect(net.address(0).without_peer_id()));
  ASSERT_TRUE(again && again->has_value());
  net.run_for(Seconds(1));
  ASSERT_EQ(net.host(0).connections(peer).size(), 2u);
  EXPECT_EQ(scores.told[peer].back(), 2u);
  net.disconnect(0, 1);
  net.run_for(Seconds(1));
  EXPECT_NE(scores.told[peer].back(), 0u) << "who has no connection is about to go";
}

TEST(GossipsubServiceThrottle, a_validator_without_room_costs_the_sender_nothing) {
  SimHosts net(43);
  net.add();
  net.add();
  Gossiper sender(net.host(0));
  Gossiper judge(net.host(1));
  sender.join();
  judge.join([](const gossipsub::Validate&, const GossipsubService::Done& done) { done(ValidationResult::throttled); });
  ASSERT_TRUE(net.connect(0, 1));
  net.run_for(Seconds(1));
  ASSERT_TRUE(sender.publish("no room").has_value());
  net.run_for(Seconds(1));
  EXPECT_THAT(judge.heard, IsEmpty());
  EXPECT_EQ(judge.service->router().counters().throttled, 1u);
  EXPECT_EQ(judge.service->router().counters().ignored, 0u);
  EXPECT_EQ(judge.service->router().sizes().refusers, 0u);
}

}  // namespace
}  // namespace libp2p
