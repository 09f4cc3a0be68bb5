// What the router says for a trace, the events that are made of it, and their bytes.
#include "libp2p/protocols/gossipsub/trace_event.hpp"

#include <gmock/gmock.h>

#include "libp2p/base/protobuf.hpp"
#include "libp2p/protocols/gossipsub/router_test_support.hpp"
#include "libp2p/protocols/gossipsub/trace_encode.hpp"

namespace libp2p::gossipsub::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr std::uint32_t kTracer = 99;  // whose trace it is

Router::Config traced_config() {
  Router::Config config;
  config.message_id = id_of;
  config.tracing = true;
  return config;
}

// The events that a router's actions make, one after another.
std::vector<TraceEvent> events_of(Bench& bench) {
  std::vector<TraceEvent> events;
  bench.drain();
  for (const Action& action : bench.actions) {
    if (const auto* trace = std::get_if<Trace>(&action)) {
      if (auto event = trace_event(*trace, peer_id(kTracer), bench.now.wall)) events.push_back(std::move(*event));
    } else if (const auto* rpc = std::get_if<RpcTrace>(&action)) {
      events.push_back(trace_event(*rpc, peer_id(kTracer), bench.now.wall));
    }
  }
  bench.actions.clear();
  return events;
}

std::vector<TraceEventKind> kinds_of(const std::vector<TraceEvent>& events) {
  std::vector<TraceEventKind> kinds;
  for (const auto& event : events) kinds.push_back(event.kind);
  return kinds;
}

TraceEvent traced(TraceEventKind kind) {
  TraceEvent event;
  event.kind = kind;
  event.self = peer_id(1);
  event.at = UnixTime(Nanos(5));
  event.peer = peer_id(2);
  event.id = *MessageId::from(as_bytes("id"));
  event.topic = "t";
  return event;
}

std::string protobuf_of(const TraceEvent& event) {
  std::string bytes;
  append_trace(bytes, event, TraceFormat::protobuf);
  return bytes;
}
std::string json_of(const TraceEvent& event) {
  std::string bytes;
  append_trace(bytes, event, TraceFormat::json_lines);
  return bytes;
}

// Numbers of the fields of a message that has no length in front.
std::vector<std::uint32_t> fields_of(ByteView message) {
  std::vector<std::uint32_t> numbers;
  ProtobufReader reader(message);
  ProtobufField field;
  while (reader.next(field).value()) numbers.push_back(field.number);
  return numbers;
}

TEST(RouterTraces, tells_no_rpc_without_tracing) {
  Bench bench;
  bench.add_subscriber(1, ProtocolVersion::pending);
  bench.router.set_version(peer_id(1), ProtocolVersion::v1_2, bench.now);
  EXPECT_TRUE(bench.router.subscribe(kTopic, bench.now));
  bench.sent(1);
  EXPECT_THAT(bench.take<RpcTrace>(), IsEmpty());
  for (const Trace& trace : bench.take<Trace>()) EXPECT_NE(trace.kind, TraceKind::version_agreed);
}

TEST(RouterTraces, tells_of_an_rpc_before_what_it_causes_and_names_its_messages) {
  Bench bench(traced_config());
  EXPECT_TRUE(bench.router.subscribe(kTopic, bench.now));
  bench.add(1);
  events_of(bench);
  Rpc rpc = message_rpc(kTopic, as_bytes("hello"));
  rpc.subscriptions.push_back({true, kTopic, {}, {}});
  rpc.control.emplace().graft.push_back({kTopic});
  bench.send(1, rpc);
  bench.answer_all(ValidationResult::accept);
  bench.send_message(1, "hello");
  const auto events = events_of(bench);
  ASSERT_THAT(kinds_of(events),
              ElementsAre(TraceEventKind::receive_rpc, TraceEventKind::graft, TraceEventKind::deliver_message,
                          TraceEventKind::receive_rpc, TraceEventKind::duplicate_message));
  const MessageId id = id_of(kTopic, as_bytes("hello"));
  for (const std::size_t at : {0, 3}) {
    ASSERT_EQ(events[at].meta->messages.size(), 1U);
    EXPECT_EQ(events[at].meta->messages[0].id, id);
    EXPECT_EQ(events[at].meta->messages[0].topic, kTopic);
    EXPECT_EQ(events[at].peer, peer_id(1));
  }
  EXPECT_THAT(events[0].meta->graft, ElementsAre(kTopic));
  ASSERT_EQ(events[0].meta->subscriptions.size(), 1U);
  EXPECT_TRUE(events[0].meta->subscriptions[0].subscribe);
  EXPECT_EQ(events[2].id, id);
  EXPECT_EQ(events[2].self, peer_id(kTracer));
}

