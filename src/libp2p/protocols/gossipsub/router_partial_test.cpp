// Partial messages in the router: who agrees to them, what replaces whole messages, groups, bounds.
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "libp2p/protocols/gossipsub/router_test_support.hpp"

namespace libp2p::gossipsub::test {
namespace {

constexpr std::string_view kGroup = "block 1";

Params with_partials() {
  Params params;
  params.partial.enabled = true;
  return params;
}

// The first RPC of a peer that speaks the extension, with what it does in the topic.
Rpc partial_hello(PartialUse use, bool extension = true) {
  Rpc rpc = subscription_rpc(kTopic);
  rpc.subscriptions[0].requests_partial = use == PartialUse::requests;
  rpc.subscriptions[0].supports_sending_partial = use == PartialUse::supports;
  if (extension) rpc.control.emplace().extensions.emplace().partial_messages = true;
  return rpc;
}

Rpc partial_rpc(std::string_view group, std::string_view message, std::string_view metadata) {
  Rpc rpc;
  Partial& partial = rpc.partial.emplace();
  partial.topic = kTopic;
  partial.group = as_bytes(group);
  if (!message.empty()) partial.message = as_bytes(message);
  if (!metadata.empty()) partial.metadata = as_bytes(metadata);
  return rpc;
}

struct PartialText {
  std::string group, message, metadata;
  friend bool operator==(const PartialText&, const PartialText&) = default;
};

std::string text(const std::optional<ByteView>& bytes) { return bytes ? std::string(as_text(*bytes)) : std::string(); }

std::vector<PartialText> partials_of(const Sent& sent) {
  std::vector<PartialText> out;
  for (const SharedBytes& frame : sent.frames) {
    const auto rpc = decode_frame(frame, with_partials().rpc);
    if (!rpc || !rpc->partial) continue;
    EXPECT_EQ(rpc->partial->topic.value_or(""), kTopic);
    out.push_back({text(rpc->partial->group), text(rpc->partial->message), text(rpc->partial->metadata)});
  }
  return out;
}

class GossipsubPartial : public testing::Test {
 protected:
  void use(PartialUse ours, const Params& params = with_partials()) {
    bench = std::make_unique<Bench>(params);
    ASSERT_TRUE(bench->router.set_partial(kTopic, ours, bench->now));
    ASSERT_TRUE(bench->router.subscribe(kTopic, bench->now));
  }
  // A peer of the mesh; what it was sent so far is thrown away.
  void add(std::uint32_t n, PartialUse theirs, bool extension = true, ProtocolVersion version = ProtocolVersion::v1_3) {
    bench->add(n, version);
    bench->send(n, partial_hello(theirs, extension));
    bench->send(n, graft_rpc(kTopic));
    bench->sent(n);
  }
  std::vector<PartialText> sent(std::uint32_t n) { return partials_of(bench->sent(n)); }
  // Everybody is offered the same.
  std::size_t publish(std::string_view group, std::string_view message, std::string_view metadata) {
    asked.clear();
    const auto parts = [&](const PartialPeer& peer) {
      asked.push_back(peer.peer);
      return PartialParts{to_bytes(message), to_bytes(metadata)};
    };
    const auto result = bench->router.publish_partial(kTopic, as_bytes(group), parts, bench->now);
    EXPECT_TRUE(result) << result.error().message();
    return result ? *result : 0;
  }
  std::vector<std::string> received() {
    std::vector<std::string> out;
    for (const auto& one : bench->take<PartialReceived>()) {
      out.push_back(std::string(as_text(one.group)) + ":" + std::string(as_text(one.message.view())) + ":" +
                    std::string(as_text(one.metadata.view())));
    }
    return out;
  }
  const Counters& counters() const { return bench->router.counters(); }

