// Direct peers of the service: dialled at the start and again, protected, and beyond every score.
#include <gmock/gmock.h>

#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "libp2p/services/gossipsub/gossipsub_peers_test.hpp"

namespace libp2p {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

gossipsub::PeerScoreParams application_score_params() {
  gossipsub::PeerScoreParams params;
  params.app_specific_weight = 1;
  return params;
}

// Nodes 0 and 1 are direct peers of each other.
class DirectPeersOfService : public testing::Test {
 protected:
  DirectPeersOfService() {
    net_.add();
    net_.add();
    for (std::size_t i = 0; i < 2; ++i) {
      scorers_.push_back(std::make_unique<gossipsub::PeerScorer>(application_score_params(), 1, Now()));
      gossipers_.push_back(std::make_unique<Gossiper>(net_.host(i), config(i), scorers_.back().get()));
      gossipers_.back()->join();
    }
  }
  // Node 1 knows no address of node 0, so it is node 0 that dials.
  GossipsubConfig config(std::size_t i) {
    GossipsubConfig config = gossip_config();
    config.router.params.direct_connect_ticks = 10;
    GossipDirectPeer other{net_.host(1 - i).id(), {}};
    if (i == 0) other.addresses.push_back(net_.address(1));
    config.direct.push_back(other);
    return config;
  }
  Gossiper& at(std::size_t i) { return *gossipers_.at(i); }
  PeerId peer(std::size_t i) { return net_.host(i).id(); }

  SimHosts net_{51};
  std::vector<std::unique_ptr<gossipsub::PeerScorer>> scorers_;
  std::vector<std::unique_ptr<Gossiper>> gossipers_;
};

TEST_F(DirectPeersOfService, are_dialled_at_the_start_and_every_so_many_heartbeats_while_they_are_away) {
  net_.run_for(Seconds(1));
  EXPECT_TRUE(net_.host(0).connected(peer(1)));
  EXPECT_EQ(at(0).service->counters().dials, 1u);
  net_.disconnect(0, 1);
  net_.run_for(Seconds(1));
  EXPECT_FALSE(net_.host(0).connected(peer(1)));
  net_.run_for(Seconds(5));
  EXPECT_TRUE(net_.host(0).connected(peer(1)));
  EXPECT_EQ(at(0).service->counters().dials, 2u);
  net_.run_for(Seconds(60));
  EXPECT_EQ(at(0).service->counters().dials, 2u);
}

TEST_F(DirectPeersOfService, hear_each_other_without_a_mesh_and_whatever_their_score) {
  net_.run_for(Seconds(2));
  scorers_[0]->set_application_score(peer(1), -1000);
  scorers_[1]->set_application_score(peer(0), -1000);
  ASSERT_TRUE(at(0).publish("from 0").has_value());
  ASSERT_TRUE(at(1).publish("from 1").has_value());
  net_.run_for(Seconds(1));
  EXPECT_THAT(at(0).heard, ElementsAre("from 1"));
  EXPECT_THAT(at(1).heard, ElementsAre("from 0"));
  EXPECT_THAT(at(0).service->router().mesh(kTopic), IsEmpty());
}

TEST_F(DirectPeersOfService, are_protected_while_the_service_runs) {
  EXPECT_TRUE(net_.host(0).is_protected(peer(1)));
  EXPECT_TRUE(net_.run(0, at(0).service->close()));
  EXPECT_FALSE(net_.host(0).is_protected(peer(1)));
}

TEST(GossipsubServiceDials, of_direct_peers_all_wait_and_fail_one_after_another) {
  SimHosts net(52);
  net.add();
  GossipsubConfig config = gossip_config();
  config.max_dials = 2;
  config.max_waiting_dials = 0;  // of others
  for (std::size_t i = 0; i < 8; ++i) {
    SeededRng rng(i);
    const auto key = crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng).value();
    const auto nobody = Multiaddr::from_text("/ip4/10.9.9." + std::to_string(i + 1) + "/tcp/1").value();
    config.direct.push_back({PeerId::from_public_key(key.public_key()), {nobody}});
  }
  Gossiper gossiper(net.host(0), config);
  net.run_for(Seconds(10));
  EXPECT_EQ(gossiper.service->counters().dials, 8u);
  EXPECT_EQ(gossiper.service->counters().dials_dropped, 0u);
  ASSERT_EQ(gossiper.troubles.size(), 8u);
  EXPECT_TRUE(gossiper.troubles.front().starts_with("dialling a peer of gossip")) << gossiper.troubles.front();
}

TEST(GossipsubServiceDials, end_with_the_service) {
  SimHosts net(53);
  net.add();
  net.add();
  GossipsubConfig config = gossip_config();
  config.direct.push_back({net.host(1).id(), {net.address(1)}});
  {
    Gossiper gossiper(net.host(0), config);
    net.run_for(Millis(101));  // the dial has begun
  }
  Gossiper closed(net.host(0), config);
  net.run_for(Millis(101));
  EXPECT_TRUE(net.run(0, closed.service->close()));
  net.run_for(Seconds(1));
}

}  // namespace
}  // namespace libp2p
