#include <gmock/gmock.h>

#include "libp2p/protocols/gossipsub/router_test_support.hpp"

namespace libp2p::gossipsub::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Params small_validator(std::size_t items, std::size_t per_peer) {
  Params params;
  params.validation.max_items = items;
  params.validation.max_items_per_peer = per_peer;
  return params;
}

TEST(GossipsubRouter, names_messages_by_the_hash_of_their_data_when_nobody_says_how) {
  Bench bench({}, {}, 1, nullptr);
  bench.router.subscribe(kTopic, bench.now).value();
  const auto published = bench.router.publish(kTopic, as_bytes("hello"), LocalCheck::already_valid, bench.now);
  ASSERT_TRUE(published);
  EXPECT_EQ(published->id, *MessageId::from(crypto::sha256(as_bytes("hello"))));
  bench.add_subscriber(1);
  bench.send_message(1, "from a peer");
  const auto validations = bench.take<Validate>();
  ASSERT_EQ(validations.size(), 1u);
  EXPECT_EQ(validations[0].id, *MessageId::from(crypto::sha256(as_bytes("from a peer"))));
}

TEST(GossipsubRouter, offers_the_newest_protocol_first) {
  EXPECT_THAT(protocol_ids(),
              ElementsAre("/meshsub/1.3.0", "/meshsub/1.2.0", "/meshsub/1.1.0", "/meshsub/1.0.0", "/floodsub/1.0.0"));
  EXPECT_EQ(version_of("/meshsub/1.2.0"), ProtocolVersion::v1_2);
  EXPECT_EQ(version_of("/floodsub/1.0.0"), ProtocolVersion::floodsub);
  EXPECT_EQ(version_of("/meshsub/2.0.0"), std::nullopt);
}

TEST(GossipsubRouter, greets_a_new_peer_with_its_topics_and_without_extensions) {
  Bench bench;
  ASSERT_TRUE(bench.router.subscribe("a", bench.now));
  ASSERT_TRUE(bench.router.subscribe("b", bench.now));
  bench.add(1, ProtocolVersion::v1_3);
  EXPECT_EQ(bench.take<SendReady>().size(), 1U);
  const auto frame = bench.router.next_frame(peer_id(1));
  ASSERT_TRUE(frame);
  const auto rpc = decode_frame(*frame, RpcLimits{}).value();
  EXPECT_EQ(rpc.subscriptions.size(), 2U);
  EXPECT_FALSE(rpc.control);
  EXPECT_FALSE(bench.router.next_frame(peer_id(1)));
}

#ifndef OPP2P_NO_ASSERTIONS
TEST(GossipsubRouter, ends_the_process_when_a_score_function_calls_back) {
  Bench bench;
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  bench.add_subscriber(1);
  bench.scores.graft_hook = [&] { bench.router.unsubscribe(kTopic, bench.now); };
  EXPECT_DEATH(bench.heartbeat(), "PeerScores and the functions of Config do not call the router that calls them");
}
#endif

TEST(GossipsubRouter, says_that_it_can_send_once_until_the_outbox_ran_empty) {
  Bench bench;
  bench.add(1);
  EXPECT_THAT(bench.take<SendReady>(), IsEmpty());
  ASSERT_TRUE(bench.router.subscribe("a", bench.now));
  ASSERT_TRUE(bench.router.subscribe("b", bench.now));
  EXPECT_EQ(bench.take<SendReady>().size(), 1U);
  EXPECT_TRUE(bench.router.next_frame(peer_id(1)));
  ASSERT_TRUE(bench.router.subscribe("c", bench.now));
  EXPECT_THAT(bench.take<SendReady>(), IsEmpty()) << "the driver still pulls";
  EXPECT_TRUE(bench.router.next_frame(peer_id(1)));
  EXPECT_FALSE(bench.router.next_frame(peer_id(1)));
  ASSERT_TRUE(bench.router.subscribe("d", bench.now));
  EXPECT_EQ(bench.take<SendReady>().size(), 1U);
}