  std::unique_ptr<Bench> bench;
  std::vector<PeerId> asked;
};

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

TEST_F(GossipsubPartial, a_group_ends_some_heartbeats_after_the_last_publication) {
  Params params = with_partials();
  params.partial.group_ttl = 3;
  use(PartialUse::requests, params);
  add(1, PartialUse::requests);
  publish(kGroup, "", "have");
  bench->heartbeat();
  bench->heartbeat();
  EXPECT_EQ(bench->router.sizes().partial_groups, 1U);
  publish(kGroup, "", "have");
  bench->heartbeat();
  bench->heartbeat();
  EXPECT_EQ(bench->router.sizes().partial_groups, 1U);
  bench->heartbeat();
  EXPECT_EQ(bench->router.sizes().partial_groups, 0U);
  EXPECT_EQ(bench->router.sizes().partial_bytes, 0U);
  EXPECT_EQ(counters().partial_groups_ended, 1U);
  EXPECT_EQ(publish(kGroup, "", "have"), 1U);  // a new group: everybody is told anew
}

TEST_F(GossipsubPartial, what_peers_open_is_bounded_and_told_once_a_heartbeat) {
  Params params = with_partials();
  params.partial.max_groups_of_peers = 5;
  params.partial.max_groups_of_peer = 3;
  use(PartialUse::requests, params);
  add(1, PartialUse::supports);
  add(2, PartialUse::supports);
  for (int i = 0; i < 10; ++i) bench->send(1, partial_rpc("a" + std::to_string(i), "", "have"));
  for (int i = 0; i < 10; ++i) bench->send(2, partial_rpc("b" + std::to_string(i), "", "have"));
  EXPECT_EQ(received().size(), 5U);
  EXPECT_EQ(counters().dropped_partial_bounds, 15U);
  EXPECT_EQ(bench->faults(), (std::vector<FaultKind>{FaultKind::partial_flood, FaultKind::partial_flood}));
  EXPECT_EQ(bench->router.sizes().partial_groups, 5U);
  publish("own", "", "have");  // ours are counted apart
  publish("a0", "", "have");   // this one is ours now, so peer 1 may open another
  bench->send(1, partial_rpc("c", "", "have"));
  EXPECT_EQ(received().size(), 1U);
  EXPECT_EQ(counters().partials_received, 21U);
  bench->router.check();
}

TEST_F(GossipsubPartial, groups_go_with_the_peer_that_opened_them) {
  Params params = with_partials();
  params.partial.max_groups_of_peer = 2;
  use(PartialUse::requests, params);
  for (int round = 0; round < 50; ++round) {
    add(1, PartialUse::supports);
    for (int i = 0; i < 4; ++i) bench->send(1, partial_rpc(std::to_string(4 * round + i), "", "have"));
    EXPECT_EQ(bench->router.sizes().partial_groups, 2U);
    bench->router.remove_peer(peer_id(1), bench->now);
    EXPECT_EQ(bench->router.sizes().partial_groups, 0U);
    bench->drain();
  }
}

TEST_F(GossipsubPartial, long_ids_and_metadata_are_refused_both_ways) {
  Params params = with_partials();
  params.partial.max_group_id = 8;
  params.partial.max_metadata = 8;
  params.partial.max_metadata_bytes = 12;
  use(PartialUse::requests, params);
  add(1, PartialUse::requests);
  bench->send(1, partial_rpc("123456789", "", "x"));
  bench->send(1, partial_rpc("1", "", "123456789"));
  EXPECT_TRUE(received().empty());
  EXPECT_EQ(counters().dropped_partial_bounds, 2U);
  const auto parts = [](const PartialPeer&) { return PartialParts{{}, Bytes(9, 1)}; };
  EXPECT_EQ(bench->router.publish_partial(kTopic, as_bytes("1"), parts, bench->now).error(), Errc::too_large);
  EXPECT_EQ(bench->router.publish_partial(kTopic, as_bytes("123456789"), parts, bench->now).error(), Errc::too_large);
  EXPECT_TRUE(sent(1).empty());
  bench->send(1, partial_rpc("1", "", "12345678"));
  bench->send(1, partial_rpc("2", "", "12345678"));  // all metadata together is too much
  EXPECT_EQ(received().size(), 1U);
  EXPECT_EQ(counters().dropped_partial_bounds, 3U);
  bench->router.check();
}

TEST_F(GossipsubPartial, too_many_rpcs_of_a_peer_are_refused_until_the_next_heartbeat) {
  Params params = with_partials();
  params.partial.max_rpcs = 3;
  use(PartialUse::requests, params);
  add(1, PartialUse::supports);
  for (int i = 0; i < 5; ++i) bench->send(1, partial_rpc(kGroup, "part", "x"));
  EXPECT_EQ(received().size(), 3U);
  bench->heartbeat();
  bench->send(1, partial_rpc(kGroup, "part", "x"));
  EXPECT_EQ(received().size(), 1U);
}

TEST_F(GossipsubPartial, own_groups_are_bounded) {
  Params params = with_partials();
  params.partial.max_own_groups = 2;
  use(PartialUse::requests, params);
  publish("1", "", "x");
  publish("2", "", "x");
  publish("1", "", "y");
  const auto parts = [](const PartialPeer&) { return PartialParts{}; };
  EXPECT_EQ(bench->router.publish_partial(kTopic, as_bytes("3"), parts, bench->now).error(), Errc::exhausted);
}

TEST_F(GossipsubPartial, who_missed_a_partial_message_for_a_full_outbox_is_told_anew) {
  Params params = with_partials();
  params.partial.max_outbox_items = 2;
  use(PartialUse::requests, params);
  add(1, PartialUse::requests);
  for (const std::string_view part : {"1", "2", "3"}) publish(kGroup, part, "have");
  EXPECT_EQ(counters().dropped_outbox_partial, 1U);
  EXPECT_EQ(sent(1).size(), 2U);
  EXPECT_EQ(publish(kGroup, "", "have"), 1U);
  bench->router.check();
}

TEST_F(GossipsubPartial, messages_control_and_partial_messages_take_turns) {
  use(PartialUse::requests);
  add(1, PartialUse::requests);
  bench->send(1, partial_rpc(kGroup, "", "x"));
  for (int i = 0; i < 3; ++i) publish(kGroup, std::to_string(i), "have");
  ASSERT_TRUE(bench->router.publish("another topic", as_bytes("m"), LocalCheck::already_valid, bench->now));
  bench->send(1, ihave_rpc(kTopic, {id_of(kTopic, as_bytes("unknown"))}));
  const Sent all = bench->sent(1);
  ASSERT_EQ(all.frames.size(), 4U);
  EXPECT_TRUE(decode_frame(all.frames[0], RpcLimits{}).value().control);
  EXPECT_EQ(partials_of(all).size(), 3U);
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

TEST_F(GossipsubPartial, what_a_peer_says_of_a_topic_again_takes_the_place_of_what_it_said_before) {
  use(PartialUse::supports);
  add(1, PartialUse::requests);
  EXPECT_EQ(bench->router.partial_use(peer_id(1), kTopic), PartialUse::requests);
  bench->send(1, partial_hello(PartialUse::supports, false));
  EXPECT_EQ(bench->router.partial_use(peer_id(1), kTopic), PartialUse::supports);
  bench->send(1, subscription_rpc(kTopic));
  EXPECT_EQ(bench->router.partial_use(peer_id(1), kTopic), PartialUse::none);
  bench->send(1, partial_hello(PartialUse::requests, false));
  bench->send(1, partial_rpc(kGroup, "", "x"));
  bench->send(1, subscription_rpc(kTopic, false));
  EXPECT_EQ(bench->router.partial_use(peer_id(1), kTopic), PartialUse::none);
  EXPECT_EQ(bench->router.sizes().partial_groups, 0U);
  bench->router.check();
}

TEST_F(GossipsubPartial, changing_our_use_of_a_joined_topic_is_announced) {
  use(PartialUse::supports);
  add(1, PartialUse::requests);
  ASSERT_TRUE(bench->router.set_partial(kTopic, PartialUse::requests, bench->now));
  const Sent again = bench->sent(1);
  ASSERT_EQ(again.frames.size(), 1U);
  EXPECT_EQ(decode_frame(again.frames[0], RpcLimits{}).value().subscriptions.at(0).requests_partial, true);
  publish(kGroup, "", "x");
  ASSERT_TRUE(bench->router.set_partial(kTopic, PartialUse::none, bench->now));
  EXPECT_EQ(bench->router.sizes().partial_groups, 0U);
  const Rpc said = decode_frame(bench->sent(1).frames.at(0), RpcLimits{}).value();
  EXPECT_FALSE(said.subscriptions.at(0).requests_partial.value_or(false));
  const auto parts = [](const PartialPeer&) { return PartialParts{}; };
  EXPECT_EQ(bench->router.publish_partial(kTopic, as_bytes(kGroup), parts, bench->now).error(), Errc::invalid_argument);
}

TEST_F(GossipsubPartial, what_was_heard_of_a_peer_is_carried_over_to_a_new_stream_of_ours) {
  use(PartialUse::supports);
  add(1, PartialUse::requests);
  const auto heard = bench->router.heard(peer_id(1));
  bench->router.remove_peer(peer_id(1), bench->now);
  bench->add(1, ProtocolVersion::v1_3);
  bench->router.restore(peer_id(1), heard, bench->now);
  EXPECT_EQ(bench->router.partial_use(peer_id(1), kTopic), PartialUse::requests);
  EXPECT_EQ(bench->router.subscribers(kTopic).size(), 1U);
  bench->send(1, partial_hello(PartialUse::requests));  // the extensions again: not its first RPC
  EXPECT_EQ(bench->scores.penalties[peer_id(1)], 10U);
  // Who had said nothing yet may still say it.
  bench->add(2, ProtocolVersion::v1_3);
  const auto nothing = bench->router.heard(peer_id(2));
  bench->router.remove_peer(peer_id(2), bench->now);
  bench->add(2, ProtocolVersion::v1_3);
  bench->router.restore(peer_id(2), nothing, bench->now);
  bench->send(2, partial_hello(PartialUse::requests));
  EXPECT_EQ(bench->scores.penalties[peer_id(2)], 0U);
  EXPECT_EQ(bench->router.partial_use(peer_id(2), kTopic), PartialUse::requests);
}

TEST_F(GossipsubPartial, a_peer_whose_inbound_stream_ends_has_agreed_to_nothing_any_more) {
  use(PartialUse::supports);
  add(1, PartialUse::requests);
  bench->send(1, partial_rpc(kGroup, "", "x"));
  bench->router.forget_topics(peer_id(1), bench->now);
  EXPECT_EQ(bench->router.partial_use(peer_id(1), kTopic), PartialUse::none);
  EXPECT_EQ(bench->router.sizes().partial_groups, 0U);
}

TEST_F(GossipsubPartial, publishing_to_a_topic_that_is_not_joined_reaches_its_fanout) {
  bench = std::make_unique<Bench>(with_partials());
  ASSERT_TRUE(bench->router.set_partial(kTopic, PartialUse::supports, bench->now));
  bench->add(1, ProtocolVersion::v1_3);
  bench->send(1, partial_hello(PartialUse::requests));
  bench->sent(1);
  EXPECT_EQ(publish(kGroup, "parts", "have"), 1U);
  EXPECT_EQ(sent(1).size(), 1U);
}

TEST_F(GossipsubPartial, a_direct_peer_is_sent_parts_too) {
  Router::Config config{with_partials(), id_of, {}};
  config.direct = {peer_id(1)};
  bench = std::make_unique<Bench>(std::move(config));
  ASSERT_TRUE(bench->router.set_partial(kTopic, PartialUse::supports, bench->now));
  ASSERT_TRUE(bench->router.subscribe(kTopic, bench->now));
  bench->add(1, ProtocolVersion::v1_3);
  bench->send(1, partial_hello(PartialUse::requests));
  bench->sent(1);
  EXPECT_EQ(publish(kGroup, "parts", "have"), 1U);
}

// A message of eight parts, of which each of three routers has some; they exchange bitmaps and parts until all have
// all.
TEST(GossipsubPartialNetwork, three_routers_with_different_parts_complete_a_message) {
  struct Node {
    Node(std::uint64_t seed, std::uint8_t parts)
        : rng(seed), router({with_partials(), id_of, {}}, rng, scores, at(Seconds(1))), have(parts) {}
    SeededRng rng;
    FakeScores scores;
    Router router;
    std::uint8_t have;
  };
  Now now = at(Seconds(1));
  std::vector<std::unique_ptr<Node>> nodes;
  for (const auto parts : std::vector<std::uint8_t>{0x0f, 0x3c, 0xe0})
    nodes.push_back(std::make_unique<Node>(parts, parts));
  const auto publish = [&](Node& node) {
    const auto parts = [&](const PartialPeer& peer) {
      const std::uint8_t theirs = peer.metadata.empty() ? std::uint8_t{0xff} : peer.metadata[0];  // unknown: nothing
      const auto lacks = static_cast<std::uint8_t>(node.have & ~theirs);
      PartialParts made{{}, Bytes{node.have}};
      if (lacks == 0) return made;
      made.message = {lacks};
      made.peer_metadata = Bytes{static_cast<std::uint8_t>(theirs | lacks)};
      return made;
    };
    ASSERT_TRUE(node.router.publish_partial(kTopic, as_bytes(kGroup), parts, now));
  };
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    ASSERT_TRUE(nodes[i]->router.set_partial(kTopic, PartialUse::requests, now));
    ASSERT_TRUE(nodes[i]->router.subscribe(kTopic, now));
    for (std::uint32_t j = 0; j < nodes.size(); ++j) {
      if (i != j) nodes[i]->router.add_peer(peer_id(j), ProtocolVersion::v1_3, Direction::outbound, now);
    }
  }
  std::size_t frames = 0;
  const auto exchange = [&] {
    for (bool is_busy = true; is_busy;) {
      is_busy = false;
      for (std::uint32_t i = 0; i < nodes.size(); ++i) {
        for (std::uint32_t j = 0; j < nodes.size(); ++j) {
          while (const auto frame = nodes[i]->router.next_frame(peer_id(j))) {
            ASSERT_TRUE(nodes[j]->router.on_frame(peer_id(i), *frame, now));
            is_busy = true;
            ASSERT_LT(++frames, 200U);
          }
        }
        bool has_news = false;
        while (const auto action = nodes[i]->router.poll_action()) {
          const auto* got = std::get_if<PartialReceived>(&*action);
          if (got == nullptr) continue;
          has_news = true;
          if (!got->message.empty())
            nodes[i]->have = static_cast<std::uint8_t>(nodes[i]->have | got->message.view()[0]);
        }
        if (has_news) publish(*nodes[i]);
      }
    }
  };
  exchange();
  for (int beat = 0; beat < 2; ++beat) {
    now = now + Millis(500);
    for (const auto& node : nodes) node->router.on_timeout(now);
    exchange();
  }
  for (const auto& node : nodes) publish(*node);
  exchange();
  for (const auto& node : nodes) {
    EXPECT_EQ(node->have, 0xff);
    EXPECT_EQ(node->router.counters().dropped_partial_not_enabled + node->router.counters().dropped_partial_bounds, 0U);
    node->router.check();
  }
}

}  // namespace
}  // namespace libp2p::gossipsub::test
