// Partial messages in the router: who agrees to them, what replaces whole messages, what goes to whom.
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "libp2p/protocols/gossipsub/router_partial_test_support.hpp"

namespace libp2p::gossipsub::test {
namespace {

TEST_F(GossipsubPartial, the_first_frame_says_that_we_speak_partial_messages_and_what_we_do_in_a_topic) {
  use(PartialUse::requests);
  bench->add(1, ProtocolVersion::v1_3);
  const Sent hello = bench->sent(1);
  ASSERT_EQ(hello.frames.size(), 1U);
  const Rpc rpc = decode_frame(hello.frames[0], RpcLimits{}).value();
  ASSERT_TRUE(rpc.control && rpc.control->extensions);
  EXPECT_EQ(rpc.control->extensions->partial_messages, true);
  ASSERT_EQ(rpc.subscriptions.size(), 1U);
  EXPECT_EQ(rpc.subscriptions[0].requests_partial, true);
  EXPECT_EQ(rpc.subscriptions[0].supports_sending_partial, true);
  bench->heartbeat();
  for (const SharedBytes& frame : bench->sent(1).frames) {
    const Rpc later = decode_frame(frame, RpcLimits{}).value();
    EXPECT_FALSE(later.control && later.control->extensions);
  }
}

TEST_F(GossipsubPartial, we_say_it_on_a_stream_without_topics_too) {
  bench = std::make_unique<Bench>(with_partials());
  bench->add(1, ProtocolVersion::pending);
  EXPECT_TRUE(bench->sent(1).frames.empty());
  bench->router.set_version(peer_id(1), ProtocolVersion::v1_3, bench->now);
  EXPECT_EQ(bench->take<SendReady>().size(), 1U);
  const Sent hello = bench->sent(1);
  ASSERT_EQ(hello.frames.size(), 1U);
  const Rpc rpc = decode_frame(hello.frames[0], RpcLimits{}).value();
  EXPECT_TRUE(rpc.control && rpc.control->extensions);
}

TEST_F(GossipsubPartial, nothing_is_said_to_a_peer_of_an_older_version_nor_when_they_are_off) {
  use(PartialUse::requests);
  bench->add(1, ProtocolVersion::v1_2);
  for (const SharedBytes& frame : bench->sent(1).frames) {
    const Rpc rpc = decode_frame(frame, RpcLimits{}).value();
    EXPECT_FALSE(rpc.control && rpc.control->extensions);
  }
  Bench off;
  EXPECT_EQ(off.router.set_partial(kTopic, PartialUse::requests, off.now).error(), Errc::unsupported);
  ASSERT_TRUE(off.router.subscribe(kTopic, off.now));
  off.add(1, ProtocolVersion::v1_3);
  off.send(1, partial_hello(PartialUse::requests));
  for (const SharedBytes& frame : off.sent(1).frames) {
    const Rpc rpc = decode_frame(frame, RpcLimits{}).value();
    EXPECT_FALSE(rpc.control && rpc.control->extensions);
    for (const SubOpts& said : rpc.subscriptions) EXPECT_FALSE(said.requests_partial || said.supports_sending_partial);
  }
  EXPECT_EQ(off.router.partial_use(peer_id(1), kTopic), PartialUse::none);
  off.send(1, partial_rpc(kGroup, "m", "x"));
  EXPECT_TRUE(off.take<PartialReceived>().empty());
  EXPECT_EQ(off.router.counters().dropped_partial_not_enabled, 1U);
}

TEST_F(GossipsubPartial, who_requests_them_is_sent_no_whole_messages) {
  use(PartialUse::supports);
  add(1, PartialUse::requests);
  add(2, PartialUse::supports);
  add(3, PartialUse::requests, false);                        // has not agreed to the extension
  add(4, PartialUse::requests, true, ProtocolVersion::v1_2);  // nor could it be said to this one
  ASSERT_TRUE(bench->router.publish(kTopic, as_bytes("whole"), LocalCheck::already_valid, bench->now));
  EXPECT_TRUE(bench->sent(1).messages.empty());
  for (const std::uint32_t n : {2U, 3U, 4U}) EXPECT_EQ(bench->sent(n).messages.size(), 1U) << n;
  EXPECT_EQ(counters().suppressed_partial, 1U);
}

TEST_F(GossipsubPartial, who_requests_them_is_sent_whole_messages_in_a_topic_where_we_do_not_send_parts) {
  bench = std::make_unique<Bench>(with_partials());
  ASSERT_TRUE(bench->router.subscribe(kTopic, bench->now));
  add(1, PartialUse::requests);
  ASSERT_TRUE(bench->router.publish(kTopic, as_bytes("whole"), LocalCheck::already_valid, bench->now));
  EXPECT_EQ(bench->sent(1).messages.size(), 1U);
}

TEST_F(GossipsubPartial, a_whole_message_can_be_asked_for_by_iwant_all_the_same) {
  use(PartialUse::supports);
  add(1, PartialUse::requests);
  ASSERT_TRUE(bench->router.publish(kTopic, as_bytes("whole"), LocalCheck::already_valid, bench->now));
  bench->send(1, iwant_rpc({id_of(kTopic, as_bytes("whole"))}));
  EXPECT_EQ(bench->sent(1).messages.size(), 1U);
}

TEST_F(GossipsubPartial, no_idontwant_goes_to_a_peer_that_sends_us_parts) {
  use(PartialUse::requests);
  add(1, PartialUse::supports);
  add(2, PartialUse::none);
  add(3, PartialUse::none);
  bench->send_message(3, std::string(2000, 'x'));
  EXPECT_TRUE(bench->sent(1).idontwant.empty());
  EXPECT_EQ(bench->sent(2).idontwant.size(), 1U);
}

TEST_F(GossipsubPartial, a_publication_asks_for_each_peer_of_the_mesh_that_takes_or_sends_parts) {
  use(PartialUse::requests);
  add(1, PartialUse::requests);
  add(2, PartialUse::supports);
  add(3, PartialUse::none);
  EXPECT_EQ(publish(kGroup, "parts", "have"), 2U);
  EXPECT_EQ(asked, (std::vector<PeerId>{peer_id(1), peer_id(2)}));
  EXPECT_EQ(sent(1), (std::vector<PartialText>{{"block 1", "parts", "have"}}));
  EXPECT_EQ(sent(2), (std::vector<PartialText>{{"block 1", "", "have"}}));  // it wants whole messages
  EXPECT_TRUE(sent(3).empty());
  EXPECT_EQ(counters().partials_sent, 2U);
}

TEST_F(GossipsubPartial, two_that_only_support_them_send_each_other_whole_messages) {
  use(PartialUse::supports);
  add(1, PartialUse::supports);
  EXPECT_EQ(publish(kGroup, "parts", "have"), 0U);
  EXPECT_TRUE(asked.empty());
}

TEST_F(GossipsubPartial, what_a_peer_was_told_is_not_told_again_without_parts) {
  use(PartialUse::requests);
  add(1, PartialUse::requests);
  EXPECT_EQ(publish(kGroup, "", "have 1"), 1U);
  EXPECT_EQ(publish(kGroup, "", "have 1"), 0U);
  EXPECT_EQ(publish(kGroup, "part", "have 1"), 1U);
  EXPECT_EQ(publish(kGroup, "", "have 2"), 1U);
  EXPECT_EQ(sent(1), (std::vector<PartialText>{{"block 1", "part", "have 1"}, {"block 1", "", "have 2"}}));
}

TEST_F(GossipsubPartial, of_metadata_that_still_waits_only_the_newest_is_sent) {
  use(PartialUse::requests);
  add(1, PartialUse::requests);
  publish(kGroup, "", "have 1");
  publish("block 2", "", "other");
  publish(kGroup, "", "have 2");
  EXPECT_EQ(sent(1), (std::vector<PartialText>{{"block 2", "", "other"}, {"block 1", "", "have 2"}}));
}

TEST_F(GossipsubPartial, the_parts_that_a_peer_was_sent_become_its_metadata) {
  use(PartialUse::requests);
  add(1, PartialUse::requests);
  bench->send(1, partial_rpc(kGroup, "", "wants 12"));
  std::vector<std::string> known;
  const auto parts = [&](const PartialPeer& peer) {
    known.emplace_back(as_text(peer.metadata));
    return PartialParts{to_bytes("1"), to_bytes("have 1"), to_bytes("wants 2")};
  };
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(bench->router.publish_partial(kTopic, as_bytes(kGroup), parts, bench->now));
  EXPECT_EQ(known, (std::vector<std::string>{"wants 12", "wants 2"}));
}

TEST_F(GossipsubPartial, a_partial_message_is_for_the_application_with_its_bytes_uncopied) {
  use(PartialUse::requests);
  add(1, PartialUse::supports);
  const SharedBytes frame = encode_frame(partial_rpc(kGroup, "the parts", "have"));
  ASSERT_TRUE(bench->router.on_frame(peer_id(1), frame, bench->now));
  const auto got = bench->take<PartialReceived>();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].peer, peer_id(1));
  EXPECT_EQ(got[0].topic, kTopic);
  EXPECT_EQ(as_text(got[0].group), kGroup);
  EXPECT_EQ(as_text(got[0].message.view()), "the parts");
  EXPECT_EQ(as_text(got[0].metadata.view()), "have");
  EXPECT_EQ(got[0].message.owner(), frame);
}