TEST(GossipsubRouter, refuses_topics_outside_the_filter_for_itself_and_for_peers) {
  Bench bench(Params{}, [](std::string_view topic) { return topic == kTopic; });
  const auto refused = bench.router.subscribe("other", bench.now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::denied);
  const auto unpublished = bench.router.publish("other", as_bytes("x"), LocalCheck::already_valid, bench.now);
  ASSERT_FALSE(unpublished);
  EXPECT_EQ(unpublished.error().code(), Errc::denied);
  bench.add(1);
  bench.send(1, subscription_rpc("other"));
  bench.send(1, subscription_rpc(kTopic));
  EXPECT_THAT(bench.router.subscribers("other"), IsEmpty());
  EXPECT_THAT(bench.router.subscribers(kTopic), ElementsAre(peer_id(1)));
  EXPECT_EQ(bench.router.sizes().topics, 1U);
}

TEST(GossipsubRouter, bounds_the_topics_of_a_peer) {
  Params params;
  params.max_topics_per_peer = 3;
  Bench bench(params);
  bench.add(1);
  for (const auto* topic : {"a", "b", "c", "d"}) bench.send(1, subscription_rpc(topic));
  EXPECT_EQ(bench.router.sizes().subscriptions, 3U);
  EXPECT_THAT(bench.faults(), ElementsAre(FaultKind::too_many_topics));
  bench.send(1, subscription_rpc("a", false));
  bench.send(1, subscription_rpc("d"));
  EXPECT_THAT(bench.router.subscribers("d"), ElementsAre(peer_id(1)));
}

TEST(GossipsubRouter, traces_who_comes_and_goes_in_a_topic) {
  Bench bench;
  bench.add(1);
  bench.send(1, subscription_rpc(kTopic));
  bench.send(1, subscription_rpc(kTopic));
  bench.send(1, subscription_rpc(kTopic, false));
  std::vector<TraceKind> kinds;
  for (const auto& trace : bench.take<Trace>()) kinds.push_back(trace.kind);
  EXPECT_THAT(kinds, ElementsAre(TraceKind::peer_added, TraceKind::peer_joined, TraceKind::peer_left));
}

TEST(GossipsubRouter, takes_the_last_word_of_an_rpc_on_a_topic) {
  Bench bench;
  bench.add(1);
  Rpc rpc;
  for (int i = 0; i < 1000; ++i) {
    rpc.subscriptions.push_back({true, kTopic, {}, {}});
    rpc.subscriptions.push_back({false, kTopic, {}, {}});
  }
  rpc.subscriptions.push_back({false, "other", {}, {}});
  rpc.subscriptions.push_back({true, "other", {}, {}});
  bench.send(1, rpc);
  EXPECT_THAT(bench.router.subscribers(kTopic), IsEmpty());
  EXPECT_THAT(bench.router.subscribers("other"), ElementsAre(peer_id(1)));
  EXPECT_EQ(bench.take<Trace>().size(), 2U) << "it was added, and it joined the other topic";
}

TEST(GossipsubRouter, forwards_an_accepted_message_to_the_mesh_but_not_to_its_sender) {
  auto bench = joined(3);
  bench->send_message(1, "block");
  EXPECT_THAT(bench->take<Deliver>(), IsEmpty()) << "nothing is delivered before the verdict";
  EXPECT_THAT(bench->sent(2).messages, IsEmpty());
  bench->answer_all(ValidationResult::accept);
  const auto delivered = bench->take<Deliver>();
  ASSERT_EQ(delivered.size(), 1U);
  EXPECT_EQ(delivered[0].from, peer_id(1));
  EXPECT_EQ(delivered[0].topic, kTopic);
  EXPECT_EQ(as_text(delivered[0].data.view()), "block");
  EXPECT_EQ(delivered[0].id, id_of(kTopic, as_bytes("block")));
  EXPECT_THAT(bench->sent(1).messages, IsEmpty());
  EXPECT_EQ(bench->sent(2).messages.size(), 1U);
  EXPECT_EQ(bench->sent(3).messages.size(), 1U);
  EXPECT_EQ(bench->scores.delivered[peer_id(1)], 1U);
}

