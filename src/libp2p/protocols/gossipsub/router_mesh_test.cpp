#include <gmock/gmock.h>

#include "libp2p/protocols/gossipsub/router_test_support.hpp"

namespace libp2p::gossipsub::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class GossipsubMesh : public testing::Test {
 protected:
  void SetUp() override { EXPECT_TRUE(bench.router.subscribe(kTopic, bench.now)); }
  void add(std::uint32_t first, std::uint32_t last, Direction direction = Direction::inbound) {
    for (std::uint32_t n = first; n <= last; ++n) bench.add_subscriber(n, ProtocolVersion::v1_2, direction);
  }
  void graft(std::uint32_t first, std::uint32_t last) {
    for (std::uint32_t n = first; n <= last; ++n) bench.send(n, graft_rpc(kTopic));
  }
  std::size_t mesh_size() const { return bench.router.mesh(kTopic).size(); }
  bool in_mesh(std::uint32_t n) const {
    const auto mesh = bench.router.mesh(kTopic);
    return std::find(mesh.begin(), mesh.end(), peer_id(n)) != mesh.end();
  }

  Bench bench;
};

TEST_F(GossipsubMesh, is_filled_up_to_d_at_the_next_heartbeat) {
  add(1, 20);
  EXPECT_EQ(mesh_size(), 0U);
  bench.heartbeat();
  EXPECT_EQ(mesh_size(), 8U);
  std::size_t grafts = 0;
  for (std::uint32_t n = 1; n <= 20; ++n) {
    const auto sent = bench.sent(n);
    EXPECT_EQ(!sent.grafts.empty(), in_mesh(n)) << n;
    grafts += sent.grafts.size();
  }
  EXPECT_EQ(grafts, 8U);
}

TEST_F(GossipsubMesh, is_filled_at_once_when_a_topic_is_joined_with_peers_there) {
  bench.router.unsubscribe(kTopic, bench.now);
  add(1, 20);
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  EXPECT_EQ(mesh_size(), 8U);
}

TEST_F(GossipsubMesh, is_left_alone_between_dlo_and_dhi) {
  add(1, 20, Direction::outbound);
  graft(1, 6);
  bench.heartbeat();
  EXPECT_EQ(mesh_size(), 6U);
  graft(7, 11);
  bench.heartbeat();
  EXPECT_EQ(mesh_size(), 11U);
}

TEST_F(GossipsubMesh, is_cut_down_to_d_at_dhi_and_those_cut_are_told_to_back_off) {
  add(1, 12, Direction::outbound);
  graft(1, 12);
  ASSERT_EQ(mesh_size(), 12U);
  bench.heartbeat();
  EXPECT_EQ(mesh_size(), 8U);
  for (std::uint32_t n = 1; n <= 12; ++n) {
    EXPECT_EQ(bench.sent(n).prunes.size(), in_mesh(n) ? 0U : 1U);
    EXPECT_EQ(bench.router.in_backoff(kTopic, peer_id(n), bench.now.mono), !in_mesh(n));
  }
}

TEST_F(GossipsubMesh, keeps_the_best_by_score_when_it_is_cut) {
  add(1, 12);
  for (const std::uint32_t n : {3U, 5U, 7U, 9U}) bench.scores.values[peer_id(n)] = 10;
  graft(1, 12);
  bench.heartbeat();
  for (const std::uint32_t n : {3U, 5U, 7U, 9U}) EXPECT_TRUE(in_mesh(n)) << n;
}

TEST_F(GossipsubMesh, keeps_two_peers_that_we_dialled_when_it_is_cut) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Bench many(Params{}, {}, seed);
    ASSERT_TRUE(many.router.subscribe(kTopic, many.now));
    for (std::uint32_t n = 1; n <= 14; ++n) {
      many.add_subscriber(n, ProtocolVersion::v1_2, n > 12 ? Direction::outbound : Direction::inbound);
      many.send(n, graft_rpc(kTopic));
    }
    ASSERT_EQ(many.router.mesh(kTopic).size(), 14U);
    many.heartbeat();
    const auto mesh = many.router.mesh(kTopic);
    EXPECT_EQ(mesh.size(), 8U);
    EXPECT_THAT(mesh, testing::IsSupersetOf({peer_id(13), peer_id(14)})) << seed;
  }
}

TEST_F(GossipsubMesh, takes_in_dialled_peers_until_there_are_two_of_them) {
  add(1, 8, Direction::inbound);
  graft(1, 8);
  add(9, 12, Direction::outbound);
  bench.heartbeat();
  EXPECT_EQ(mesh_size(), 10U);
  EXPECT_EQ(in_mesh(9) + in_mesh(10) + in_mesh(11) + in_mesh(12), 2);
}

