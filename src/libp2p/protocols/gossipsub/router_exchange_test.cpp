// Peer exchange (gossipsub v1.1): whom a PRUNE of ours names, and whose PRUNE makes us dial.
#include <gmock/gmock.h>

#include "libp2p/protocols/gossipsub/router_test_support.hpp"

namespace libp2p::gossipsub::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint32_t kDirectPeer = 99;

Bytes record_of(const PeerId& peer) {
  Bytes record = to_bytes("record of ");
  append(record, peer.bytes());
  return record;
}

class GossipsubExchange : public testing::Test {
 protected:
  explicit GossipsubExchange(bool on = true) : bench(config(on)) {
    EXPECT_TRUE(bench.router.subscribe(kTopic, bench.now));
  }
  static Router::Config config(bool on) {
    Params params;
    params.mesh.peer_exchange = on;
    Router::Config config{params, id_of, {}};
    config.direct.insert(peer_id(kDirectPeer));
    config.signed_record = [](const PeerId& peer) { return peer == peer_id(2) ? Bytes() : record_of(peer); };
    return config;
  }
  // Dialled peers in the topic and in the mesh, so that all are taken.
  void fill(std::uint32_t first, std::uint32_t last, ProtocolVersion version = ProtocolVersion::v1_2) {
    for (std::uint32_t n = first; n <= last; ++n) {
      bench.add_subscriber(n, version, Direction::outbound);
      bench.send(n, graft_rpc(kTopic));
      bench.sent(n);
    }
  }
  // What the next PRUNE to the peer names; nothing when there is no PRUNE.
  std::optional<std::vector<NamedPeer>> named_to(std::uint32_t n) {
    std::optional<std::vector<NamedPeer>> named;
    for (const auto& frame : bench.sent(n).frames) {
      const Rpc rpc = decode_frame(frame, RpcLimits{}).value();
      if (!rpc.control) continue;
      for (const Prune& prune : rpc.control->prune) {
        named.emplace();
        for (const PeerInfo& info : prune.peers) {
          named->push_back(
              {PeerId::from_bytes(*info.peer_id).value(), to_bytes(info.signed_peer_record.value_or(ByteView()))});
        }
      }
    }
    return named;
  }
  static bool names(const std::vector<NamedPeer>& named, std::uint32_t n) {
    return std::any_of(named.begin(), named.end(), [&](const NamedPeer& entry) { return entry.peer == peer_id(n); });
  }
  // A PRUNE of peer `from` that names these.
  Rpc naming_rpc(std::initializer_list<std::uint32_t> peers) {
    Rpc rpc = prune_rpc(kTopic, 60);
    kept_.clear();
    for (const std::uint32_t n : peers) kept_.push_back({peer_id(n), record_of(peer_id(n))});
    for (const NamedPeer& entry : kept_)
      rpc.control->prune[0].peers.push_back({entry.peer.bytes(), ByteView(entry.record)});
    return rpc;
  }

  Bench bench;
  std::vector<NamedPeer> kept_;
};

TEST_F(GossipsubExchange, names_other_peers_of_the_topic_with_their_records_when_the_mesh_is_cut) {
  fill(1, 13);
  bench.heartbeat();
  std::size_t pruned = 0;
  for (std::uint32_t n = 1; n <= 13; ++n) {
    const auto named = named_to(n);
    if (!named) continue;
    ++pruned;
    EXPECT_THAT(*named, SizeIs(12)) << "all but itself";
    EXPECT_FALSE(names(*named, n));
    for (const NamedPeer& entry : *named)
      EXPECT_EQ(entry.record, entry.peer == peer_id(2) ? Bytes() : record_of(entry.peer));
  }
  EXPECT_EQ(pruned, 5U);
  EXPECT_EQ(bench.router.counters().peers_named, 5U * 12U);
}