TEST(GossipsubRouter, shares_one_buffer_among_validator_subscriber_and_peers) {
  auto bench = joined(3);
  const SharedBytes frame = encode_frame(message_rpc(kTopic, as_bytes("block")));
  ASSERT_TRUE(bench->router.on_frame(peer_id(1), frame, bench->now));
  bench->drain();
  const auto validate = bench->take<Validate>();
  ASSERT_EQ(validate.size(), 1U);
  EXPECT_EQ(validate[0].data.owner(), frame) << "the very buffer that it came in";
  bench->router.on_validation(validate[0].request, ValidationResult::accept, bench->now);
  EXPECT_EQ(bench->take<Deliver>()[0].data.owner(), frame);
  EXPECT_THAT(bench->sent(2).frames, ElementsAre(frame));
  EXPECT_THAT(bench->sent(3).frames, ElementsAre(frame));
}

TEST(GossipsubRouter, does_not_forward_to_peers_that_sent_the_message_themselves_meanwhile) {
  auto bench = joined(3);
  bench->send_message(1, "block");
  bench->send_message(2, "block");
  EXPECT_EQ(bench->take<Validate>().size(), 1U);
  EXPECT_EQ(bench->router.counters().duplicates, 1U);
  EXPECT_TRUE(bench->router.on_validation(1, ValidationResult::accept, bench->now));
  EXPECT_THAT(bench->sent(2).messages, IsEmpty());
  EXPECT_EQ(bench->sent(3).messages.size(), 1U);
  EXPECT_EQ(bench->scores.duplicates[peer_id(2)], 1U);
}

TEST(GossipsubRouter, does_not_send_a_message_back_to_a_sender_that_reconnected) {
  auto bench = joined(2);
  bench->send_message(1, "block");
  bench->router.remove_peer(peer_id(1), bench->now);
  bench->add_subscriber(1);
  bench->send(1, graft_rpc(kTopic));
  bench->answer_all(ValidationResult::accept);
  EXPECT_THAT(bench->sent(1).messages, IsEmpty());
  EXPECT_EQ(bench->sent(2).messages.size(), 1U);
}

TEST(GossipsubRouter, keeps_a_rejected_message_seen_and_blames_its_sender) {
  auto bench = joined(2);
  bench->send_message(1, "bad");
  bench->answer_all(ValidationResult::reject);
  EXPECT_THAT(bench->faults(), ElementsAre(FaultKind::invalid_message));
  EXPECT_THAT(bench->take<Deliver>(), IsEmpty());
  bench->send_message(2, "bad");
  EXPECT_THAT(bench->take<Validate>(), IsEmpty());
  EXPECT_THAT(bench->sent(2).messages, IsEmpty());
  EXPECT_THAT(bench->scores.rejected, ElementsAre(std::pair(peer_id(1), RejectCause::invalid)));
}

TEST(GossipsubRouter, neither_forwards_nor_blames_for_an_ignored_message) {
  auto bench = joined(2);
  bench->send_message(1, "old");
  bench->answer_all(ValidationResult::ignore);
  EXPECT_THAT(bench->faults(), IsEmpty());
  EXPECT_THAT(bench->take<Deliver>(), IsEmpty());
  EXPECT_THAT(bench->sent(2).messages, IsEmpty());
  EXPECT_EQ(bench->router.counters().ignored, 1U);
}

TEST(GossipsubRouter, holds_a_verdict_that_says_nothing_of_the_message_against_nobody) {
  auto bench = joined(1);
  bench->send_message(1, "a");
  bench->send_message(1, "b");
  const auto requests = bench->take<Validate>();
  ASSERT_EQ(requests.size(), 2U);
  for (const auto verdict : {ValidationResult::ignore, ValidationResult::reject}) {
    const auto request = requests[verdict == ValidationResult::ignore ? 0 : 1].request;
    bench->router.on_validation(request, verdict, bench->now, Router::Blame::nobody);
    EXPECT_EQ(bench->scores.rejected.back(), std::pair(peer_id(1), RejectCause::not_to_blame));
  }
  EXPECT_THAT(bench->faults(), IsEmpty());
}