TEST_F(GossipsubPartial, metadata_that_is_no_news_is_not_for_the_application) {
  use(PartialUse::requests);
  add(1, PartialUse::supports);
  bench->send(1, partial_rpc(kGroup, "", "have"));
  bench->send(1, partial_rpc(kGroup, "", "have"));
  bench->send(1, partial_rpc(kGroup, "", ""));
  bench->send(1, partial_rpc(kGroup, "part", "have"));
  EXPECT_EQ(received(), (std::vector<std::string>{"block 1::have", "block 1:part:have"}));
  EXPECT_EQ(counters().partials_received, 4U);
}

TEST_F(GossipsubPartial, a_partial_message_of_who_has_not_agreed_is_dropped) {
  use(PartialUse::requests);
  add(1, PartialUse::supports, false);
  bench->send(1, partial_rpc(kGroup, "part", "have"));
  EXPECT_TRUE(received().empty());
  EXPECT_EQ(counters().dropped_partial_not_enabled, 1U);
  add(2, PartialUse::supports);
  Rpc elsewhere = partial_rpc(kGroup, "part", "have");
  elsewhere.partial->topic = "another topic";
  bench->send(2, elsewhere);
  EXPECT_TRUE(received().empty());
  EXPECT_EQ(counters().dropped_partial_not_enabled, 2U);
}