TEST_F(GossipsubExchange, names_sixteen_at_most_and_not_always_the_same) {
  for (std::uint32_t n = 20; n < 60; ++n) bench.add_subscriber(n);
  fill(1, 13);
  bench.heartbeat();
  std::set<std::set<PeerId>> choices;
  for (std::uint32_t n = 1; n <= 13; ++n) {
    const auto named = named_to(n);
    if (!named) continue;
    EXPECT_THAT(*named, SizeIs(16));
    std::set<PeerId> ids;
    for (const NamedPeer& entry : *named) ids.insert(entry.peer);
    EXPECT_THAT(ids, SizeIs(16));
    choices.insert(std::move(ids));
  }
  EXPECT_GT(choices.size(), 1U);
}

TEST_F(GossipsubExchange, names_peers_when_it_leaves_a_topic_and_when_a_full_mesh_refuses_a_graft) {
  fill(1, 12);
  bench.add_subscriber(13);
  bench.send(13, graft_rpc(kTopic));
  EXPECT_THAT(named_to(13).value(), SizeIs(12));
  bench.router.unsubscribe(kTopic, bench.now);
  EXPECT_THAT(named_to(1).value(), SizeIs(12));
}

TEST_F(GossipsubExchange, names_nobody_of_negative_score_nor_direct_peers_nor_those_without_control) {
  fill(1, 12);
  bench.add_subscriber(kDirectPeer);
  bench.add_subscriber(14, ProtocolVersion::floodsub);
  bench.add(15);  // not in the topic
  bench.scores.values[peer_id(3)] = -0.1;
  bench.router.unsubscribe(kTopic, bench.now);
  const auto named = named_to(1).value();
  EXPECT_THAT(named, SizeIs(10));
  for (const std::uint32_t n : {3U, 14U, 15U, kDirectPeer}) EXPECT_FALSE(names(named, n)) << n;
}

TEST_F(GossipsubExchange, names_nobody_to_who_has_a_negative_score_or_is_in_backoff_or_is_direct) {
  fill(1, 8);
  bench.add_subscriber(kDirectPeer);
  bench.send(kDirectPeer, graft_rpc(kTopic));
  EXPECT_THAT(named_to(kDirectPeer).value(), IsEmpty());
  bench.scores.values[peer_id(1)] = -0.1;
  bench.heartbeat();
  EXPECT_THAT(named_to(1).value(), IsEmpty());
  bench.send(1, graft_rpc(kTopic));
  EXPECT_THAT(named_to(1).value(), IsEmpty()) << "in backoff";
  bench.add_subscriber(9);
  bench.scores.values[peer_id(9)] = -0.1;
  bench.send(9, graft_rpc(kTopic));
  EXPECT_THAT(named_to(9).value(), IsEmpty());
}

TEST_F(GossipsubExchange, names_nobody_to_a_peer_of_negative_score_when_it_leaves_a_topic) {
  fill(1, 8);
  bench.scores.values[peer_id(1)] = -0.1;  // since the last heartbeat
  bench.router.unsubscribe(kTopic, bench.now);
  EXPECT_THAT(named_to(1).value(), IsEmpty());
  EXPECT_THAT(named_to(2).value(), SizeIs(6));
}

TEST_F(GossipsubExchange, names_nobody_to_a_peer_of_v1_0_which_could_not_read_it) {
  fill(1, 8, ProtocolVersion::v1_0);
  bench.router.unsubscribe(kTopic, bench.now);
  EXPECT_THAT(named_to(1).value(), IsEmpty());
}

TEST_F(GossipsubExchange, leaves_out_records_that_are_too_long) {
  Router::Config long_records = config(true);
  long_records.signed_record = [](const PeerId& peer) { return Bytes(peer == peer_id(2) ? 1024 : 1025, 1); };
  Bench other(std::move(long_records));
  ASSERT_TRUE(other.router.subscribe(kTopic, other.now));
  for (std::uint32_t n = 1; n <= 3; ++n) other.add_subscriber(n);
  other.heartbeat();
  other.sent(1);
  other.router.unsubscribe(kTopic, other.now);
  const Rpc rpc = decode_frame(other.sent(1).frames.at(0), RpcLimits{}).value();
  ASSERT_THAT(rpc.control->prune.at(0).peers, SizeIs(2));
  for (const PeerInfo& info : rpc.control->prune[0].peers)
    EXPECT_EQ(info.signed_peer_record.has_value(), equal(*info.peer_id, peer_id(2).bytes()));
}

