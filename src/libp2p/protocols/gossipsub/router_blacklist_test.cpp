#include <gmock/gmock.h>

#include "libp2p/protocols/gossipsub/router_test_support.hpp"
#include "libp2p/protocols/gossipsub/signing_test_support.hpp"

namespace libp2p::gossipsub::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(GossipsubBlacklist, ends_by_time_and_is_prolonged_but_not_shortened) {
  Blacklist list(10);
  EXPECT_THAT(list.add(peer_id(1), MonoTime(Seconds(10))), IsEmpty());
  list.add(peer_id(1), MonoTime(Seconds(5)));
  EXPECT_THAT(list.take_expired(MonoTime(Seconds(10)) - Nanos(1)), IsEmpty());
  list.add(peer_id(1), MonoTime(Seconds(20)));
  EXPECT_THAT(list.take_expired(MonoTime(Seconds(19))), IsEmpty());
  list.check();
  EXPECT_THAT(list.take_expired(MonoTime(Seconds(20))), ElementsAre(peer_id(1)));
  EXPECT_FALSE(list.contains(peer_id(1)));
}

TEST(GossipsubBlacklist, lets_those_go_first_that_end_first) {
  Blacklist list(2);
  list.add(peer_id(1), MonoTime(Seconds(10)));
  list.add(peer_id(2), MonoTime(Seconds(30)));
  EXPECT_THAT(list.add(peer_id(3), MonoTime(Seconds(20))), ElementsAre(peer_id(1)));
  EXPECT_THAT(list.add(peer_id(4), MonoTime(Seconds(1))), ElementsAre(peer_id(4)));
  EXPECT_TRUE(list.contains(peer_id(2)) && list.contains(peer_id(3)));
  list.check();
}

TEST(GossipsubBlacklisted, peers_are_neither_listened_to_nor_sent_anything_until_the_time_is_over) {
  auto bench = joined(3);
  bench->router.blacklist(peer_id(1), bench->now, Seconds(5));
  EXPECT_THAT(bench->sent(1).prunes, SizeIs(1));
  EXPECT_THAT(bench->router.mesh(kTopic), ElementsAre(peer_id(2), peer_id(3)));
  bench->send_message(1, "not heard");
  bench->send(1, ihave_rpc(kTopic, {id_of(kTopic, as_bytes("x"))}));
  bench->send(1, graft_rpc(kTopic));
  EXPECT_THAT(bench->take<Validate>(), IsEmpty());
  EXPECT_EQ(bench->router.counters().rpcs_blacklisted, 3U);
  ASSERT_TRUE(bench->router.publish(kTopic, as_bytes("own"), LocalCheck::already_valid, bench->now));
  bench->pass(Seconds(4));
  const Sent sent = bench->sent(1);
  EXPECT_THAT(sent.messages, IsEmpty());
  EXPECT_THAT(sent.ihave, IsEmpty());
  EXPECT_THAT(sent.iwant, IsEmpty());
  EXPECT_THAT(sent.prunes, IsEmpty());
  EXPECT_THAT(bench->scores.penalties, IsEmpty());
  EXPECT_TRUE(bench->router.is_blacklisted(peer_id(1)));
  bench->pass(Seconds(2));
  EXPECT_FALSE(bench->router.is_blacklisted(peer_id(1)));
  bench->send_message(1, "heard");
  EXPECT_THAT(bench->take<Validate>(), SizeIs(1));
}

TEST(GossipsubBlacklisted, peers_leave_fanouts_at_once) {
  Bench bench;
  bench.add_subscriber(1);
  bench.sent(1);
  ASSERT_TRUE(bench.router.publish(kTopic, as_bytes("a"), LocalCheck::already_valid, bench.now));
  EXPECT_THAT(bench.sent(1).messages, SizeIs(1));
  bench.router.blacklist(peer_id(1), bench.now);
  ASSERT_TRUE(bench.router.publish(kTopic, as_bytes("b"), LocalCheck::already_valid, bench.now));
  EXPECT_THAT(bench.sent(1).messages, IsEmpty());
}

TEST(GossipsubBlacklisted, peers_stay_so_when_they_come_again_and_for_30_seconds_unless_told_otherwise) {
  auto bench = joined(1);
  bench->router.blacklist(peer_id(1), bench->now);
  bench->router.remove_peer(peer_id(1), bench->now);
  bench->pass(Seconds(29));
  bench->add_subscriber(1);
  bench->send_message(1, "a");
  EXPECT_THAT(bench->take<Validate>(), IsEmpty());
  bench->pass(Seconds(2));
  bench->send_message(1, "a");
  EXPECT_THAT(bench->take<Validate>(), SizeIs(1));
}

TEST(GossipsubBlacklisted, peers_are_heard_again_once_they_are_pardoned) {
  auto bench = joined(1);
  bench->router.blacklist(peer_id(1), bench->now, Nanos::max());
  bench->pass(Seconds(3600));
  bench->send_message(1, "a");
  EXPECT_THAT(bench->take<Validate>(), IsEmpty());
  bench->router.pardon(peer_id(1));
  bench->send_message(1, "a");
  EXPECT_THAT(bench->take<Validate>(), SizeIs(1));
}

