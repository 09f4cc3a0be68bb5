// Peer exchange over hosts: who is pruned out of a full mesh finds the others by what the PRUNE says.
#include <gmock/gmock.h>

#include <set>

#include "libp2p/multiformats/peer_record.hpp"
#include "libp2p/services/gossipsub/gossipsub_peers_test.hpp"
#include "libp2p/services/identify/identify_service.hpp"
#include "libp2p/services/peer_records.hpp"

namespace libp2p {
namespace {

using testing::IsEmpty;

// Everybody's standing is what the test says.
class EqualStanding final : public gossipsub::PeerScores {
 public:
  explicit EqualStanding(double score) : score_(score) {}
  double score(const PeerId&) const override { return score_; }

 private:
  double score_;
};

GossipsubConfig exchanging_config() {
  GossipsubConfig config = gossip_config();
  auto& mesh = config.router.params.mesh;
  mesh.peer_exchange = true;
  mesh.degree = 2;
  mesh.low = 1;
  mesh.high = 3;
  mesh.outbound = 0;
  return config;
}

// Node 0 is a hub that the others have dialled; they know nobody else.
class ExchangeThroughHub : public testing::Test {
 protected:
  void start(double standing_of_hub) {
    standing_ = std::make_unique<EqualStanding>(standing_of_hub);
    for (std::size_t i = 0; i < 6; ++i) {
      Host& host = net_.add();
      identify_.push_back(std::make_unique<IdentifyService>(host));
      gossipers_.push_back(std::make_unique<Gossiper>(host, exchanging_config(), i == 0 ? nullptr : standing_.get()));
      gossipers_.back()->join();
    }
    for (std::size_t i = 1; i < 6; ++i) EXPECT_TRUE(net_.connect(i, 0));
    net_.run_for(Seconds(10));
  }
  // Connections between nodes of which none is the hub.
  std::size_t found() {
    std::size_t links = 0;
    for (std::size_t i = 1; i < 6; ++i) links += net_.host(i).connected_peers().size() - 1;
    return links / 2;
  }

  SimHosts net_{61};
  std::unique_ptr<EqualStanding> standing_;
  std::vector<std::unique_ptr<IdentifyService>> identify_;
  std::vector<std::unique_ptr<Gossiper>> gossipers_;
};

TEST_F(ExchangeThroughHub, lets_those_find_each_other_that_the_hub_has_no_room_for) {
  start(20);
  EXPECT_GT(found(), 2u);
  EXPECT_GT(gossipers_[0]->service->router().counters().peers_named, 0u);
  for (const auto& gossiper : gossipers_) EXPECT_EQ(gossiper->service->counters().records_refused, 0u);
  // Node 5 knows the records of whom it has met, the newest of each.
  for (const PeerId& peer : net_.host(5).connected_peers()) {
    const Bytes envelope = newest_peer_record(net_.host(5).peerstore(), peer);
    EXPECT_EQ(multiformats::PeerRecord::open(envelope).value().peer_id, peer);
  }
  ASSERT_TRUE(gossipers_[1]->publish("to all").has_value());
  net_.run_for(Seconds(3));
  for (std::size_t i = 2; i < 6; ++i) EXPECT_EQ(gossipers_[i]->count("to all"), 1u) << i;
}

TEST_F(ExchangeThroughHub, makes_nobody_dial_when_the_hub_is_not_trusted_enough) {
  start(19);
  EXPECT_GT(gossipers_[0]->service->router().counters().peers_named, 0u);
  EXPECT_EQ(found(), 0u);
}

// Node 0 takes what node 1 names, which speaks the protocol by hand. Nodes from 2 on are there to be named.
class ExchangeByHand : public testing::Test {
 protected:
  ExchangeByHand() {
    for (int i = 0; i < 4; ++i) net_.add();
    raw_ = std::make_unique<RawGossiper>(net_.host(1));
  }
  void start(GossipsubConfig config = gossip_config()) {
    gossiper_ = std::make_unique<Gossiper>(net_.host(0), std::move(config), &standing_);
    gossiper_->join();
    EXPECT_TRUE(net_.connect(1, 0));
    auto opened = net_.run(1, RawGossiper::open(net_.host(1), net_.host(0).id()));
    stream_.emplace(std::move(opened.value().value()));
    net_.run_for(Millis(50));
  }
  Bytes record_of(std::size_t node, std::uint64_t seq, const Multiaddr& address) {
    multiformats::PeerRecord record;
    record.peer_id = net_.host(node).id();
    record.seq = seq;
    record.addresses.push_back(address.without_peer_id());
    return record.seal(net_.host(node).identity()).value();
  }
  void name(const PeerId& peer, const Bytes& record) { name({{peer, record}}); }
  void name(const std::vector<std::pair<PeerId, Bytes>>& named) {
    gossipsub::Rpc rpc;
    auto& prune = rpc.control.emplace().prune.emplace_back();
    prune.topic = kTopic;
    for (const auto& [peer, record] : named) {
      auto& info = prune.peers.emplace_back();
      info.peer_id = peer.bytes();
      if (!record.empty()) info.signed_peer_record = ByteView(record);
    }
    const auto wrote = net_.run(1, RawGossiper::write(*stream_, *gossipsub::encode_frame(rpc)));
    EXPECT_TRUE(wrote && wrote->has_value());
    net_.run_for(Seconds(1));
    gossiper_->service->check();
  }
  const GossipsubCounters& counters() { return gossiper_->service->counters(); }
  PeerId peer(std::size_t i) { return net_.host(i).id(); }

