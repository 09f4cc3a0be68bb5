// Explicit peering agreements (gossipsub v1.1): direct peers get everything and are outside of meshes and scores.
#include <gmock/gmock.h>

#include "libp2p/protocols/gossipsub/router_test_support.hpp"

namespace libp2p::gossipsub::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// A router in the topic. Peer 1 is direct, and away at first.
class GossipsubDirect : public testing::Test {
 protected:
  explicit GossipsubDirect(Params params = {}) : bench(Router::Config{params, id_of, {}, nullptr, {peer_id(1)}}) {
    EXPECT_TRUE(bench.router.subscribe(kTopic, bench.now));
  }
  void add_direct() {
    bench.add_subscriber(1);
    bench.sent(1);
    bench.drain();
    bench.actions.clear();
  }
  void receive(std::uint32_t from, std::string_view data) {
    bench.send_message(from, data);
    bench.answer_all(ValidationResult::accept);
  }

  Bench bench;
};

TEST_F(GossipsubDirect, gets_every_valid_message_and_stands_outside_of_the_mesh) {
  add_direct();
  for (std::uint32_t n = 2; n < 12; ++n) bench.add_subscriber(n);
  bench.heartbeat();
  EXPECT_THAT(bench.router.mesh(kTopic), SizeIs(8));
  EXPECT_THAT(bench.sent(1).grafts, IsEmpty());
  receive(2, "of a peer");
  ASSERT_TRUE(bench.router.publish(kTopic, as_bytes("our own"), LocalCheck::already_valid, bench.now));
  EXPECT_THAT(bench.sent(1).messages, SizeIs(2));
  receive(1, "of the direct peer");
  EXPECT_THAT(bench.sent(1).messages, IsEmpty()) << "not back to its source";
  bench.heartbeat();
  EXPECT_THAT(bench.sent(1).ihave, IsEmpty()) << "it has been sent all of it";
}

TEST_F(GossipsubDirect, gets_what_is_published_in_topics_that_we_have_not_joined_and_is_in_no_fanout) {
  add_direct();
  bench.router.unsubscribe(kTopic, bench.now);
  bench.sent(1);
  ASSERT_TRUE(bench.router.publish(kTopic, as_bytes("x"), LocalCheck::already_valid, bench.now));
  EXPECT_THAT(bench.sent(1).messages, SizeIs(1));
  EXPECT_THAT(bench.router.fanout(kTopic), IsEmpty());
}

TEST_F(GossipsubDirect, gets_nothing_of_topics_that_it_is_not_in) {
  bench.add(1);
  bench.sent(1);
  ASSERT_TRUE(bench.router.publish(kTopic, as_bytes("x"), LocalCheck::already_valid, bench.now));
  EXPECT_THAT(bench.sent(1).messages, IsEmpty());
}

TEST_F(GossipsubDirect, no_score_touches_it) {
  add_direct();
  bench.add_subscriber(2);
  bench.scores.values[peer_id(1)] = -1000;
  receive(1, "heard all the same");
  EXPECT_THAT(bench.take<Deliver>(), SizeIs(1));
  receive(2, "forwarded all the same");
  EXPECT_THAT(bench.sent(1).messages, SizeIs(1));
  bench.send(1, ihave_rpc(kTopic, {id_of(kTopic, as_bytes("asked for"))}));
  EXPECT_THAT(bench.sent(1).iwant, SizeIs(1));
  bench.send(1, iwant_rpc({id_of(kTopic, as_bytes("forwarded all the same"))}));
  EXPECT_THAT(bench.sent(1).messages, SizeIs(1));
  EXPECT_EQ(bench.router.counters().rpcs_graylisted, 0U);
}

class GossipsubDirectFlood : public GossipsubDirect {
 protected:
  static Params flooding() {
    Params params;
    params.mesh.flood_publish = true;
    return params;
  }
  GossipsubDirectFlood() : GossipsubDirect(flooding()) {}
};

TEST_F(GossipsubDirectFlood, gets_what_is_flooded_whatever_its_score) {
  add_direct();
  bench.scores.values[peer_id(1)] = -1000;
  ASSERT_TRUE(bench.router.publish(kTopic, as_bytes("x"), LocalCheck::already_valid, bench.now));
  EXPECT_THAT(bench.sent(1).messages, SizeIs(1));
}

TEST_F(GossipsubDirect, that_grafts_is_answered_with_a_prune_told_of_and_not_penalised) {
  add_direct();
  bench.send(1, graft_rpc(kTopic));
  EXPECT_THAT(bench.router.mesh(kTopic), IsEmpty());
  EXPECT_THAT(bench.sent(1).prunes, ElementsAre(std::pair(kTopic, std::optional<std::uint64_t>(60))));
  EXPECT_THAT(bench.faults(), ElementsAre(FaultKind::direct_graft));
  EXPECT_THAT(bench.scores.penalties, IsEmpty());
  bench.send(1, graft_rpc(kTopic));
  EXPECT_THAT(bench.faults(), ElementsAre(FaultKind::direct_graft)) << "and has no backoff to break";
}

TEST_F(GossipsubDirect, is_told_at_once_of_a_large_message_that_it_needs_not_send) {
  add_direct();
  bench.add_subscriber(2);
  bench.send_message(2, std::string(2000, 'x'));
  EXPECT_THAT(bench.sent(1).idontwant, SizeIs(1));
  bench.send_message(1, std::string(2000, 'y'));
  EXPECT_THAT(bench.sent(1).idontwant, IsEmpty());
}

TEST_F(GossipsubDirect, is_dialled_at_the_first_heartbeat_and_every_300_after_it_while_it_is_away) {
  const auto dialled_after = [&](int heartbeats) {
    for (int i = 0; i < heartbeats; ++i) bench.heartbeat();
    std::vector<PeerId> peers;
    for (const auto& connect : bench.take<Connect>()) peers.push_back(connect.peer);
    return peers;
  };
  EXPECT_THAT(dialled_after(1), ElementsAre(peer_id(1)));
  EXPECT_THAT(dialled_after(299), IsEmpty());
  EXPECT_THAT(dialled_after(1), ElementsAre(peer_id(1)));
  bench.add(1);
  EXPECT_THAT(dialled_after(300), IsEmpty());
  bench.router.remove_peer(peer_id(1), bench.now);
  EXPECT_THAT(dialled_after(299), IsEmpty());
  EXPECT_THAT(dialled_after(1), ElementsAre(peer_id(1)));
}

}  // namespace
}  // namespace libp2p::gossipsub::test
