#include "libp2p/protocols/yamux/session_test_support.hpp"

namespace libp2p::yamux::testing_session {
namespace {

TEST_F(YamuxSession, opens_streams_with_odd_ids_as_client_and_even_ones_as_server) {
  make(Side::client);
  EXPECT_EQ(wire_id(session->open(now).value()), 1U);
  EXPECT_EQ(wire_id(session->open(now).value()), 3U);
  make(Side::server);
  EXPECT_EQ(wire_id(session->open(now).value()), 2U);
  EXPECT_EQ(only_frame(), make_header(FrameType::window_update, kSyn, 2, 0));
}

TEST_F(YamuxSession, delivers_data_sent_with_the_opening_and_acknowledges_once_when_told) {
  make();
  ASSERT_TRUE(feed(data(kSyn, 1, as_bytes("early"))));
  ASSERT_EQ(user.inbound.size(), 1U);
  EXPECT_EQ(as_text(user.streams[user.inbound[0]].data), "early");
  EXPECT_FALSE(session->wants_output());
  session->acknowledge(user.inbound[0]);
  session->acknowledge(user.inbound[0]);
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
      {"opening twice",
       [] {
         Bytes b = window(kSyn, 1);
         append(b, window(kSyn, 1));
         return b;
       }()},
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

// libp2p's codes of connections: those that are no fault of ours are an end in order, and each says why.
TEST_F(YamuxSession, says_why_the_peer_has_gone_away) {
  const std::pair<std::uint32_t, std::pair<Errc, const char*>> cases[] = {
      {0x1000, {Errc::reset, "code 0x1000"}},        {0x1001, {Errc::closed, "limit of its resources"}},
      {0x1002, {Errc::closed, "too often"}},         {0x1003, {Errc::reset, "code 0x1003"}},
      {0x1004, {Errc::closed, "replaces this one"}}, {0x1005, {Errc::closed, "too many connections"}},
      {0x1006, {Errc::closed, "shuts down"}},        {0x1007, {Errc::closed, "blocks us"}},
      {0xffffffff, {Errc::reset, "code 0xffffffff"}}};
  for (const auto& [code, expected] : cases) {
    make();
    const Error why = feed(frame(FrameType::go_away, 0, 0, code)).error();
    EXPECT_EQ(why.code(), expected.first) << code;
    EXPECT_NE(why.message().find(expected.second), std::string::npos) << why.message();
  }
}

TEST_F(YamuxSession, goes_away_with_the_first_reason_that_it_is_given) {
  make();
  session->go_away(GoAwayCode::garbage_collected);
  session->go_away();
  EXPECT_EQ(only_frame(), make_header(FrameType::go_away, 0, 0, 0x1005));
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
  for (; result && wire < 100'000; wire += 2) result = feed(window(kSyn, wire));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Errc::exhausted);
  EXPECT_LE((wire / 2 - limits.max_inbound_streams) * kHeaderSize, limits.max_control_bytes + 2 * kHeaderSize);
  EXPECT_EQ(only_frame(), make_header(FrameType::go_away, 0, 0, 2));
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

TEST_F(YamuxSession, gives_up_a_peer_that_sends_a_little_and_never_answers_a_ping) {
  limits.keep_alive_interval = Seconds(30);
  make();
  drain();
  for (int i = 0; i < 13; ++i) {
    now = now + Seconds(9);
    ASSERT_TRUE(feed(window(0, 99, 1)));
    EXPECT_TRUE(session->on_timeout(now)) << i;
  }
  now = now + Seconds(3);
  EXPECT_EQ(session->on_timeout(now).error().code(), Errc::timed_out);
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

}  // namespace
}  // namespace libp2p::yamux::testing_session