TEST(RouterTraces, tells_of_each_frame_that_is_sent_with_the_names_that_are_known) {
  Bench bench(traced_config());
  bench.add_subscriber(1);
  EXPECT_TRUE(bench.router.subscribe(kTopic, bench.now));
  bench.sent(1);
  events_of(bench);
  const auto publication = bench.router.publish(kTopic, as_bytes("mine"), LocalCheck::already_valid, bench.now);
  ASSERT_TRUE(publication);
  bench.sent(1);
  const auto events = events_of(bench);
  ASSERT_THAT(kinds_of(events), ElementsAre(TraceEventKind::publish_message, TraceEventKind::send_rpc));
  EXPECT_EQ(events[1].peer, peer_id(1));
  ASSERT_EQ(events[1].meta->messages.size(), 1U);
  EXPECT_EQ(events[1].meta->messages[0].id, publication->id);
  EXPECT_FALSE(events[1].meta->has_control);
}

TEST(RouterTraces, tells_of_control_that_is_sent_without_the_name_of_an_earlier_message) {
  Bench bench(traced_config());
  bench.add_subscriber(1);
  EXPECT_TRUE(bench.router.subscribe(kTopic, bench.now));
  const auto events = [&] {
    bench.sent(1);
    return events_of(bench);
  }();
  const TraceEvent& sent = events.back();
  ASSERT_EQ(sent.kind, TraceEventKind::send_rpc);
  EXPECT_THAT(sent.meta->messages, IsEmpty());
  EXPECT_THAT(sent.meta->graft, ElementsAre(kTopic));
  ASSERT_EQ(sent.meta->subscriptions.size(), 1U);
  EXPECT_EQ(sent.meta->subscriptions[0].topic, kTopic);
}

TEST(RouterTraces, tells_of_a_message_that_found_no_room_as_an_rpc_that_is_dropped) {
  Router::Config config = traced_config();
  config.params.outbox.max_items = 1;
  Bench bench(std::move(config));
  bench.add_subscriber(1);
  EXPECT_TRUE(bench.router.subscribe(kTopic, bench.now));
  events_of(bench);
  const auto first = bench.router.publish(kTopic, as_bytes("a"), LocalCheck::already_valid, bench.now);
  ASSERT_TRUE(bench.router.publish(kTopic, as_bytes("b"), LocalCheck::already_valid, bench.now));
  const auto events = events_of(bench);
  ASSERT_THAT(kinds_of(events),
              ElementsAre(TraceEventKind::publish_message, TraceEventKind::publish_message, TraceEventKind::drop_rpc));
  EXPECT_EQ(events[2].peer, peer_id(1));
  ASSERT_EQ(events[2].meta->messages.size(), 1U);
  EXPECT_EQ(events[2].meta->messages[0].id, first->id);
}

TEST(RouterTraces, a_peer_is_added_when_its_protocol_is_known_and_removed_if_it_was_added) {
  Bench bench(traced_config());
  bench.add(1, ProtocolVersion::pending);
  bench.add(2, ProtocolVersion::v1_1);
  bench.router.set_version(peer_id(1), ProtocolVersion::floodsub, bench.now);
  bench.add(3, ProtocolVersion::pending);
  for (const std::uint32_t n : {1, 2, 3}) bench.router.remove_peer(peer_id(n), bench.now);
  std::vector<std::pair<TraceEventKind, std::string>> seen;
  for (const auto& event : events_of(bench)) seen.emplace_back(event.kind, event.detail);
  EXPECT_THAT(seen, ElementsAre(Pair(TraceEventKind::add_peer, "/meshsub/1.1.0"),
                                Pair(TraceEventKind::add_peer, "/floodsub/1.0.0"),
                                Pair(TraceEventKind::remove_peer, ""), Pair(TraceEventKind::remove_peer, "")));
}

TEST(TraceEvents, a_rejected_message_has_the_reason_that_go_gives) {
  Trace trace;
  trace.kind = TraceKind::rejected;
  trace.peer = peer_id(3);
  const auto reason = [&](RejectCause cause) {
    trace.reason = cause;
    return std::string(trace_event(trace, peer_id(kTracer), UnixTime())->detail);
  };
  EXPECT_EQ(reason(RejectCause::invalid), "validation failed");
  EXPECT_EQ(reason(RejectCause::ignored), "validation ignored");
  EXPECT_EQ(reason(RejectCause::throttled), "validation throttled");
  EXPECT_EQ(reason(RejectCause::missing_signature), "missing signature");
  EXPECT_EQ(reason(RejectCause::invalid_signature), "invalid signature");
  EXPECT_EQ(reason(RejectCause::self_origin), "self originated message");
  EXPECT_EQ(reason(RejectCause::blacklisted), "blacklisted source");
  EXPECT_EQ(reason(RejectCause::unexpected_author), "unexpected auth info");
  trace.peer = PeerId();
  EXPECT_EQ(trace_event(trace, peer_id(kTracer), UnixTime())->peer, peer_id(kTracer)) << "our own is from ourselves";
}