  SimHosts net_{62};
  EqualStanding standing_{20};
  std::unique_ptr<RawGossiper> raw_;
  std::unique_ptr<Gossiper> gossiper_;
  std::optional<Stream> stream_;
};

TEST_F(ExchangeByHand, dials_by_a_record_that_the_named_peer_has_signed) {
  start();
  name(peer(2), record_of(2, 1, net_.address(2)));
  EXPECT_TRUE(net_.host(0).connected(peer(2)));
}

TEST_F(ExchangeByHand, dials_a_peer_once_however_often_it_is_named) {
  start();
  const auto nobody = Multiaddr::from_text("/ip4/10.99.0.1/tcp/9").value();
  const Bytes record = record_of(2, 1, nobody);
  name({{peer(2), record}, {peer(2), record}, {peer(2), record}});
  EXPECT_EQ(counters().dials, 1u);
}

TEST_F(ExchangeByHand, refuses_records_that_are_none_or_of_somebody_else_and_says_so) {
  start();
  name(peer(2), record_of(3, 1, net_.address(3)));
  Bytes broken = record_of(2, 1, net_.address(2));
  broken.back() ^= 1;
  name(peer(2), broken);
  EXPECT_EQ(counters().records_refused, 2u);
  EXPECT_EQ(counters().dials, 0u);
  EXPECT_THAT(newest_peer_record(net_.host(0).peerstore(), peer(3)), IsEmpty());
  ASSERT_EQ(gossiper_->troubles.size(), 2u);
  EXPECT_TRUE(gossiper_->troubles[0].starts_with("reading a peer record of peer exchange")) << gossiper_->troubles[0];
}

TEST_F(ExchangeByHand, takes_no_addresses_from_an_older_record) {
  start();
  const auto nobody = Multiaddr::from_text("/ip4/10.99.0.1/tcp/9").value();
  const Bytes newest = record_of(2, 7, nobody);
  EXPECT_TRUE(keep_peer_record(net_.host(0).peerstore(), multiformats::PeerRecord::open(newest).value(), newest));
  name(peer(2), record_of(2, 6, net_.address(2)));
  EXPECT_EQ(counters().dials, 0u) << "no address is known";
  EXPECT_EQ(newest_peer_record(net_.host(0).peerstore(), peer(2)), newest);
}

TEST_F(ExchangeByHand, dials_a_peer_without_a_record_when_its_address_is_known) {
  start();
  name(peer(2), {});
  EXPECT_EQ(counters().dials, 0u);
  net_.host(0).peerstore().add_address(peer(2), net_.address(2), Seconds(60), net_.world().now());
  name(peer(2), {});
  EXPECT_TRUE(net_.host(0).connected(peer(2)));
}

TEST_F(ExchangeByHand, holds_a_few_dials_at_a_time_and_counts_those_beyond) {
  GossipsubConfig config = gossip_config();
  config.max_dials = 1;
  config.max_waiting_dials = 2;
  start(config);
  std::vector<std::pair<PeerId, Bytes>> named;
  for (std::uint64_t i = 0; i < 5; ++i) {
    SeededRng rng(i);
    const auto key = crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng).value();
    multiformats::PeerRecord record;
    record.peer_id = PeerId::from_public_key(key.public_key());
    record.addresses.push_back(Multiaddr::from_text("/ip4/10.99.0." + std::to_string(i + 1) + "/tcp/9").value());
    named.emplace_back(record.peer_id, record.seal(key).value());
  }
  name(named);
  EXPECT_EQ(counters().dials_dropped, 2u) << "one is dialled, two wait";
  net_.run_for(Seconds(10));
  EXPECT_EQ(counters().dials, 3u);
}

}  // namespace
}  // namespace libp2p