TEST(GossipsubBlacklisted, peers_are_released_from_their_promises) {
  auto bench = joined(1);
  bench->send(1, ihave_rpc(kTopic, {id_of(kTopic, as_bytes("x"))}));
  EXPECT_EQ(bench->router.sizes().promises, 1U);
  bench->router.blacklist(peer_id(1), bench->now);
  bench->pass(Seconds(5));
  EXPECT_THAT(bench->scores.penalties, IsEmpty());
}

TEST(GossipsubBlacklisted, direct_peers_are_no_exception) {
  Router::Config config{{}, id_of, {}, nullptr, {peer_id(1)}};
  Bench bench(std::move(config));
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  bench.add_subscriber(1);
  bench.router.blacklist(peer_id(1), bench.now);
  bench.send_message(1, "a");
  EXPECT_THAT(bench.take<Validate>(), IsEmpty());
  bench.sent(1);
  ASSERT_TRUE(bench.router.publish(kTopic, as_bytes("own"), LocalCheck::already_valid, bench.now));
  EXPECT_THAT(bench.sent(1).messages, IsEmpty());
}

TEST(GossipsubBlacklisted, authors_are_not_heard_through_others_who_are_not_to_blame) {
  KeySignatures own(signing_key(1), 0), author(signing_key(2), 0);
  Router::Config config;
  config.policies.standard = SignaturePolicy::strict_sign;
  config.signatures = &own;
  Bench bench(std::move(config));
  bench.signs = true;
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  bench.add_subscriber(1);
  bench.router.blacklist(author.self(), bench.now);
  bench.send(1, signed_message(author, kTopic, "x").rpc());
  EXPECT_THAT(bench.take<Validate>(), IsEmpty());
  EXPECT_THAT(bench.faults(), IsEmpty());
  EXPECT_THAT(bench.scores.rejected, ElementsAre(std::pair(peer_id(1), RejectCause::blacklisted)));
  EXPECT_EQ(bench.router.counters().authors_blacklisted, 1U);
  bench.router.pardon(author.self());
  bench.send(1, signed_message(author, kTopic, "x").rpc());
  EXPECT_THAT(bench.take<Validate>(), SizeIs(1));
}

TEST(GossipsubRelay, joins_the_mesh_and_passes_messages_on_without_a_subscriber) {
  Bench bench;
  ASSERT_TRUE(bench.router.relay(kTopic, bench.now));
  bench.add_subscriber(1);
  bench.add_subscriber(2);
  bench.heartbeat();
  EXPECT_THAT(bench.router.mesh(kTopic), SizeIs(2));
  EXPECT_EQ(bench.sent(1).subscriptions, (std::map<std::string, bool>{{kTopic, true}}));
  bench.sent(2);
  bench.send_message(1, "x");
  bench.answer_all(ValidationResult::accept);
  EXPECT_THAT(bench.take<Deliver>(), IsEmpty());
  EXPECT_THAT(bench.sent(2).messages, SizeIs(1));
  EXPECT_EQ(bench.router.counters().relayed, 1U);
  EXPECT_EQ(bench.router.counters().delivered, 0U);
  bench.send_message(1, "bad");
  bench.answer_all(ValidationResult::reject);
  EXPECT_THAT(bench.sent(2).messages, IsEmpty()) << "validated all the same";
}

TEST(GossipsubRelay, ends_with_the_last_relay_if_nobody_subscribes) {
  Bench bench;
  ASSERT_TRUE(bench.router.relay(kTopic, bench.now));
  ASSERT_TRUE(bench.router.relay(kTopic, bench.now));
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  const auto joins = [&] {
    std::size_t count = 0;
    for (const auto& trace : bench.take<Trace>()) count += trace.kind == TraceKind::joined ? 1 : 0;
    return count;
  };
  EXPECT_EQ(joins(), 1U);
  bench.router.unsubscribe(kTopic, bench.now);
  bench.router.stop_relaying(kTopic, bench.now);
  EXPECT_THAT(bench.router.topics(), ElementsAre(kTopic));
  bench.router.stop_relaying(kTopic, bench.now);
  EXPECT_THAT(bench.router.topics(), IsEmpty());
  bench.router.stop_relaying(kTopic, bench.now);
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  bench.router.stop_relaying(kTopic, bench.now);
  EXPECT_THAT(bench.router.topics(), ElementsAre(kTopic));
  bench.drain();
}

TEST(GossipsubRelay, is_denied_for_topics_outside_of_the_filter) {
  Bench bench({}, [](std::string_view topic) { return topic != "no"; });
  EXPECT_EQ(bench.router.relay("no", bench.now).error(), Errc::denied);
}

}  // namespace
}  // namespace libp2p::gossipsub::test