TEST(GossipsubRouter, rejects_without_blame_what_a_peer_may_have_taken_for_valid) {
  auto bench = joined(2);
  bench->send_message(1, "old");
  bench->answer_all(ValidationResult::reject_unblamed);
  EXPECT_THAT(bench->scores.rejected, ElementsAre(std::pair(peer_id(1), RejectCause::invalid_unblamed)));
  EXPECT_THAT(bench->faults(), IsEmpty());
  EXPECT_THAT(bench->take<Deliver>(), IsEmpty());
  EXPECT_THAT(bench->sent(2).messages, IsEmpty());
  EXPECT_EQ(bench->router.counters().rejected, 1U);
  bench->send_message(2, "old");
  EXPECT_THAT(bench->take<Validate>(), IsEmpty()) << "it stays seen";
}

TEST(GossipsubRouter, tells_the_scores_when_the_validator_had_no_room_and_blames_nobody) {
  auto bench = joined(2);
  bench->send_message(1, "a");
  bench->answer_all(ValidationResult::throttled);
  ASSERT_EQ(bench->scores.rejected.size(), 1U);
  EXPECT_EQ(bench->scores.rejected[0], std::pair(peer_id(1), RejectCause::throttled));
  EXPECT_THAT(bench->faults(), IsEmpty());
  EXPECT_THAT(bench->take<Deliver>(), IsEmpty());
  EXPECT_THAT(bench->sent(2).messages, IsEmpty());
  EXPECT_EQ(bench->router.counters().throttled, 1U);
  EXPECT_EQ(bench->router.counters().ignored, 0U);
  EXPECT_EQ(bench->router.sizes().refusers, 0U);
  bench->send_message(2, "a");
  EXPECT_THAT(bench->take<Validate>(), IsEmpty()) << "it stays seen";
}

TEST(GossipsubRouter, takes_verdicts_in_any_order_and_each_once) {
  auto bench = joined(2);
  for (const auto* data : {"a", "b", "c"}) bench->send_message(1, data);
  const auto requests = bench->take<Validate>();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_TRUE(bench->router.on_validation(requests[2].request, ValidationResult::accept, bench->now));
  EXPECT_TRUE(bench->router.on_validation(requests[0].request, ValidationResult::reject, bench->now));
  EXPECT_TRUE(bench->router.on_validation(requests[1].request, ValidationResult::accept, bench->now));
  EXPECT_FALSE(bench->router.on_validation(requests[1].request, ValidationResult::accept, bench->now));
  EXPECT_FALSE(bench->router.on_validation(99, ValidationResult::accept, bench->now));
  EXPECT_EQ(bench->sent(2).messages.size(), 2U);
  EXPECT_EQ(bench->router.sizes().validating, 0U);
  EXPECT_EQ(bench->router.sizes().validating_bytes, 0U);
}

TEST(GossipsubRouter, forgets_a_message_65_seconds_after_its_first_sight_whatever_came_later) {
  auto bench = joined(2);
  bench->send_message(1, "block");
  bench->answer_all(ValidationResult::accept);
  bench->pass(Seconds(64));
  bench->send_message(2, "block");
  EXPECT_THAT(bench->take<Validate>(), IsEmpty());
  bench->pass(Seconds(1));
  bench->send_message(2, "block");
  EXPECT_EQ(bench->take<Validate>().size(), 1U);
}

TEST(GossipsubRouter, refuses_messages_with_an_author) {
  auto bench = joined(1);
  const ByteView empty;
  for (const int which : {0, 1, 2, 3}) {
    Rpc rpc = message_rpc(kTopic, as_bytes("block"));
    auto& message = rpc.publish[0];
    (which == 0 ? message.from : which == 1 ? message.seqno : which == 2 ? message.signature : message.key) = empty;
    bench->send(1, rpc);
    EXPECT_THAT(bench->take<Validate>(), IsEmpty()) << which;
    EXPECT_THAT(bench->faults(), ElementsAre(FaultKind::unexpected_author)) << which;
  }
  EXPECT_EQ(bench->router.counters().unexpected_author, 4U);
  bench->send_message(1, "block");
  EXPECT_EQ(bench->take<Validate>().size(), 1U) << "an authored copy does not make the message seen";
}