TEST_F(GossipsubPartial, a_partial_message_of_a_graylisted_peer_is_not_looked_at) {
  use(PartialUse::requests);
  add(1, PartialUse::supports);
  bench->scores.values[peer_id(1)] = -41;
  bench->send(1, partial_rpc(kGroup, "part", "have"));
  EXPECT_TRUE(received().empty());
}

TEST_F(GossipsubPartial, a_peer_outside_of_the_mesh_is_answered_too) {
  use(PartialUse::supports);
  bench->add(1, ProtocolVersion::v1_3);
  bench->send(1, partial_hello(PartialUse::requests));
  bench->sent(1);
  EXPECT_EQ(publish(kGroup, "parts", "have"), 0U);
  bench->send(1, partial_rpc(kGroup, "", "wants"));
  EXPECT_EQ(publish(kGroup, "parts", "have"), 1U);
  EXPECT_EQ(sent(1).size(), 1U);
  bench->scores.values[peer_id(1)] = -11;
  EXPECT_EQ(publish(kGroup, "more", "have"), 0U);  // as gossip: not below the threshold
}

TEST_F(GossipsubPartial, gossip_of_our_groups_replaces_ihave_for_who_takes_parts) {
  use(PartialUse::supports);
  bench->heartbeat();
  for (const std::uint32_t n : {1U, 2U}) {
    bench->add(n, ProtocolVersion::v1_3);
    bench->send(n, partial_hello(n == 1 ? PartialUse::requests : PartialUse::none));
    bench->send(n, prune_rpc(kTopic));  // stays out of the mesh
    bench->sent(n);
  }
  ASSERT_TRUE(bench->router.publish(kTopic, as_bytes("whole"), LocalCheck::already_valid, bench->now));
  publish(kGroup, "parts", "have");
  bench->send(2, partial_rpc("of another", "", "x"));
  bench->heartbeat();
  const auto gossip = bench->take<PartialGossip>();
  ASSERT_EQ(gossip.size(), 1U);
  EXPECT_EQ(as_text(gossip[0].group), kGroup);
  EXPECT_EQ(gossip[0].peers, std::vector<PeerId>{peer_id(1)});
  EXPECT_TRUE(bench->sent(1).ihave.empty());
  EXPECT_EQ(bench->sent(2).ihave.size(), 1U);
  EXPECT_EQ(publish(kGroup, "parts", "have"), 1U);
  EXPECT_EQ(sent(1).size(), 1U);
  bench->heartbeat();
  EXPECT_TRUE(bench->take<PartialGossip>().empty());  // it has heard of it
}

TEST_F(GossipsubPartial, a_verdict_of_the_application_reaches_the_score) {
  PeerScoreParams score;
  score.topics[kTopic].topic_weight = 1;
  score.topics[kTopic].time_in_mesh_quantum = Seconds(1);
  score.topics[kTopic].first_message_deliveries_weight = 2;
  score.topics[kTopic].first_message_deliveries_decay = 0.5;
  score.topics[kTopic].first_message_deliveries_cap = 1;
  score.topics[kTopic].invalid_message_deliveries_weight = -5;
  score.topics[kTopic].invalid_message_deliveries_decay = 0.5;
  score.decay_interval = Seconds(1);
  score.decay_to_zero = 0.01;
  PeerScorer scorer(score, 1, at(Seconds(1000)));
  SeededRng rng(1);
  Router router({with_partials(), id_of, {}}, rng, scorer, at(Seconds(1000)));
  const Now now = at(Seconds(1000));
  router.add_peer(peer_id(1), ProtocolVersion::v1_3, Direction::inbound, now);
  router.judge_partial(peer_id(1), kTopic, Router::PartialVerdict::useful, now);
  router.judge_partial(peer_id(1), kTopic, Router::PartialVerdict::useful, now);
  EXPECT_DOUBLE_EQ(scorer.score(peer_id(1)), 2);  // the cap
  router.judge_partial(peer_id(1), kTopic, Router::PartialVerdict::invalid, now);
  EXPECT_DOUBLE_EQ(scorer.score(peer_id(1)), 2 - 5);
  EXPECT_EQ(router.counters().partials_invalid, 1U);
}

}  // namespace
}  // namespace libp2p::gossipsub::test
