#include "protocols/yamux/session.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "base/rng.hpp"

namespace libp2p::yamux {
namespace {

// Records the events of a session and checks their order.
class Recorder : public SessionEvents {
 public:
  struct Seen {
    Bytes data;
    int ends = 0, resets = 0, closed = 0, writable = 0;
    Error error;
  };
  void on_inbound_stream(StreamId id) override {
    inbound.push_back(id);
    if (inbound_hook) inbound_hook(id);
  }
  void on_data(StreamId id, ByteView data) override {
    EXPECT_EQ(streams[id].ends + streams[id].resets + streams[id].closed, 0);
    append(streams[id].data, data);
    if (data_hook) data_hook(id, data);
  }
  void on_end(StreamId id) override { ++streams[id].ends; }
  void on_reset(StreamId id, const Error& error) override {
    ++streams[id].resets;
    streams[id].error = error;
  }
  void on_writable(StreamId id) override {
    ++streams[id].writable;
    if (writable_hook) writable_hook(id);
  }
  void on_closed(StreamId id) override { ++streams[id].closed; }

  std::vector<StreamId> inbound;
  std::map<StreamId, Seen> streams;
  std::function<void(StreamId)> inbound_hook, writable_hook;
  std::function<void(StreamId, ByteView)> data_hook;
};

Bytes frame(FrameType type, std::uint16_t flags, std::uint32_t stream, std::uint32_t length, ByteView payload = {}) {
  Bytes out(kHeaderSize);
  write_header(out.data(), make_header(type, flags, stream, length));
  append(out, payload);
  return out;
}
Bytes window(std::uint16_t flags, std::uint32_t stream, std::uint32_t credit = 0) {
  return frame(FrameType::window_update, flags, stream, credit);
}
Bytes data(std::uint16_t flags, std::uint32_t stream, ByteView payload) {
  return frame(FrameType::data, flags, stream, static_cast<std::uint32_t>(payload.size()), payload);
}

struct Frame {
  Header header;
  Bytes payload;
};
std::vector<Frame> frames(ByteView bytes) {
  std::vector<Frame> out;
  while (bytes.size() >= kHeaderSize) {
    Frame parsed{read_header(bytes.data()), {}};
    bytes = bytes.subspan(kHeaderSize);
    if (parsed.header.type == static_cast<std::uint8_t>(FrameType::data)) {
      parsed.payload = to_bytes(bytes.first(std::min<std::size_t>(bytes.size(), parsed.header.length)));
      bytes = bytes.subspan(parsed.payload.size());
    }
    out.push_back(std::move(parsed));
  }
  EXPECT_TRUE(bytes.empty());
  return out;
}

// A session without pings, unless the limits ask for them, and a hand that plays the peer.
class YamuxSession : public ::testing::Test {
 protected:
  YamuxSession() { limits.keep_alive_interval = Nanos(0); }
  void TearDown() override {
    session.reset();
    EXPECT_EQ(live<Stream>(), 0);
  }
  Session& make(Side side = Side::server) {
    session.emplace(side, limits, user, now);
    return *session;
  }
  Result<void> feed(const Bytes& bytes) { return session->on_bytes(bytes, now); }
  Bytes drain(std::size_t room = 1 << 20) {
    Bytes out(room);
    out.resize(session->poll_output(out, now));
    return out;
  }
  // The single frame that is to be sent.
  Header only_frame() {
    const auto sent = frames(drain());
    EXPECT_EQ(sent.size(), 1U);
    return sent.empty() ? Header{} : sent[0].header;
  }
  StreamId open_inbound(std::uint32_t wire = 1) {
    EXPECT_TRUE(feed(window(kSyn, wire)));
    EXPECT_EQ(only_frame(), make_header(FrameType::window_update, kAck, wire, 0));
    return user.inbound.back();
  }