TEST(TraceEvents, what_go_has_no_event_for_makes_none) {
  for (const TraceKind kind : {TraceKind::peer_joined, TraceKind::peer_left, TraceKind::graylisted,
                               TraceKind::blacklisted, TraceKind::iwant_sent, TraceKind::iwant_served}) {
    Trace trace;
    trace.kind = kind;
    EXPECT_FALSE(trace_event(trace, peer_id(kTracer), UnixTime())) << to_string(kind);
  }
}

TEST(TraceEncoding, an_event_is_a_delimited_message_of_go) {
  const TraceEvent event = traced(TraceEventKind::join);
  // length; type 9; peerID; timestamp 5; join {topic "t"}
  const Bytes expected = from_hex(
                             "11"
                             "0809"
                             "1206000400000001"
                             "1805"
                             "6a030a0174")
                             .value();
  EXPECT_EQ(to_bytes(protobuf_of(event)), expected);
}

TEST(TraceEncoding, a_line_of_json_has_gos_names_and_base64) {
  EXPECT_EQ(json_of(traced(TraceEventKind::join)),
            "{\"type\":9,\"timestamp\":5,\"peerID\":\"AAQAAAAB\",\"join\":{\"topic\":\"t\"}}\n");
  EXPECT_EQ(json_of(traced(TraceEventKind::duplicate_message)),
            "{\"type\":2,\"timestamp\":5,\"peerID\":\"AAQAAAAB\",\"duplicateMessage\":{\"messageID\":\"aWQ=\","
            "\"receivedFrom\":\"AAQAAAAC\",\"topic\":\"t\"}}\n");
}

TEST(TraceEncoding, each_kind_has_its_own_field) {
  for (std::uint32_t kind = 0; kind < kTraceEventKinds; ++kind) {
    const std::string bytes = protobuf_of(traced(static_cast<TraceEventKind>(kind)));
    EXPECT_THAT(fields_of(as_bytes(bytes).subspan(1)), ElementsAre(1U, 2U, 3U, 4U + kind));
  }
}

TEST(TraceEncoding, empty_entries_of_an_rpc_keep_their_places) {
  RpcMeta meta;
  meta.has_control = true;
  meta.iwant.emplace_back();
  meta.graft.emplace_back();
  meta.messages.emplace_back();
  TraceEvent event = traced(TraceEventKind::send_rpc);
  event.meta = std::make_shared<const RpcMeta>(meta);
  EXPECT_EQ(json_of(event),
            "{\"type\":7,\"timestamp\":5,\"peerID\":\"AAQAAAAB\",\"sendRPC\":{\"sendTo\":\"AAQAAAAC\",\"meta\":{"
            "\"messages\":[{}],\"control\":{\"iwant\":[{}],\"graft\":[{}]}}}}\n");
  // sendTo; meta: messages {}, control {iwant {}, graft {}}
  const std::string bytes = protobuf_of(event);
  EXPECT_EQ(to_hex(as_bytes(bytes).last(18)),
            "0a06000400000002"
            "1208"
            "0a00"
            "1a04"
            "1200"
            "1a00");
}

TEST(TraceEncoding, text_of_peers_stays_json) {
  TraceEvent event = traced(TraceEventKind::leave);
  event.topic = "a\"b\\\n\xff\xc3\xa9";
  EXPECT_EQ(json_of(event),
            "{\"type\":10,\"timestamp\":5,\"peerID\":\"AAQAAAAB\",\"leave\":{\"topic\":"
            "\"a\\\"b\\\\\\u000a\\ufffd\xc3\xa9\"}}\n");
}

TEST(TraceEncoding, events_that_are_missing_are_told_in_a_record_of_our_own) {
  const TraceLoss loss{UnixTime(Nanos(7)), 3, 4};
  std::string json, bytes;
  append_trace(json, loss, TraceFormat::json_lines);
  append_trace(bytes, loss, TraceFormat::protobuf);
  EXPECT_EQ(json, "{\"type\":1000,\"timestamp\":7,\"lost\":{\"noRoom\":3,\"unwritten\":4}}\n");
  EXPECT_EQ(to_hex(as_bytes(bytes)),
            "0c"
            "08e807"
            "1807"
            "c23e0408031004");
}

TEST(TraceEncoding, what_an_event_takes_grows_with_what_it_holds) {
  TraceEvent event = traced(TraceEventKind::receive_rpc);
  const std::size_t alone = event.memory_bytes();
  RpcMeta meta;
  for (int i = 0; i < 1000; ++i) meta.ihave.push_back({"topic", {std::string(20, 'i')}});
  event.meta = std::make_shared<const RpcMeta>(meta);
  EXPECT_GT(event.memory_bytes(), alone + 1000 * 25);
}

}  // namespace
}  // namespace libp2p::gossipsub::test
