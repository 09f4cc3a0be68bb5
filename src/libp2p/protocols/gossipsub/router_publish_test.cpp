// Own messages: mesh, fanout, floodsub peers, flood publishing, and what was seen before.
#include <gmock/gmock.h>

#include "libp2p/protocols/gossipsub/router_test_support.hpp"

namespace libp2p::gossipsub::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(GossipsubPublish, publishes_to_the_mesh_and_never_to_itself) {
  auto bench = joined(3);
  const auto publication = bench->router.publish(kTopic, as_bytes("mine"), LocalCheck::already_valid, bench->now);
  ASSERT_TRUE(publication);
  EXPECT_TRUE(publication->sent);
  EXPECT_EQ(publication->id, id_of(kTopic, as_bytes("mine")));
  for (const std::uint32_t n : {1U, 2U, 3U}) {
    EXPECT_THAT(bench->sent(n).messages, ElementsAre(std::pair(kTopic, to_bytes("mine"))));
  }
  bench->send_message(2, "mine");
  EXPECT_THAT(bench->take<Deliver>(), IsEmpty());
  EXPECT_THAT(bench->take<Validate>(), IsEmpty());
}

TEST(GossipsubPublish, publishing_what_was_delivered_before_does_nothing_and_is_no_error) {
  auto bench = joined(2);
  bench->send_message(1, "block");
  bench->answer_all(ValidationResult::accept);
  bench->sent(2);
  const auto again = bench->router.publish(kTopic, as_bytes("block"), LocalCheck::already_valid, bench->now);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->sent);
  EXPECT_THAT(bench->sent(2).messages, IsEmpty());
}

TEST(GossipsubPublish, publishing_what_was_ignored_before_is_taken_up_again) {
  auto bench = joined(2);
  bench->send_message(1, "block");
  bench->answer_all(ValidationResult::ignore);
  const auto again = bench->router.publish(kTopic, as_bytes("block"), LocalCheck::validate, bench->now);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->sent);
  const auto requests = bench->take<Validate>();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_TRUE(requests[0].local);
  EXPECT_EQ(requests[0].request, again->request);
  bench->router.on_validation(requests[0].request, ValidationResult::accept, bench->now);
  const auto published = bench->take<Published>();
  ASSERT_EQ(published.size(), 1U);
  EXPECT_EQ(published[0].request, again->request);
  EXPECT_EQ(published[0].verdict, ValidationResult::accept);
  EXPECT_THAT(bench->take<Deliver>(), IsEmpty());
  EXPECT_EQ(bench->sent(1).messages.size(), 1U);
}

TEST(GossipsubPublish, tells_the_scores_of_own_messages_without_a_peer) {
  auto bench = joined(1);
  ASSERT_TRUE(bench->router.publish(kTopic, as_bytes("a"), LocalCheck::already_valid, bench->now));
  EXPECT_EQ(bench->scores.delivered[PeerId()], 1U);
  ASSERT_TRUE(bench->router.publish(kTopic, as_bytes("b"), LocalCheck::validate, bench->now));
  bench->answer_all(ValidationResult::accept);
  EXPECT_EQ(bench->scores.delivered[PeerId()], 2U);
  ASSERT_TRUE(bench->router.publish(kTopic, as_bytes("c"), LocalCheck::validate, bench->now));
  bench->answer_all(ValidationResult::reject);
  EXPECT_THAT(bench->scores.rejected, ElementsAre(std::pair(PeerId(), RejectCause::invalid)));
}

TEST(GossipsubPublish, tells_the_publisher_when_its_message_is_rejected) {
  auto bench = joined(2);
  ASSERT_TRUE(bench->router.publish(kTopic, as_bytes("bad"), LocalCheck::validate, bench->now));
  bench->answer_all(ValidationResult::reject);
  EXPECT_EQ(bench->take<Published>().at(0).verdict, ValidationResult::reject);
  EXPECT_THAT(bench->faults(), IsEmpty());
  EXPECT_THAT(bench->sent(1).messages, IsEmpty());
}

TEST(GossipsubPublish, refuses_to_publish_what_no_peer_would_read) {
  Params params;
  params.rpc.max_rpc = 1000;
  auto bench = joined(1, params);
  const auto result = bench->router.publish(kTopic, Bytes(1000), LocalCheck::already_valid, bench->now);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Errc::too_large);
  std::size_t most = 900;
  while (message_frame_size(kTopic, most) < 1000) ++most;
  ASSERT_EQ(message_frame_size(kTopic, most), 1000U);
  EXPECT_TRUE(bench->router.publish(kTopic, Bytes(most), LocalCheck::already_valid, bench->now));
  EXPECT_FALSE(bench->router.publish(kTopic, Bytes(most + 1), LocalCheck::already_valid, bench->now));
}