TEST_F(GossipsubMesh, loses_peers_with_a_negative_score_and_takes_none_in) {
  add(1, 8, Direction::outbound);
  graft(1, 8);
  bench.scores.values[peer_id(3)] = -1;
  add(9, 9);
  bench.scores.values[peer_id(9)] = -1;
  bench.heartbeat();
  EXPECT_FALSE(in_mesh(3));
  EXPECT_FALSE(in_mesh(9));
  EXPECT_EQ(mesh_size(), 7U);
  EXPECT_TRUE(bench.router.in_backoff(kTopic, peer_id(3), bench.now.mono));
}

TEST_F(GossipsubMesh, says_why_a_peer_is_in_it_no_longer) {
  add(1, 14, Direction::outbound);
  graft(1, 14);
  bench.scores.values[peer_id(3)] = -1.5;
  bench.heartbeat();
  std::map<PruneCause, std::size_t> causes;
  const auto count = [&] {
    causes.clear();
    for (const auto& trace : bench.take<Trace>()) {
      if (trace.kind != TraceKind::prune) continue;
      ++causes[trace.prune];
      EXPECT_EQ(trace.score, trace.prune == PruneCause::score ? -1.5 : 0);
    }
    return causes;
  };
  using Causes = std::map<PruneCause, std::size_t>;
  EXPECT_EQ(count(), (Causes{{PruneCause::score, 1}, {PruneCause::excess, 5}}));
  const auto mesh = bench.router.mesh(kTopic);
  ASSERT_EQ(mesh.size(), 8U);
  bench.router.on_rpc(mesh[0], prune_rpc(kTopic), bench.now);
  bench.router.on_rpc(mesh[1], subscription_rpc(kTopic, false), bench.now);
  bench.router.remove_peer(mesh[2], bench.now);
  bench.router.set_version(mesh[3], ProtocolVersion::floodsub, bench.now);
  bench.router.unsubscribe(kTopic, bench.now);
  EXPECT_EQ(
      count(),
      (Causes{{PruneCause::peer, 1}, {PruneCause::peer_left, 2}, {PruneCause::version, 1}, {PruneCause::we_left, 4}}));
}

TEST_F(GossipsubMesh, takes_in_better_peers_once_a_minute_when_its_median_score_is_low) {
  add(1, 8, Direction::outbound);
  graft(1, 8);
  add(9, 12);
  for (std::uint32_t n = 9; n <= 12; ++n) bench.scores.values[peer_id(n)] = 1;
  // op-node's heartbeat is half a second: sixty of them are half a minute.
  for (int i = 0; i < 59; ++i) bench.heartbeat();
  EXPECT_EQ(mesh_size(), 8U);
  bench.heartbeat();
  EXPECT_EQ(mesh_size(), 10U);
}

TEST_F(GossipsubMesh, takes_in_proven_peers_once_a_minute_until_there_are_two_of_them) {
  for (const std::uint32_t inside : {0U, 1U, 2U}) {
    Bench one;
    ASSERT_TRUE(one.router.subscribe(kTopic, one.now));
    for (std::uint32_t n = 1; n <= 14; ++n) one.add_subscriber(n, ProtocolVersion::v1_2, Direction::outbound);
    for (std::uint32_t n = 1; n <= 8; ++n) one.send(n, graft_rpc(kTopic));
    const auto deliver = [&one](std::uint32_t n) {
      one.send_message(n, "block of " + std::to_string(n));
      one.answer_all(ValidationResult::accept);
    };
    for (std::uint32_t n = 1; n <= inside; ++n) deliver(n);
    for (std::uint32_t n = 9; n <= 14; ++n) deliver(n);
    for (int i = 0; i < 60; ++i) one.heartbeat();
    const auto mesh = one.router.mesh(kTopic);
    EXPECT_EQ(mesh.size(), 8 + (2 - inside)) << inside << " were in the mesh";
    EXPECT_EQ(std::count_if(mesh.begin(), mesh.end(),
                            [&one](const PeerId& peer) { return one.router.is_proven(peer, one.now.mono); }),
              2);
  }
}

TEST_F(GossipsubMesh, advertises_recent_messages_to_peers_outside_of_it) {
  add(1, 6, Direction::outbound);
  graft(1, 6);
  bench.heartbeat();
  add(7, 30);
  for (std::uint32_t n = 7; n <= 30; ++n) bench.sent(n);
  bench.send_message(1, "block");
  bench.answer_all(ValidationResult::accept);
  const auto id = id_of(kTopic, as_bytes("block"));
  std::size_t told = 0;
  bench.heartbeat();
  for (std::uint32_t n = 1; n <= 30; ++n) {
    const auto sent = bench.sent(n);
    if (sent.ihave.empty()) continue;
    ++told;
    EXPECT_THAT(sent.ihave, ElementsAre(id));
    EXPECT_FALSE(in_mesh(n));
  }
  EXPECT_EQ(told, 6U) << "Dlazy; a quarter of 24 is no more";
  bench.heartbeat();
  bench.heartbeat();
  for (std::uint32_t n = 1; n <= 30; ++n) bench.sent(n);
  bench.heartbeat();
  for (std::uint32_t n = 1; n <= 30; ++n) EXPECT_THAT(bench.sent(n).ihave, IsEmpty()) << "three heartbeats only";
}

