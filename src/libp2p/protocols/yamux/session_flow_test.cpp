#include <ctime>

#include "libp2p/protocols/yamux/session_test_support.hpp"

namespace libp2p::yamux::testing_session {
namespace {

class YamuxFlow : public YamuxSession {};

TEST_F(YamuxFlow, sends_no_more_than_the_peers_credit) {
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

// Ids that fall into one bucket of a hash table (1,109 is what libstdc++ takes for a thousand entries) made each of
// these frames of twelve bytes cost 5 us. Processor time, and a ratio: what else runs does not count.
TEST_F(YamuxFlow, finds_streams_as_fast_whatever_ids_the_peer_has_chosen) {
  const auto cost = [this](std::uint32_t stride) {
    make();
    Bytes openings, late;
    for (std::uint32_t i = 0; i < 1000; ++i) append(openings, window(kSyn, 1 + 2 * i * stride));
    for (std::uint32_t i = 0; i < 30'000; ++i) append(late, window(0, 1 + 2 * (1000 + i % 1000) * stride));
    EXPECT_TRUE(feed(openings));
    EXPECT_EQ(session->stream_count(), 1000U);
    const std::clock_t before = std::clock();
    EXPECT_TRUE(feed(late));
    return std::clock() - before;
  };
  const auto usual = cost(1);
  EXPECT_LE(cost(1109), 20 * usual + CLOCKS_PER_SEC / 100);
}

TEST_F(YamuxFlow, gives_credit_back_only_for_what_was_consumed) {
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

TEST_F(YamuxFlow, holds_the_window_against_consumption_in_the_middle_of_a_frame) {
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

TEST_F(YamuxFlow, doubles_the_window_of_a_reader_that_keeps_up_and_stops_at_its_bounds) {
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

TEST_F(YamuxFlow, gives_a_peer_that_answers_pings_late_no_larger_windows_for_it) {
  limits.keep_alive_interval = Seconds(30);
  make();
  const auto sent = frames(drain());
  now = now + Seconds(9);
  ASSERT_TRUE(feed(frame(FrameType::ping, kAck, 0, sent[0].header.length)));
  const auto id = open_inbound();
  for (int i = 0; i < 10; ++i) {
    now = now + Seconds(3);  // some 40 KiB a second, far within four of its round trips
    ASSERT_TRUE(feed(data(0, 1, Bytes(kInitialWindow / 2))));
    session->consume(id, kInitialWindow / 2);
    drain();
  }
  EXPECT_EQ(session->receive_window(id), kInitialWindow);
}

TEST_F(YamuxFlow, measures_growth_by_the_shortest_round_trip) {
  limits.keep_alive_interval = Seconds(30);
  make();
  const auto answer_after = [&](Nanos delay) {
    const auto sent = frames(drain());
    now = now + delay;
    ASSERT_TRUE(feed(frame(FrameType::ping, kAck, 0, sent.back().header.length)));
  };
  answer_after(Millis(10));
  now = now + Seconds(31);
  ASSERT_TRUE(session->on_timeout(now));
  answer_after(Millis(400));
  EXPECT_EQ(*session->round_trip(), Millis(400));
  const auto id = open_inbound();
  now = now + Millis(100);  // within four of the last round trip, not of the shortest
  ASSERT_TRUE(feed(data(0, 1, Bytes(kInitialWindow / 2))));
  session->consume(id, kInitialWindow / 2);
  EXPECT_EQ(session->receive_window(id), kInitialWindow);
}

TEST_F(YamuxFlow, leaves_a_window_as_it_is_while_there_is_no_memory_for_more) {
  limits.keep_alive_interval = Seconds(30);
  user.room = 600'000;
  make();
  const auto sent = frames(drain());
  now = now + Millis(10);
  ASSERT_TRUE(feed(frame(FrameType::ping, kAck, 0, sent[0].header.length)));
  const auto id = open_inbound();
  for (int i = 0; i < 5; ++i) {
    now = now + Millis(5);
    const std::uint32_t n = session->receive_window(id) / 2;
    ASSERT_TRUE(feed(data(0, 1, Bytes(n))));
    session->consume(id, n);
    drain();
  }
  EXPECT_EQ(session->receive_window(id), 4 * kInitialWindow);
  EXPECT_EQ(session->counters().refused_growth, 3U);
}

#ifndef OPP2P_NO_ASSERTIONS
TEST_F(YamuxFlow, ends_the_process_when_the_answer_about_memory_enters_the_session) {
  limits.keep_alive_interval = Seconds(30);
  make();
  const auto sent = frames(drain());
  now = now + Millis(10);
  ASSERT_TRUE(feed(frame(FrameType::ping, kAck, 0, sent[0].header.length)));
  const auto id = open_inbound();
  ASSERT_TRUE(feed(data(0, 1, Bytes(kInitialWindow / 2))));
  user.growth_hook = [&] { session->reset(id); };
  EXPECT_DEATH(session->consume(id, kInitialWindow / 2), "the answer of may_grow does not enter the session");
}
#endif

TEST_F(YamuxFlow, resets_a_stream_whose_data_would_exceed_the_connections_memory) {
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

TEST_F(YamuxFlow, takes_data_up_to_the_connections_memory_and_not_a_byte_more) {
  limits.max_receive_memory = 300'000;
  make();
  const auto one = open_inbound(1), two = open_inbound(3);
  ASSERT_TRUE(feed(data(0, 1, Bytes(200'000))));
  ASSERT_TRUE(feed(data(0, 3, Bytes(100'000))));
  EXPECT_EQ(user.streams[two].resets, 0);
  EXPECT_EQ(session->unconsumed_bytes(), 300'000U);
  ASSERT_TRUE(feed(data(0, 1, Bytes(1))));
  EXPECT_EQ(user.streams[one].resets, 1);
}

TEST_F(YamuxFlow, says_nothing_of_room_on_a_stream_that_was_closed_for_writing) {
  make();
  const auto id = open_inbound();
  EXPECT_LT(session->send(id, Bytes(limits.max_send_queue + 1)), limits.max_send_queue + 1);
  session->close_write(id);
  while (!drain().empty()) {
  }
  EXPECT_EQ(user.streams[id].writable, 0);
}

TEST_F(YamuxFlow, is_over_after_an_abort) {
  make();
  const auto id = open_inbound();
  session->abort(Error(Errc::reset, "over"));
  EXPECT_TRUE(session->failed());
  EXPECT_EQ(user.streams[id].resets, 1);
  EXPECT_EQ(session->open(now).error().code(), Errc::closed);
  EXPECT_FALSE(session->next_deadline());
  EXPECT_TRUE(drain().empty());
}

TEST_F(YamuxFlow, leaves_the_window_to_a_reader_who_takes_just_four_round_trips) {
  limits.keep_alive_interval = Seconds(30);
  make();
  const auto ping = frames(drain());
  now = now + Millis(10);
  ASSERT_TRUE(feed(frame(FrameType::ping, kAck, 0, ping.at(0).header.length)));
  const auto id = open_inbound();
  const auto read_half_after = [&](Nanos time) {
    now = now + time;
    ASSERT_TRUE(feed(data(0, 1, Bytes(kInitialWindow / 2))));
    session->consume(id, kInitialWindow / 2);
  };
  read_half_after(Millis(40));
  EXPECT_EQ(session->receive_window(id), kInitialWindow);
  read_half_after(Millis(40) - Nanos(1));
  EXPECT_EQ(session->receive_window(id), 2 * kInitialWindow);
}

TEST_F(YamuxFlow, keeps_streams_beyond_the_peers_backlog_until_it_acknowledges) {
  limits.max_unacknowledged = 2;
  make(Side::client);
  std::vector<StreamId> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(session->open(now).value());
  EXPECT_EQ(session->send(ids[2], as_bytes("waits")), 5U);
  session->close_write(ids[2]);
  const auto opened = [&] {
    std::vector<std::uint32_t> out;
    for (const auto& f : frames(drain()))
      if (f.header.has(kSyn)) out.push_back(f.header.stream_id);
    return out;
  };
  EXPECT_EQ(opened(), (std::vector<std::uint32_t>{1, 3}));
  ASSERT_TRUE(feed(window(kAck, 1)));
  ASSERT_TRUE(feed(window(kAck, 1)));  // twice counts once
  auto sent = frames(drain());
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_EQ(sent[0].header, make_header(FrameType::window_update, kSyn, 5, 0));
  EXPECT_EQ(as_text(sent[1].payload), "waits");
  EXPECT_EQ(sent[2].header, make_header(FrameType::window_update, kFin, 5, 0));
  // A reset of one that waits is not the peer's business; a reset of one that is open makes room.
  session->reset(ids[3]);
  EXPECT_FALSE(session->wants_output());
  session->reset(ids[1]);
  sent = frames(drain());
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].header, make_header(FrameType::window_update, kRst, 3, 0));
  EXPECT_EQ(sent[1].header, make_header(FrameType::window_update, kSyn, 9, 0));
  ASSERT_TRUE(feed(window(kAck, 11)));  // for one that is not open yet: nothing
  EXPECT_FALSE(session->wants_output());
  ASSERT_TRUE(feed(window(kRst, 9)));
  EXPECT_EQ(opened(), (std::vector<std::uint32_t>{11}));
}

TEST_F(YamuxFlow, bounds_the_streams_that_are_open) {
  limits.max_outbound_streams = 3;
  make(Side::client);
  const auto first = session->open(now).value();
  ASSERT_TRUE(session->open(now));
  ASSERT_TRUE(session->open(now));
  EXPECT_EQ(session->open(now).error().code(), Errc::exhausted);
  session->reset(first);
  EXPECT_TRUE(session->open(now));
}

TEST_F(YamuxFlow, serves_ready_streams_in_turn_with_frames_of_bounded_size) {
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

TEST_F(YamuxFlow, writes_whole_frames_into_any_room) {
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

TEST_F(YamuxFlow, begins_a_frame_in_what_room_is_left_when_that_takes_a_kilobyte_of_it) {
  for (const std::size_t left : {1023U, 1024U}) {
    make(Side::client);
    const auto one = session->open(now).value(), two = session->open(now).value();
    drain();
    session->send(one, Bytes(100));
    session->send(two, Bytes(5000));
    const auto sent = frames(drain(kHeaderSize + 100 + kHeaderSize + left));
    ASSERT_EQ(sent.size(), left < 1024 ? 1U : 2U);
    EXPECT_EQ(sent.back().header.length, left < 1024 ? 100U : 1024U);
  }
}

TEST_F(YamuxFlow, sends_control_frames_before_data) {
  make();
  const auto id = open_inbound();
  session->send(id, Bytes(100));
  ASSERT_TRUE(feed(frame(FrameType::ping, kSyn, 0, 5)));
  const auto sent = frames(drain());
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].header.type, static_cast<std::uint8_t>(FrameType::ping));
}

TEST_F(YamuxFlow, asks_for_more_when_a_full_queue_has_fallen_to_its_low_water) {
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

TEST_F(YamuxFlow, drops_the_queue_of_a_reset_stream) {
  make();
  const auto id = open_inbound();
  auto shared = share(Bytes(10'000));
  ASSERT_TRUE(session->send(id, shared, 0));
  ASSERT_TRUE(feed(window(kRst, 1)));
  EXPECT_EQ(shared.use_count(), 1);
  EXPECT_EQ(user.streams[id].resets, 1);
  EXPECT_FALSE(session->wants_output());
}

TEST_F(YamuxFlow, owns_no_buffer_at_rest) {
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
}  // namespace libp2p::yamux::testing_session