class GossipsubExchangeOff : public GossipsubExchange {
 protected:
  GossipsubExchangeOff() : GossipsubExchange(false) {}
};

TEST_F(GossipsubExchangeOff, names_nobody) {
  EXPECT_FALSE(Params().mesh.peer_exchange) << "as op-node";
  fill(1, 13);
  bench.heartbeat();
  bench.router.unsubscribe(kTopic, bench.now);
  for (std::uint32_t n = 1; n <= 13; ++n) EXPECT_THAT(named_to(n).value(), IsEmpty());
  EXPECT_EQ(bench.router.counters().peers_named, 0U);
}

TEST_F(GossipsubExchange, asks_for_dials_to_the_peers_that_somebody_of_high_standing_names) {
  fill(1, 2);
  bench.scores.values[peer_id(1)] = 20;
  bench.send(1, naming_rpc({7, 2, 8}));
  const auto dials = bench.take<Connect>();
  ASSERT_THAT(dials, SizeIs(2)) << "2 is there already";
  EXPECT_EQ(dials[0].peer, peer_id(7));
  EXPECT_EQ(dials[0].named_by, peer_id(1));
  EXPECT_EQ(dials[0].record, record_of(peer_id(7)));
  EXPECT_EQ(dials[1].peer, peer_id(8));
  EXPECT_EQ(bench.router.counters().peers_taken, 2U);
}

TEST_F(GossipsubExchange, takes_nobody_from_a_peer_below_the_threshold_nor_for_a_topic_that_it_is_not_in) {
  fill(1, 2);
  bench.scores.values[peer_id(1)] = 19.9;
  bench.send(1, naming_rpc({7, 8}));
  EXPECT_THAT(bench.take<Connect>(), IsEmpty());
  EXPECT_EQ(bench.router.counters().peers_not_taken, 2U);
  bench.scores.values[peer_id(1)] = 20;
  bench.router.unsubscribe(kTopic, bench.now);
  bench.send(1, naming_rpc({7, 8}));
  EXPECT_THAT(bench.take<Connect>(), IsEmpty());
}

TEST_F(GossipsubExchange, takes_sixteen_of_a_prune_and_64_in_a_heartbeat) {
  fill(1, 1);
  bench.scores.values[peer_id(1)] = 20;
  Rpc many = naming_rpc({100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117});
  std::set<PeerId> taken;
  for (int i = 0; i < 4; ++i) {
    bench.send(1, many);
    const auto dials = bench.take<Connect>();
    EXPECT_THAT(dials, SizeIs(16));
    for (const auto& dial : dials) taken.insert(dial.peer);
  }
  EXPECT_GT(taken.size(), 16U) << "not always the first";
  bench.send(1, many);
  EXPECT_THAT(bench.take<Connect>(), IsEmpty());
  bench.heartbeat();
  bench.send(1, many);
  EXPECT_EQ(bench.router.counters().peers_taken, 5U * 16U);
}

TEST_F(GossipsubExchange, passes_over_what_is_no_peer_id_and_takes_one_without_a_record) {
  fill(1, 1);
  bench.scores.values[peer_id(1)] = 20;
  Rpc rpc = naming_rpc({7});
  rpc.control->prune[0].peers[0].signed_peer_record.reset();
  const Bytes junk = to_bytes("junk");
  rpc.control->prune[0].peers.push_back({ByteView(junk), {}});
  rpc.control->prune[0].peers.push_back({});
  bench.send(1, rpc);
  const auto dials = bench.take<Connect>();
  ASSERT_THAT(dials, SizeIs(1));
  EXPECT_THAT(dials[0].record, IsEmpty());
}

}  // namespace
}  // namespace libp2p::gossipsub::test