TEST_F(GossipsubMesh, advertises_to_a_quarter_of_the_peers_when_that_is_more) {
  add(1, 6, Direction::outbound);
  graft(1, 6);
  bench.heartbeat();
  add(7, 46);
  bench.send_message(1, "block");
  bench.answer_all(ValidationResult::accept);
  bench.heartbeat();
  std::size_t told = 0;
  for (std::uint32_t n = 1; n <= 46; ++n) told += bench.sent(n).ihave.empty() ? 0U : 1U;
  EXPECT_EQ(told, 10U);
}

TEST_F(GossipsubMesh, advertises_nothing_to_peers_below_the_gossip_threshold_or_of_floodsub) {
  add(1, 6, Direction::outbound);
  graft(1, 6);
  add(7, 8);
  bench.add_subscriber(9, ProtocolVersion::floodsub);
  bench.scores.values[peer_id(7)] = -10.5;
  for (const std::uint32_t n : {7U, 8U, 9U}) bench.sent(n);
  bench.send_message(1, "block");
  bench.answer_all(ValidationResult::accept);
  bench.heartbeat();
  EXPECT_THAT(bench.sent(7).ihave, IsEmpty());
  EXPECT_EQ(bench.sent(8).ihave.size(), 1U);
  EXPECT_THAT(bench.sent(9).ihave, IsEmpty());
}

// A message right before a graft is neither forwarded to the new member nor gossiped to a member of the mesh.
TEST_F(GossipsubMesh, advertises_recent_messages_once_to_who_comes_into_it) {
  add(1, 2, Direction::outbound);
  graft(1, 1);
  bench.heartbeat();
  ASSERT_TRUE(in_mesh(2)) << "by our own graft";
  add(3, 3, Direction::outbound);
  for (std::uint32_t n = 1; n <= 3; ++n) bench.sent(n);
  bench.send_message(1, "block");
  bench.answer_all(ValidationResult::accept);
  const auto id = id_of(kTopic, as_bytes("block"));
  EXPECT_EQ(bench.sent(2).messages.size(), 1U);
  EXPECT_THAT(bench.sent(3).messages, IsEmpty()) << "it is not in the mesh yet";
  add(4, 4, Direction::outbound);
  graft(4, 4);
  bench.heartbeat();
  ASSERT_TRUE(in_mesh(3) && in_mesh(4));
  EXPECT_THAT(bench.sent(1).ihave, IsEmpty());
  EXPECT_THAT(bench.sent(2).ihave, IsEmpty());
  EXPECT_THAT(bench.sent(3).ihave, ElementsAre(id)) << "we grafted it";
  EXPECT_THAT(bench.sent(4).ihave, ElementsAre(id)) << "it grafted us";
  bench.heartbeat();
  for (std::uint32_t n = 1; n <= 4; ++n) EXPECT_THAT(bench.sent(n).ihave, IsEmpty()) << n;
}

TEST_F(GossipsubMesh, advertises_nothing_to_who_came_into_it_and_went) {
  add(1, 8, Direction::outbound);
  graft(1, 8);
  bench.heartbeat();
  bench.add_subscriber(9, ProtocolVersion::v1_2, Direction::outbound);
  bench.send_message(1, "block");
  bench.answer_all(ValidationResult::accept);
  bench.send(9, graft_rpc(kTopic));
  for (int i = 0; i < 3; ++i) {  // without a backoff, as a peer may that leaves the topic
    bench.send(9, subscription_rpc(kTopic, false));
    bench.send(9, subscription_rpc(kTopic));
    bench.send(9, graft_rpc(kTopic));
  }
  bench.send(9, subscription_rpc(kTopic, false));
  bench.sent(9);
  bench.heartbeat();
  EXPECT_THAT(bench.sent(9).ihave, IsEmpty());
  bench.router.check();
}

TEST_F(GossipsubMesh, does_not_advertise_what_was_not_accepted) {
  add(1, 1, Direction::outbound);
  graft(1, 1);
  bench.add_subscriber(2, ProtocolVersion::v1_2);
  bench.send(2, prune_rpc(kTopic, 60));
  bench.sent(2);
  bench.send_message(1, "bad");
  bench.answer_all(ValidationResult::reject);
  bench.send_message(1, "old");
  bench.answer_all(ValidationResult::ignore);
  bench.send_message(1, "pending");
  bench.heartbeat();
  EXPECT_THAT(bench.sent(2).ihave, IsEmpty());
}

}  // namespace
}  // namespace libp2p::gossipsub::test