TEST(GossipsubPublish, keeps_a_fanout_for_topics_it_publishes_to_without_joining_and_lets_it_lapse) {
  Bench bench;
  for (std::uint32_t n = 1; n <= 10; ++n) bench.add_subscriber(n);
  ASSERT_TRUE(bench.router.publish(kTopic, as_bytes("a"), LocalCheck::already_valid, bench.now));
  const auto fanout = bench.router.fanout(kTopic);
  EXPECT_EQ(fanout.size(), 8U);
  ASSERT_TRUE(bench.router.publish(kTopic, as_bytes("b"), LocalCheck::already_valid, bench.now));
  EXPECT_EQ(bench.router.fanout(kTopic), fanout);
  std::size_t got_both = 0;
  for (std::uint32_t n = 1; n <= 10; ++n) got_both += bench.sent(n).messages.size() == 2 ? 1U : 0U;
  EXPECT_EQ(got_both, 8U);
  bench.pass(Seconds(24));
  EXPECT_EQ(bench.router.fanout(kTopic).size(), 8U);
  bench.pass(Seconds(1));
  EXPECT_THAT(bench.router.fanout(kTopic), IsEmpty());
}

TEST(GossipsubPublish, makes_the_fanout_its_mesh_when_it_joins) {
  Bench bench;
  for (std::uint32_t n = 1; n <= 20; ++n) bench.add_subscriber(n);
  ASSERT_TRUE(bench.router.publish(kTopic, as_bytes("a"), LocalCheck::already_valid, bench.now));
  const auto fanout = bench.router.fanout(kTopic);
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  EXPECT_EQ(bench.router.mesh(kTopic), fanout);
  EXPECT_THAT(bench.router.fanout(kTopic), IsEmpty());
}

// Its next stream may speak less than the one before.
TEST(GossipsubPublish, a_peer_that_now_speaks_floodsub_only_leaves_the_fanout_and_is_not_grafted) {
  Bench bench;
  for (std::uint32_t n = 1; n <= 3; ++n) bench.add_subscriber(n);
  ASSERT_TRUE(bench.router.publish(kTopic, as_bytes("a"), LocalCheck::already_valid, bench.now));
  EXPECT_EQ(bench.router.fanout(kTopic).size(), 3U);
  bench.router.set_version(peer_id(2), ProtocolVersion::floodsub, bench.now);
  EXPECT_EQ(bench.router.fanout(kTopic).size(), 2U);
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  EXPECT_EQ(bench.router.mesh(kTopic).size(), 2U);
}

TEST(GossipsubPublish, sends_to_floodsub_peers_whatever_the_mesh_holds) {
  auto bench = joined(2);
  bench->add_subscriber(9, ProtocolVersion::floodsub);
  bench->send_message(1, "block");
  bench->answer_all(ValidationResult::accept);
  EXPECT_EQ(bench->sent(9).messages.size(), 1U);
  bench->heartbeat();
  EXPECT_EQ(bench->router.mesh(kTopic).size(), 2U);
  bench->send(9, graft_rpc(kTopic));
  EXPECT_EQ(bench->router.mesh(kTopic).size(), 2U);
}

TEST(GossipsubPublish, floods_own_messages_to_all_peers_in_the_topic_when_told_so) {
  Params params;
  params.mesh.flood_publish = true;
  auto bench = joined(2, params);
  bench->add_subscriber(8);
  bench->add_subscriber(9);
  bench->scores.values[peer_id(9)] = -41;
  ASSERT_TRUE(bench->router.publish(kTopic, as_bytes("mine"), LocalCheck::already_valid, bench->now));
  EXPECT_EQ(bench->sent(2).messages.size(), 1U);
  EXPECT_EQ(bench->sent(8).messages.size(), 1U);
  EXPECT_THAT(bench->sent(9).messages, IsEmpty()) << "below the publish threshold";
  bench->send_message(1, "theirs");
  bench->answer_all(ValidationResult::accept);
  EXPECT_EQ(bench->sent(2).messages.size(), 1U);
  EXPECT_THAT(bench->sent(8).messages, IsEmpty()) << "other peers' messages keep to the mesh";
}

}  // namespace
}  // namespace libp2p::gossipsub::test