TEST(GossipsubRouter, loses_no_message_of_those_that_it_has_seen_while_there_is_room) {
  auto bench = joined(2);
  for (int i = 0; i < 5; ++i) bench->send_message(1, "block " + std::to_string(i));
  bench->answer_all(ValidationResult::accept);
  EXPECT_EQ(bench->router.counters().dropped_seen_items, 0U);
}

TEST(GossipsubRouter, drops_messages_of_topics_that_it_has_not_joined) {
  auto bench = joined(1);
  bench->send(1, message_rpc("other", as_bytes("x")));
  EXPECT_THAT(bench->take<Validate>(), IsEmpty());
  EXPECT_EQ(bench->router.counters().dropped_not_subscribed, 1U);
}

TEST(GossipsubRouter, drops_a_message_whose_topic_was_left_during_validation) {
  auto bench = joined(2);
  bench->send_message(1, "block");
  bench->router.unsubscribe(kTopic, bench->now);
  bench->answer_all(ValidationResult::accept);
  EXPECT_THAT(bench->take<Deliver>(), IsEmpty());
  EXPECT_THAT(bench->sent(2).messages, IsEmpty());
}

TEST(GossipsubRouter, takes_a_burst_of_64_small_blocks_from_one_peer_without_loss) {
  auto bench = joined(2);
  for (int i = 0; i < 64; ++i) bench->send_message(1, std::string(1024, 'x') + std::to_string(i));
  EXPECT_EQ(bench->take<Validate>().size(), 64U);
  EXPECT_EQ(bench->router.counters().dropped_validation_full, 0U);
}

TEST(GossipsubRouter, does_not_mark_a_message_seen_that_found_no_room_at_the_validator) {
  auto bench = joined(1, small_validator(2, 2));
  for (const auto* data : {"a", "b", "c"}) bench->send_message(1, data);
  auto requests = bench->take<Validate>();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(bench->router.counters().dropped_validation_full, 1U);
  EXPECT_EQ(bench->scores.rejected.at(0).second, RejectCause::queue_full);
  bench->router.on_validation(requests[0].request, ValidationResult::accept, bench->now);
  bench->send_message(1, "c");
  EXPECT_EQ(bench->take<Validate>().size(), 1U);
}

TEST(GossipsubRouter, leaves_room_at_the_validator_for_other_peers) {
  auto bench = joined(2, small_validator(4, 2));
  for (const auto* data : {"a", "b", "c", "d"}) bench->send_message(1, data);
  for (const auto* data : {"e", "f"}) bench->send_message(2, data);
  EXPECT_EQ(bench->take<Validate>().size(), 4U);
  EXPECT_EQ(bench->router.counters().dropped_validation_full, 2U);
}

TEST(GossipsubRouter, bounds_what_the_validator_holds_in_bytes) {
  Params params;
  params.validation.max_bytes = 3000;
  auto bench = joined(1, params);
  bench->send_message(1, std::string(2000, 'a'));
  bench->send_message(1, std::string(2000, 'b'));
  EXPECT_EQ(bench->take<Validate>().size(), 1U);
  EXPECT_EQ(bench->router.counters().dropped_validation_full, 1U);
}

TEST(GossipsubRouter, does_not_look_at_rpcs_of_graylisted_peers) {
  auto bench = joined(2);
  bench->scores.values[peer_id(1)] = -40.1;
  bench->send_message(1, "block");
  bench->send(1, ihave_rpc(kTopic, {id_of(kTopic, as_bytes("x"))}));
  EXPECT_THAT(bench->take<Validate>(), IsEmpty());
  EXPECT_THAT(bench->sent(1).iwant, IsEmpty());
  EXPECT_EQ(bench->router.counters().rpcs_graylisted, 2U);
  bench->scores.values[peer_id(1)] = -40;
  bench->send_message(1, "block");
  EXPECT_EQ(bench->take<Validate>().size(), 1U) << "the threshold itself is not below it";
}

TEST(GossipsubRouter, a_malformed_frame_is_an_error_and_changes_nothing) {
  auto bench = joined(1);
  EXPECT_FALSE(bench->router.on_frame(peer_id(1), share(Bytes{0x03, 0x0a, 0xff, 0x01}), bench->now));
  EXPECT_EQ(bench->router.counters().rpcs_received, 2U) << "the two of the set-up";
}

