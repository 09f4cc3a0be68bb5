// What a topic has of its own: the sizes of its mesh, and the bound of its messages.
#include <gmock/gmock.h>

#include "libp2p/protocols/gossipsub/router_test_support.hpp"

namespace libp2p::gossipsub::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kOther = "other";

TopicParams with_mesh(MeshSizes sizes) {
  TopicParams own;
  own.mesh = sizes;
  return own;
}
TopicParams with_bound(std::size_t max_message) {
  TopicParams own;
  own.max_message = max_message;
  return own;
}
std::string refusal(const TopicParams& own) {
  const auto valid = validate(own, RpcLimits());
  return valid ? "none" : valid.error().message();
}

void subscribe_peers(Bench& bench, std::uint32_t count) {
  for (std::uint32_t n = 1; n <= count; ++n) {
    bench.add_subscriber(n);
    bench.send(n, subscription_rpc(kOther));
  }
}

TEST(TopicParameters, each_rule_names_the_field_that_breaks_it) {
  EXPECT_EQ(refusal(TopicParams()), "none");
  EXPECT_EQ(refusal(with_mesh({.degree = 1, .low = 1, .high = 1, .outbound = 0})), "none");
  EXPECT_THAT(refusal(with_mesh({.degree = 0, .low = 0, .high = 1, .outbound = 0})), HasSubstr("mesh.degree is 0"));
  EXPECT_THAT(refusal(with_mesh({.degree = 6, .low = 7, .high = 12, .outbound = 2})),
              HasSubstr("mesh.low is 7; it must be at most mesh.degree, 6"));
  EXPECT_THAT(refusal(with_mesh({.degree = 6, .low = 4, .high = 5, .outbound = 2})),
              HasSubstr("mesh.high is 5; it must be at least mesh.degree, 6"));
  EXPECT_THAT(refusal(with_mesh({.degree = 6, .low = 2, .high = 12, .outbound = 2})),
              HasSubstr("mesh.outbound is 2; it must be below mesh.low, 2"));
  EXPECT_THAT(refusal(with_mesh({.degree = 6, .low = 5, .high = 12, .outbound = 4})),
              HasSubstr("mesh.outbound is 4; it must be at most half of mesh.degree, 3"));
  EXPECT_THAT(refusal(with_bound(0)), HasSubstr("max_message is 0"));
  EXPECT_THAT(refusal(with_bound(RpcLimits().max_rpc + 1)), HasSubstr("at most rpc.max_rpc, 10485760"));
}

TEST(TopicParameters, a_topic_with_sizes_of_its_own_has_a_mesh_of_these_and_others_do_not) {
  Params params;
  params.topics[kTopic] = with_mesh({.degree = 2, .low = 1, .high = 3, .outbound = 0});
  Bench bench(params);
  subscribe_peers(bench, 20);
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  ASSERT_TRUE(bench.router.subscribe(kOther, bench.now));
  EXPECT_THAT(bench.router.mesh(kTopic), SizeIs(2));
  EXPECT_THAT(bench.router.mesh(kOther), SizeIs(8));
}

TEST(TopicParameters, a_full_mesh_is_one_of_the_topics_own_size) {
  Params params;
  params.topics[kTopic] = with_mesh({.degree = 1, .low = 1, .high = 2, .outbound = 0});
  Bench bench(params);
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  for (std::uint32_t n = 1; n <= 3; ++n) {
    bench.add_subscriber(n);
    bench.sent(n);
    bench.send(n, graft_rpc(kTopic));
  }
  EXPECT_THAT(bench.router.mesh(kTopic), ElementsAre(peer_id(1), peer_id(2)));
  EXPECT_THAT(bench.sent(3).prunes, SizeIs(1));
  bench.heartbeat();
  EXPECT_THAT(bench.router.mesh(kTopic), SizeIs(1)) << "at Dhi it is pruned to D";
}

TEST(TopicParameters, a_mesh_follows_new_sizes_at_the_next_heartbeats) {
  Bench bench;
  subscribe_peers(bench, 20);
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  ASSERT_TRUE(bench.router.set_topic_params(kTopic, with_mesh({.degree = 3, .low = 2, .high = 4, .outbound = 0})));
  EXPECT_THAT(bench.router.mesh(kTopic), SizeIs(8));
  bench.heartbeat();
  EXPECT_THAT(bench.router.mesh(kTopic), SizeIs(3));
  ASSERT_TRUE(bench.router.set_topic_params(kTopic, with_mesh({.degree = 10, .low = 9, .high = 12, .outbound = 0})));
  bench.heartbeat();
  EXPECT_THAT(bench.router.mesh(kTopic), SizeIs(10));
}

TEST(TopicParameters, a_fanout_has_the_degree_of_its_topic) {
  Bench bench;
  subscribe_peers(bench, 20);
  ASSERT_TRUE(bench.router.publish(kTopic, as_bytes("a"), LocalCheck::already_valid, bench.now));
  EXPECT_THAT(bench.router.fanout(kTopic), SizeIs(8));
  ASSERT_TRUE(bench.router.set_topic_params(kTopic, with_mesh({.degree = 3, .low = 2, .high = 4, .outbound = 0})));
  EXPECT_THAT(bench.router.fanout(kTopic), SizeIs(3));
  bench.heartbeat();
  bench.drain();
  EXPECT_THAT(bench.router.fanout(kTopic), SizeIs(3));
}

TEST(TopicParameters, a_larger_message_than_the_topic_allows_is_held_against_its_sender) {
  Params params;
  const std::string fits(50, 'f');
  params.topics[kTopic] = with_bound(message_frame_size(kTopic, fits.size()));
  Bench bench(params);
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  bench.add_subscriber(1);
  bench.send_message(1, fits);
  EXPECT_THAT(bench.take<Validate>(), SizeIs(1));
  bench.send_message(1, fits + "x");
  EXPECT_THAT(bench.take<Validate>(), IsEmpty());
  EXPECT_THAT(bench.faults(), ElementsAre(FaultKind::too_large_message));
  EXPECT_THAT(bench.scores.rejected, ElementsAre(std::pair(peer_id(1), RejectCause::too_large)));
  EXPECT_EQ(bench.router.counters().too_large, 1U);
  const auto own = bench.router.publish(kTopic, as_bytes(fits + "x"), LocalCheck::already_valid, bench.now);
  ASSERT_FALSE(own);
  EXPECT_EQ(own.error().code(), Errc::too_large);
  EXPECT_TRUE(bench.router.publish(kTopic, as_bytes(fits + ""), LocalCheck::already_valid, bench.now));
}

TEST(TopicParameters, what_breaks_a_rule_changes_nothing) {
  Bench bench({}, [](std::string_view topic) { return topic != kOther; });
  const auto wrong =
      bench.router.set_topic_params(kTopic, with_mesh({.degree = 3, .low = 4, .high = 4, .outbound = 0}));
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message(), HasSubstr(kTopic));
  EXPECT_THAT(wrong.error().message(), HasSubstr("mesh.low"));
  EXPECT_THAT(bench.router.params().topics, IsEmpty());
  EXPECT_EQ(bench.router.set_topic_params(kOther, TopicParams()).error().code(), Errc::denied);
}

}  // namespace
}  // namespace libp2p::gossipsub::test