  Limits limits;
  Recorder user;
  Now now{MonoTime(Seconds(100)), UnixTime(Seconds(0))};
  std::optional<Session> session;
};

TEST_F(YamuxSession, opens_streams_with_odd_ids_as_client_and_even_ones_as_server) {
  make(Side::client);
  EXPECT_EQ(wire_id(session->open(now).value()), 1U);
  EXPECT_EQ(wire_id(session->open(now).value()), 3U);
  make(Side::server);
  EXPECT_EQ(wire_id(session->open(now).value()), 2U);
  EXPECT_EQ(only_frame(), make_header(FrameType::window_update, kSyn, 2, 0));
}

TEST_F(YamuxSession, acknowledges_inbound_streams_and_delivers_data_sent_with_the_opening) {
  make();
  ASSERT_TRUE(feed(data(kSyn, 1, as_bytes("early"))));
  ASSERT_EQ(user.inbound.size(), 1U);
  EXPECT_EQ(as_text(user.streams[user.inbound[0]].data), "early");
  EXPECT_EQ(only_frame(), make_header(FrameType::window_update, kAck, 1, 0));
}

TEST_F(YamuxSession, ends_the_session_on_every_illegal_frame_with_a_protocol_error) {
  const struct {
    const char* why;
    Bytes bytes;
  } cases[] = {
      {"version 1", {1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}},
      {"type 4", {0, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}},
      {"type 255", {0, 255, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}},
      {"opening of stream 0", window(kSyn, 0)},
      {"opening with an id of ours", window(kSyn, 2)},
      {"opening by data with an id of ours", data(kSyn, 4, as_bytes("x"))},
      {"opening twice", [] { Bytes b = window(kSyn, 1); append(b, window(kSyn, 1)); return b; }()},
      {"more than the window", frame(FrameType::data, kSyn, 1, kInitialWindow + 1)},
      {"the largest length", frame(FrameType::data, kSyn, 1, 0xffffffff)},
  };
  for (const auto& item : cases) {
    SCOPED_TRACE(item.why);
    user = {};
    make();
    const auto result = feed(item.bytes);
    ASSERT_FALSE(result);
    EXPECT_TRUE(session->failed());
    EXPECT_EQ(only_frame(), make_header(FrameType::go_away, 0, 0, 1));
    EXPECT_FALSE(session->wants_output());
    EXPECT_EQ(session->stream_count(), 0U);
    for (const auto id : user.inbound) EXPECT_EQ(user.streams[id].resets, 1);
    EXPECT_EQ(feed(window(kSyn, 5)).error().code(), Errc::closed);
    EXPECT_FALSE(session->open(now));
  }
  make(Side::client);
  EXPECT_FALSE(feed(window(kSyn, 1)));
  make(Side::client);
  EXPECT_FALSE(feed(window(kSyn, 0)));
}

TEST_F(YamuxSession, skips_frames_for_streams_that_are_gone_or_never_were) {
  make();
  for (const Bytes& late : {data(0, 9, Bytes(5000)), data(kFin, 9, as_bytes("x")), window(0, 9, 100), window(kFin, 9),
                            window(kRst, 9), window(kAck, 9), data(kRst, 2, {}), data(kAck, 0, as_bytes("zero"))})
    EXPECT_TRUE(feed(late));
  EXPECT_TRUE(user.streams.empty());
  EXPECT_FALSE(session->wants_output());
  EXPECT_EQ(session->counters().late_frames, 8U);
  EXPECT_EQ(session->counters().late_bytes, 5005U);
}

TEST_F(YamuxSession, answers_pings_with_their_value_and_bounds_the_answers) {
  make();
  ASSERT_TRUE(feed(frame(FrameType::ping, kSyn, 0, 0x01020304)));
  EXPECT_EQ(only_frame(), make_header(FrameType::ping, kAck, 0, 0x01020304));
  for (std::uint32_t i = 0; i < 100; ++i) ASSERT_TRUE(feed(frame(FrameType::ping, kSyn, 0, i)));
  EXPECT_EQ(frames(drain()).size(), limits.max_queued_pongs);
  EXPECT_EQ(session->counters().unanswered_pings, 100 - limits.max_queued_pongs);
  EXPECT_TRUE(feed(frame(FrameType::ping, kAck, 0, 99)));  // an answer to nothing
}

TEST_F(YamuxSession, ends_on_the_peers_go_away) {
  for (const std::uint32_t code : {0U, 1U, 2U, 99U}) {
    user = {};
    make();
    const auto id = open_inbound();
    EXPECT_EQ(feed(frame(FrameType::go_away, 0, 0, code)).error().code(), code == 0 ? Errc::closed : Errc::reset);
    EXPECT_EQ(user.streams[id].resets, 1);
    EXPECT_FALSE(session->wants_output());
  }
}

TEST_F(YamuxSession, sends_no_more_than_the_peers_credit) {
  limits.max_send_queue = 1 << 20;
  make(Side::client);
  const auto id = session->open(now).value();
  EXPECT_EQ(session->send(id, Bytes(300'000)), 300'000U);
  std::size_t sent = 0;
  for (const auto& f : frames(drain())) sent += f.payload.size();
  EXPECT_EQ(sent, kInitialWindow);
  EXPECT_FALSE(session->wants_output());
  ASSERT_TRUE(feed(window(0, 1, 1000)));
  EXPECT_EQ(only_frame(), make_header(FrameType::data, 0, 1, 1000));
  ASSERT_TRUE(feed(window(0, 1, 0xffffffff)));
  ASSERT_TRUE(feed(window(0, 1, 0xffffffff)));  // beyond what 32 bits can say: no harm
  EXPECT_EQ(only_frame(), make_header(FrameType::data, 0, 1, 300'000 - kInitialWindow - 1000));
}

TEST_F(YamuxSession, gives_credit_back_only_for_what_was_consumed) {
  make();
  const auto id = open_inbound();
  ASSERT_TRUE(feed(data(0, 1, Bytes(kInitialWindow))));
  EXPECT_FALSE(session->wants_output());
  EXPECT_EQ(session->unconsumed_bytes(), kInitialWindow);
  session->consume(id, kInitialWindow / 2 - 1);
  EXPECT_FALSE(session->wants_output());
  session->consume(id, 1);
  EXPECT_EQ(only_frame(), make_header(FrameType::window_update, 0, 1, kInitialWindow / 2));
  session->consume(id, 1 << 30);  // never more than was delivered
  EXPECT_EQ(only_frame(), make_header(FrameType::window_update, 0, 1, kInitialWindow / 2));
  EXPECT_EQ(session->unconsumed_bytes(), 0U);
  EXPECT_FALSE(feed(data(0, 1, Bytes(kInitialWindow + 1))));
}

TEST_F(YamuxSession, holds_the_window_against_consumption_in_the_middle_of_a_frame) {
  make();
  const auto id = open_inbound();
  user.data_hook = [&](StreamId, ByteView part) { session->consume(id, part.size()); };
  std::uint64_t credit = 0;
  std::uint64_t received = 0;
  SeededRng rng(1);
  while (received < 5'000'000) {
    const std::size_t n = 1 + rng.below(200'000);
    if (received + n > kInitialWindow + credit) {
      for (const auto& f : frames(drain())) credit += f.header.length;
      if (received + n > kInitialWindow + credit) continue;
    }
    const Bytes sent = data(0, 1, Bytes(n));
    for (std::size_t at = 0; at < sent.size();) {
      const std::size_t part = std::min<std::size_t>(sent.size() - at, 1 + rng.below(50'000));
      ASSERT_TRUE(session->on_bytes(ByteView(sent).subspan(at, part), now));
      at += part;
    }
    received += n;
    for (const auto& f : frames(drain())) credit += f.header.length;
    ASSERT_LE(credit, received);  // never more than the window in advance
  }
}

TEST_F(YamuxSession, doubles_the_window_of_a_reader_that_keeps_up_and_stops_at_its_bounds) {
  limits.keep_alive_interval = Seconds(30);
  limits.max_window = 1 << 20;
  make();
  const auto sent = frames(drain());
  ASSERT_EQ(sent.size(), 1U);
  now = now + Millis(10);
  ASSERT_TRUE(feed(frame(FrameType::ping, kAck, 0, sent[0].header.length)));
  EXPECT_EQ(*session->round_trip(), Millis(10));
  const auto id = open_inbound();
  std::uint32_t last = 0;
  for (int i = 0; i < 6; ++i) {
    now = now + Millis(5);
    const std::uint32_t n = session->receive_window(id) / 2;
    ASSERT_TRUE(feed(data(0, 1, Bytes(n))));
    session->consume(id, n);
    last = only_frame().length;
  }
  EXPECT_EQ(session->receive_window(id), limits.max_window);
  EXPECT_EQ(last, limits.max_window / 2);
  // Slow use: no growth.
  const auto slow = open_inbound(3);
  now = now + Seconds(1);
  ASSERT_TRUE(feed(data(0, 3, Bytes(kInitialWindow / 2))));
  session->consume(slow, kInitialWindow);
  EXPECT_EQ(session->receive_window(slow), kInitialWindow);
}

TEST_F(YamuxSession, resets_a_stream_whose_data_would_exceed_the_connections_memory) {
  limits.max_receive_memory = 300'000;
  make();
  const auto one = open_inbound(1), two = open_inbound(3);
  ASSERT_TRUE(feed(data(0, 1, Bytes(200'000))));
  ASSERT_TRUE(feed(data(0, 3, Bytes(200'000))));
  EXPECT_EQ(user.streams[two].resets, 1);
  EXPECT_EQ(user.streams[two].error.code(), Errc::exhausted);
  EXPECT_TRUE(user.streams[two].data.empty());
  EXPECT_EQ(user.streams[one].resets, 0);
  EXPECT_EQ(only_frame(), make_header(FrameType::window_update, kRst, 3, 0));
  session->reset(one);
  EXPECT_EQ(session->unconsumed_bytes(), 0U);
}

TEST_F(YamuxSession, refuses_streams_above_the_bound_and_takes_new_ones_when_old_ones_end) {
  limits.max_inbound_streams = 3;
  make();
  for (std::uint32_t wire = 1; wire <= 5; wire += 2) open_inbound(wire);
  ASSERT_TRUE(feed(data(kSyn, 7, as_bytes("refused"))));
  EXPECT_EQ(only_frame(), make_header(FrameType::window_update, kRst, 7, 0));
  EXPECT_EQ(session->counters().refused_streams, 1U);
  ASSERT_TRUE(feed(window(kRst, 1)));
  open_inbound(9);
}

TEST_F(YamuxSession, ends_the_session_of_a_peer_that_floods_and_does_not_read) {
  make();
  Result<void> result;
  std::uint32_t wire = 1;
  for (; result && wire < 100'000; wire += 2) {
    Bytes flood = window(kSyn, wire);
    append(flood, window(kRst, wire));
    result = feed(flood);
  }
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Errc::exhausted);
  EXPECT_LE((wire / 2) * kHeaderSize, limits.max_control_bytes + 2 * kHeaderSize);
  EXPECT_EQ(only_frame(), make_header(FrameType::go_away, 0, 0, 2));
}

TEST_F(YamuxSession, bounds_the_streams_that_the_peer_has_not_acknowledged) {
  limits.max_unacknowledged = 2;
  limits.max_outbound_streams = 3;
  make(Side::client);
  ASSERT_TRUE(session->open(now));
  ASSERT_TRUE(session->open(now));
  EXPECT_EQ(session->open(now).error().code(), Errc::exhausted);
  ASSERT_TRUE(feed(window(kAck, 1)));
  ASSERT_TRUE(feed(window(kAck, 1)));  // twice counts once
  const auto third = session->open(now).value();
  EXPECT_EQ(session->open(now).error().code(), Errc::exhausted);
  ASSERT_TRUE(feed(window(kAck, 3)));
  EXPECT_EQ(session->open(now).error().code(), Errc::exhausted);  // three live
  session->reset(third);
  EXPECT_TRUE(session->open(now));
}

TEST_F(YamuxSession, serves_ready_streams_in_turn_with_frames_of_bounded_size) {
  make(Side::client);
  const auto one = session->open(now).value(), two = session->open(now).value();
  drain();
  session->send(one, Bytes(200'000, 1));
  session->send(two, Bytes(200'000, 2));
  std::vector<std::uint32_t> order;
  for (const auto& f : frames(drain())) {
    EXPECT_LE(f.payload.size(), limits.max_frame_payload);
    order.push_back(f.header.stream_id);
  }
  ASSERT_EQ(order.size(), 8U);
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], i % 2 == 0 ? 1U : 3U);
}

TEST_F(YamuxSession, writes_whole_frames_into_any_room) {
  for (std::size_t room = kHeaderSize + 1; room < 200; ++room) {
    make(Side::client);
    const auto id = session->open(now).value();
    Bytes message(1000);
    SeededRng(room).fill(message);
    session->send(id, message);
    session->close_write(id);
    Bytes all;
    while (session->wants_output()) {
      const Bytes part = drain(room);
      ASSERT_FALSE(part.empty());
      append(all, part);
    }
    Bytes received;
    const auto parsed = frames(all);
    for (const auto& f : parsed) append(received, f.payload);
    EXPECT_EQ(received, message);
    EXPECT_EQ(parsed.back().header, make_header(FrameType::window_update, kFin, 1, 0));
  }
}

TEST_F(YamuxSession, sends_control_frames_before_data) {
  make();
  const auto id = open_inbound();
  session->send(id, Bytes(100));
  ASSERT_TRUE(feed(frame(FrameType::ping, kSyn, 0, 5)));
  const auto sent = frames(drain());
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].header.type, static_cast<std::uint8_t>(FrameType::ping));
}

TEST_F(YamuxSession, asks_for_more_when_a_full_queue_has_fallen_to_its_low_water) {
  make(Side::client);
  const auto id = session->open(now).value();
  drain();
  EXPECT_EQ(session->send(id, Bytes(limits.max_send_queue)), limits.max_send_queue);
  EXPECT_EQ(session->send(id, Bytes(1)), 0U);
  EXPECT_FALSE(session->send(id, share(Bytes(2000)), 0));
  drain(100'000);
  EXPECT_EQ(user.streams[id].writable, 0);
  drain(200'000);
  EXPECT_EQ(user.streams[id].writable, 1);
  drain();
  EXPECT_EQ(user.streams[id].writable, 1);  // once for each time that it was refused
}

TEST_F(YamuxSession, half_closes_in_both_orders) {
  make();
  auto id = open_inbound();
  ASSERT_TRUE(feed(data(kFin, 1, as_bytes("last"))));
  EXPECT_EQ(as_text(user.streams[id].data), "last");
  EXPECT_EQ(user.streams[id].ends, 1);
  EXPECT_EQ(session->send(id, as_bytes("answer")), 6U);
  session->close_write(id);
  EXPECT_EQ(session->send(id, as_bytes("too late")), 0U);
  EXPECT_EQ(frames(drain()).size(), 2U);
  EXPECT_EQ(user.streams[id].closed, 1);

  id = open_inbound(3);
  session->close_write(id);
  EXPECT_EQ(only_frame(), make_header(FrameType::window_update, kFin, 3, 0));
  ASSERT_TRUE(feed(data(0, 3, as_bytes("still coming"))));
  ASSERT_TRUE(feed(window(kFin, 3)));
  EXPECT_EQ(user.streams[id].closed, 1);
  EXPECT_EQ(session->stream_count(), 0U);
}

TEST_F(YamuxSession, resets_a_stream_that_sends_after_its_end) {
  make();
  const auto id = open_inbound();
  ASSERT_TRUE(feed(window(kFin, 1)));
  ASSERT_TRUE(feed(window(kFin, 1)));  // said twice
  EXPECT_EQ(user.streams[id].ends, 1);
  ASSERT_TRUE(feed(data(0, 1, as_bytes("x"))));
  EXPECT_EQ(user.streams[id].resets, 1);
  EXPECT_EQ(only_frame(), make_header(FrameType::window_update, kRst, 1, 0));
}

TEST_F(YamuxSession, drops_the_queue_of_a_reset_stream) {
  make();
  const auto id = open_inbound();
  auto shared = share(Bytes(10'000));
  ASSERT_TRUE(session->send(id, shared, 0));
  ASSERT_TRUE(feed(window(kRst, 1)));
  EXPECT_EQ(shared.use_count(), 1);
  EXPECT_EQ(user.streams[id].resets, 1);
  EXPECT_FALSE(session->wants_output());
}

TEST_F(YamuxSession, tells_a_reused_id_on_the_wire_from_the_old_stream) {
  make();
  const auto old = open_inbound();
  ASSERT_TRUE(feed(window(kRst, 1)));
  const auto fresh = open_inbound();
  EXPECT_NE(old, fresh);
  EXPECT_EQ(session->send(old, as_bytes("x")), 0U);
  session->reset(old);
  EXPECT_TRUE(session->has(fresh));
}

TEST_F(YamuxSession, survives_a_reset_inside_every_event) {
  make();
  user.inbound_hook = [&](StreamId id) { session->reset(id); };
  ASSERT_TRUE(feed(data(kSyn, 1, as_bytes("dropped"))));
  EXPECT_EQ(session->stream_count(), 0U);
  user.inbound_hook = nullptr;
  drain();
  const auto id = open_inbound(3);
  user.data_hook = [&](StreamId which, ByteView) { session->reset(which); };
  Bytes in = data(kFin, 3, Bytes(1000));
  ASSERT_TRUE(session->on_bytes(ByteView(in).first(500), now));
  ASSERT_TRUE(session->on_bytes(ByteView(in).subspan(500), now));
  EXPECT_EQ(user.streams[id].data.size(), 500 - kHeaderSize);
  EXPECT_EQ(user.streams[id].ends, 0);
  user.data_hook = nullptr;
  drain();
  const auto full = open_inbound(5);
  user.writable_hook = [&](StreamId which) { session->reset(which); };
  session->send(full, Bytes(limits.max_send_queue + 1));
  drain();
  EXPECT_FALSE(session->has(full));
}

TEST_F(YamuxSession, pings_at_the_start_then_at_its_interval_and_gives_up_a_silent_peer) {
  limits.keep_alive_interval = Seconds(30);
  make();
  EXPECT_EQ(*session->next_deadline(), now.mono + Seconds(10));
  const auto first = only_frame();
  EXPECT_EQ(first.type, static_cast<std::uint8_t>(FrameType::ping));
  ASSERT_TRUE(feed(frame(FrameType::ping, kAck, 0, first.length + 1)));  // another one's answer
  EXPECT_FALSE(session->round_trip());
  ASSERT_TRUE(feed(frame(FrameType::ping, kAck, 0, first.length)));
  EXPECT_EQ(*session->next_deadline(), now.mono + Seconds(30));
  now = now + Seconds(29);
  EXPECT_TRUE(session->on_timeout(now));
  EXPECT_FALSE(session->wants_output());
  now = now + Seconds(1);
  EXPECT_TRUE(session->on_timeout(now));
  EXPECT_TRUE(session->wants_output());
  drain();
  now = now + Seconds(9);
  ASSERT_TRUE(feed(window(0, 99, 1)));  // anything at all is a sign of life
  now = now + Seconds(9);
  EXPECT_TRUE(session->on_timeout(now));
  now = now + Seconds(1);
  EXPECT_EQ(session->on_timeout(now).error().code(), Errc::timed_out);
  EXPECT_FALSE(session->next_deadline());
}

TEST_F(YamuxSession, goes_away_after_the_data_and_refuses_new_streams_at_once) {
  make();
  const auto id = open_inbound();
  session->send(id, Bytes(100'000));
  session->go_away();
  ASSERT_TRUE(feed(window(kSyn, 3)));
  const auto sent = frames(drain());
  ASSERT_EQ(sent.size(), 4U);
  EXPECT_EQ(sent[0].header, make_header(FrameType::window_update, kRst, 3, 0));
  EXPECT_EQ(sent.back().header, make_header(FrameType::go_away, 0, 0, 0));
  EXPECT_FALSE(session->wants_output());
}

TEST_F(YamuxSession, owns_no_buffer_at_rest) {
  make();
  const auto id = open_inbound();
  for (int i = 0; i < 100; ++i) {
    session->send(id, Bytes(1000));
    ASSERT_TRUE(session->send(id, share(Bytes(3000)), 10));
    drain();
    ASSERT_TRUE(feed(window(0, 1, 4000)));
  }
  EXPECT_EQ(session->send_queue_bytes(id), 0U);
  EXPECT_FALSE(session->wants_output());
}

}  // namespace
}  // namespace libp2p::yamux