TEST(GossipsubRouter, forgets_everything_of_a_peer_that_goes_except_the_backoff) {
  auto bench = joined(6);
  bench->pass(Seconds(1));
  bench->send_message(1, "block");
  bench->answer_all(ValidationResult::accept);
  bench->send_message(1, "pending");
  bench->send(2, ihave_rpc(kTopic, {id_of(kTopic, as_bytes("x"))}));
  bench->send(3, iwant_rpc({id_of(kTopic, as_bytes("block"))}));
  bench->send(4, idontwant_rpc({id_of(kTopic, as_bytes("y"))}));
  bench->send(5, prune_rpc(kTopic, 60));
  const auto before = bench->router.sizes();
  EXPECT_GT(before.outbox_items, 0U);
  EXPECT_EQ(before.promises, 1U);
  for (std::uint32_t n = 1; n <= 6; ++n) bench->router.remove_peer(peer_id(n), bench->now);
  const auto after = bench->router.sizes();
  EXPECT_EQ(after.peers, 0U);
  EXPECT_EQ(after.subscriptions, 0U);
  EXPECT_EQ(after.mesh_links, 0U);
  EXPECT_EQ(after.promises, 0U);
  EXPECT_EQ(after.outbox_items, 0U);
  EXPECT_EQ(after.outbox_bytes, 0U);
  EXPECT_EQ(after.backoffs, 1U);
  EXPECT_EQ(live<Peer>(), 0);
  EXPECT_EQ(after.validating, 1U);
  bench->answer_all(ValidationResult::accept);
  EXPECT_EQ(bench->router.sizes().validating, 0U);
  EXPECT_EQ(bench->router.sizes().topics, 1U);
  bench->router.unsubscribe(kTopic, bench->now);
  EXPECT_EQ(bench->router.sizes().topics, 0U);
  bench->pass(Seconds(130));
  EXPECT_EQ(bench->router.sizes().backoffs, 0U);
  EXPECT_EQ(bench->router.sizes().cached, 0U);
  EXPECT_EQ(bench->router.sizes().seen, 0U);
}

TEST(GossipsubRouter, drops_the_oldest_forwarded_message_when_a_peer_does_not_read) {
  Params params;
  params.outbox.max_items = 4;
  auto bench = joined(2, params);
  ASSERT_TRUE(bench->router.publish(kTopic, as_bytes("mine"), LocalCheck::already_valid, bench->now));
  for (int i = 0; i < 6; ++i) bench->send_message(1, "block " + std::to_string(i));
  bench->answer_all(ValidationResult::accept);
  EXPECT_EQ(bench->router.counters().dropped_outbox_forwarded, 3U);
  EXPECT_EQ(bench->router.counters().dropped_outbox_own, 0U);
  std::vector<std::string> texts;
  for (const auto& [topic, data] : bench->sent(2).messages) texts.emplace_back(as_text(data));
  EXPECT_THAT(texts, ElementsAre("mine", "block 3", "block 4", "block 5"));
}

TEST(GossipsubRouter, a_peer_without_its_outbound_stream_yet_is_heard_but_not_chosen) {
  Bench bench;
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  bench.add_subscriber(1, ProtocolVersion::pending);
  bench.pass(Seconds(1));
  EXPECT_THAT(bench.router.mesh(kTopic), IsEmpty());
  bench.send_message(1, "block");
  EXPECT_EQ(bench.take<Validate>().size(), 1U);
  bench.router.set_version(peer_id(1), ProtocolVersion::v1_2, bench.now);
  bench.heartbeat();
  EXPECT_THAT(bench.router.mesh(kTopic), ElementsAre(peer_id(1)));
}

TEST(GossipsubRouter, does_not_make_up_for_missed_heartbeats) {
  Bench bench;
  bench.now = bench.now + Seconds(10);
  bench.router.on_timeout(bench.now);
  EXPECT_EQ(bench.router.counters().heartbeats, 1U);
  EXPECT_GT(*bench.router.next_deadline(), bench.now.mono);
  bench.router.on_timeout(bench.now);
  EXPECT_EQ(bench.router.counters().heartbeats, 1U);
}

}  // namespace
}  // namespace libp2p::gossipsub::test
