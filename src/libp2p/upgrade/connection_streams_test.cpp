#include <gtest/gtest.h>

#include "libp2p/protocols/yamux/stream.hpp"
#include "testing/connection_pair.hpp"

namespace libp2p {
namespace {

using testing_pair::kEcho;
using testing_pair::Pair;
using testing_pair::pattern;
using testing_pair::Recorder;

class ConnectionStreams : public ::testing::Test {
 protected:
  void TearDown() override {
    EXPECT_EQ(live<ConnectionEngine>(), 0);
    EXPECT_EQ(live<yamux::Stream>(), 0);
  }
};

TEST_F(ConnectionStreams, sends_the_first_data_of_a_stream_with_its_opening_and_its_end_after_the_answer) {
  Pair pair;
  pair.run();
  const auto id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
  EXPECT_EQ(pair.dialer.engine->send(id, as_bytes("hello")), 5U);
  pair.dialer.engine->close_write(id);
  pair.transmit(pair.dialer, pair.listener, {});
  pair.receive(pair.listener);
  const auto inbound = pair.listener.user.last_inbound;
  const auto& seen = pair.listener.user.streams.at(inbound);
  EXPECT_EQ(seen.protocol, kEcho);
  EXPECT_TRUE(seen.inbound);
  EXPECT_EQ(as_text(seen.data), "hello");
  EXPECT_EQ(seen.ends, 0);
  EXPECT_FALSE(pair.dialer.user.streams[id].opened);
  pair.run();
  EXPECT_TRUE(pair.dialer.user.streams[id].opened);
  EXPECT_EQ(seen.ends, 1);
  pair.listener.engine->close_write(inbound);
  pair.run();
  EXPECT_EQ(pair.listener.user.streams[inbound].closed, 1);
  EXPECT_EQ(pair.dialer.user.streams[id].ends, 1);
  EXPECT_EQ(pair.dialer.user.streams[id].closed, 1);
  EXPECT_EQ(pair.dialer.engine->stream_count() + pair.listener.engine->stream_count(), 0U);
}

// An echo on the listener's side: what it could not send at once goes out when there is room, and only then is it
// consumed.
class Echo {
 public:
  explicit Echo(Recorder& user) : user_(user) {
    user.data_hook = [this](StreamId id, ByteView data) {
      append(waiting_[id], data);
      push(id);
    };
    user.writable_hook = [this](StreamId id) { push(id); };
    user.end_hook = [this](StreamId id) {
      ended_[id] = true;
      push(id);
    };
  }

 private:
  void push(StreamId id) {
    auto& waiting = waiting_[id];
    const std::size_t n = user_.engine->send(id, waiting);
    user_.engine->consume(id, n);
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(n));
    if (waiting.empty() && ended_[id]) user_.engine->close_write(id);
  }

  Recorder& user_;
  std::map<StreamId, Bytes> waiting_;
  std::map<StreamId, bool> ended_;
};

// Writes a message to a stream as fast as it is taken, then ends it.
class Writer {
 public:
  Writer(Recorder& user, StreamId id, Bytes message) : user_(user), id_(id), message_(std::move(message)) {
    user.writable_hook = [this](StreamId writable) {
      if (writable == id_) push();
    };
    push();
  }
  const Bytes& message() const { return message_; }

 private:
  void push() {
    sent_ += user_.engine->send(id_, ByteView(message_).subspan(sent_));
    if (sent_ == message_.size()) user_.engine->close_write(id_);
  }

  Recorder& user_;
  StreamId id_;
  Bytes message_;
  std::size_t sent_ = 0;
};

TEST_F(ConnectionStreams, carries_any_bytes_over_any_split) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair({.seed = seed});
    SeededRng cuts(seed);
    const std::size_t most = seed % 3 == 0 ? 20 : seed % 3 == 1 ? 3000 : 200'000;
    pair.cut = [&](std::size_t n) { return std::min<std::size_t>(n, 1 + cuts.below(most)); };
    pair.run(2'000'000);
    ASSERT_TRUE(pair.dialer.engine->ready());
    ASSERT_TRUE(pair.listener.engine->ready());
    Echo echo(pair.listener.user);
    const auto id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
    Writer writer(pair.dialer.user, id, pattern(most < 100 ? 3000 : 700'000, seed));
    pair.run(2'000'000);
    const auto& seen = pair.dialer.user.streams.at(id);
    EXPECT_TRUE(seen.data == writer.message());
    EXPECT_EQ(seen.ends, 1);
    EXPECT_EQ(seen.closed, 1);
    EXPECT_EQ(pair.dialer.engine->stream_count() + pair.listener.engine->stream_count(), 0U);
  }
}

TEST_F(ConnectionStreams, carries_a_thousand_streams_at_once) {
  Pair pair;
  pair.run();
  Echo echo(pair.listener.user);
  std::map<StreamId, Bytes> sent;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
    sent[id] = pattern(1 + i % 300, i);
    EXPECT_EQ(pair.dialer.engine->send(id, sent[id]), sent[id].size());
    pair.dialer.engine->close_write(id);
  }
  EXPECT_EQ(pair.dialer.engine->stream_count(), 1000U);
  pair.run();
  for (const auto& [id, message] : sent) {
    EXPECT_TRUE(pair.dialer.user.streams.at(id).data == message);
    EXPECT_EQ(pair.dialer.user.streams.at(id).closed, 1);
  }
  EXPECT_EQ(pair.dialer.engine->stream_count() + pair.listener.engine->stream_count(), 0U);
}

TEST_F(ConnectionStreams, opens_streams_from_the_listeners_side_too) {
  Pair pair;
  pair.run();
  Echo echo(pair.dialer.user);
  const auto id = pair.listener.engine->open_stream({kEcho}, pair.now).value();
  pair.listener.engine->send(id, as_bytes("from the listener"));
  pair.run();
  EXPECT_EQ(as_text(pair.listener.user.streams[id].data), "from the listener");
}

TEST_F(ConnectionStreams, tries_protocols_in_order_and_sends_nothing_before_one_is_agreed) {
  Pair pair;
  pair.run();
  Echo echo(pair.listener.user);
  const auto id = pair.dialer.engine->open_stream({"/unknown", "/b", kEcho}, pair.now).value();
  EXPECT_EQ(pair.dialer.engine->send(id, as_bytes("too early")), 0U);
  EXPECT_FALSE(pair.dialer.engine->send(id, share(Bytes(2000)), 0));
  pair.dialer.user.opened_hook = [&](StreamId opened) {
    EXPECT_EQ(pair.dialer.engine->send(opened, as_bytes("now")), 3U);
  };
  pair.run();
  EXPECT_EQ(pair.dialer.user.streams[id].protocol, "/b");
  EXPECT_EQ(as_text(pair.dialer.user.streams[id].data), "now");
}

TEST_F(ConnectionStreams, ends_a_stream_that_was_closed_before_its_protocol_was_agreed) {
  Pair pair;
  pair.run();
  Echo echo(pair.listener.user);
  const auto id = pair.dialer.engine->open_stream({"/unknown", kEcho}, pair.now).value();
  pair.dialer.engine->close_write(id);
  pair.run();
  EXPECT_EQ(pair.dialer.user.streams[id].protocol, kEcho);
  EXPECT_EQ(pair.dialer.user.streams[id].closed, 1);
  EXPECT_EQ(pair.listener.engine->stream_count(), 0U);
}

TEST_F(ConnectionStreams, resets_a_stream_when_no_protocol_is_spoken_by_the_peer) {
  Pair pair;
  pair.run();
  const auto one = pair.dialer.engine->open_stream({"/unknown"}, pair.now).value();
  pair.dialer.engine->send(one, as_bytes("data for nobody"));
  const auto two = pair.dialer.engine->open_stream({"/unknown", "/neither"}, pair.now).value();
  pair.run();
  for (const auto id : {one, two}) {
    EXPECT_EQ(pair.dialer.user.streams[id].resets, 1);
    EXPECT_EQ(pair.dialer.user.streams[id].error.code(), Errc::unsupported);
  }
  EXPECT_TRUE(pair.listener.user.streams.empty());
  EXPECT_EQ(pair.dialer.engine->stream_count() + pair.listener.engine->stream_count(), 0U);
}

TEST_F(ConnectionStreams, resets_a_stream_whose_protocol_is_not_agreed_in_time) {
  Pair pair;
  pair.run();
  const auto id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
  pair.advance(Seconds(9));
  EXPECT_EQ(pair.dialer.user.streams[id].resets, 0);
  pair.advance(Seconds(1));
  EXPECT_EQ(pair.dialer.user.streams[id].resets, 1);
  EXPECT_EQ(pair.dialer.user.streams[id].error.code(), Errc::timed_out);
  pair.run();
  EXPECT_EQ(pair.listener.engine->stream_count(), 0U);
}

TEST_F(ConnectionStreams, refuses_more_half_open_inbound_streams_than_its_limit) {
  Pair pair({.listener = {.limits = {.max_negotiating_inbound = 3}}});
  pair.run();
  std::vector<StreamId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(pair.dialer.engine->open_stream({"/unknown", "/b"}, pair.now).value());
  pair.transmit(pair.dialer, pair.listener, {});
  pair.receive(pair.listener);
  EXPECT_EQ(pair.listener.engine->stream_count(), 3U);
  pair.run();
  int agreed = 0;
  for (const auto id : ids) agreed += pair.dialer.user.streams[id].opened ? 1 : 0;
  EXPECT_EQ(agreed, 3);
}

TEST_F(ConnectionStreams, holds_a_fast_writer_back_while_the_reader_is_slow) {
  Pair pair;
  pair.run();
  pair.listener.user.consume_at_once = false;
  const auto id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
  Writer writer(pair.dialer.user, id, pattern(3'000'000));
  pair.run();
  const auto inbound = pair.listener.user.last_inbound;
  auto& seen = pair.listener.user.streams[inbound];
  // The window, less nothing: the negotiation's bytes were given back at once but in portions of half a window.
  EXPECT_LE(seen.data.size(), yamux::kInitialWindow);
  EXPECT_GT(seen.data.size(), yamux::kInitialWindow - 64);
  EXPECT_LE(pair.dialer.engine->send_queue_bytes(id), StreamLimits{}.max_send_queue);
  std::size_t consumed = 0;
  while (consumed < writer.message().size()) {
    const std::size_t n = seen.data.size() - consumed;
    ASSERT_GT(n, 0U);
    ASSERT_LE(n, yamux::kInitialWindow);
    pair.listener.engine->consume(inbound, n);
    consumed += n;
    pair.run();
  }
  EXPECT_TRUE(seen.data == writer.message());
  EXPECT_EQ(seen.ends, 1);
}

TEST_F(ConnectionStreams, sends_shared_messages_without_holding_them_longer_than_needed) {
  Pair pair;
  pair.run();
  const auto id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
  auto big = share(pattern(200'000));
  EXPECT_TRUE(pair.dialer.engine->send(id, big, 1000));
  EXPECT_TRUE(pair.dialer.engine->send(id, big));
  EXPECT_FALSE(pair.dialer.engine->send(id, big));  // above the bound now
  EXPECT_EQ(big.use_count(), 3);
  pair.run();
  EXPECT_EQ(big.use_count(), 1);
  Bytes expected = to_bytes(ByteView(*big).subspan(1000));
  append(expected, *big);
  EXPECT_TRUE(pair.listener.user.streams[pair.listener.user.last_inbound].data == expected);
  EXPECT_EQ(pair.dialer.user.streams[id].writable, 1);
}

// What a side does with its half of a stream, in every order against the other side's.
enum class Act : std::uint8_t { end, reset, nothing };

TEST_F(ConnectionStreams, ends_streams_in_every_order_of_close_and_reset) {
  for (const Act first : {Act::end, Act::reset})
    for (const Act second : {Act::end, Act::reset, Act::nothing})
      for (const bool crossing : {true, false})
        for (const bool dialer_first : {true, false}) {
          Pair pair;
          pair.run();
          const auto id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
          pair.dialer.engine->send(id, as_bytes("some data"));
          pair.run();
          const auto inbound = pair.listener.user.last_inbound;
          const auto act = [&](bool dialer, Act what) {
            auto& engine = dialer ? *pair.dialer.engine : *pair.listener.engine;
            if (what == Act::end) engine.close_write(dialer ? id : inbound);
            if (what == Act::reset) engine.reset(dialer ? id : inbound);
          };
          act(dialer_first, first);
          if (!crossing) pair.run();
          act(!dialer_first, second);
          pair.run();
          const auto& dialer = pair.dialer.user.streams[id];
          const auto& listener = pair.listener.user.streams[inbound];
          const bool any_reset = first == Act::reset || second == Act::reset;
          const std::size_t left = any_reset || second == Act::end ? 0 : 1;
          EXPECT_EQ(pair.dialer.engine->stream_count(), left);
          EXPECT_EQ(pair.listener.engine->stream_count(), left);
          EXPECT_EQ(dialer.closed, !any_reset && second == Act::end ? 1 : 0);
          EXPECT_EQ(listener.closed, dialer.closed);
          EXPECT_LE(dialer.resets + listener.resets, 1);  // never the one who reset, nor when both did
          EXPECT_FALSE(pair.dialer.failure || pair.listener.failure);
        }
}

TEST_F(ConnectionStreams, lets_the_user_do_anything_inside_an_event) {
  Pair pair;
  pair.run();
  auto& engine = *pair.listener.engine;
  // Reset inside the opening, with data of the same frame to follow: none of it is delivered.
  pair.listener.user.opened_hook = [&](StreamId id) { engine.reset(id); };
  auto id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
  pair.dialer.engine->send(id, pattern(100'000));
  pair.run();
  EXPECT_TRUE(pair.listener.user.streams[pair.listener.user.last_inbound].data.empty());
  EXPECT_EQ(pair.dialer.user.streams[id].resets, 1);

  // Reset inside data, in the middle of a frame.
  pair.listener.user.opened_hook = nullptr;
  pair.listener.user.data_hook = [&](StreamId inbound, ByteView) { engine.reset(inbound); };
  id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
  pair.dialer.engine->send(id, pattern(100'000));
  pair.run();
  EXPECT_EQ(pair.dialer.user.streams[id].resets, 1);
  EXPECT_EQ(engine.stream_count(), 0U);

  // A stream of our own opened, written and ended inside data and inside the end.
  pair.listener.user.data_hook = [&](StreamId inbound, ByteView data) {
    engine.consume(inbound, data.size());
    const auto own = engine.open_stream({kEcho}, pair.now).value();
    engine.send(own, data);
    engine.close_write(own);
    engine.close_write(inbound);
  };
  id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
  pair.dialer.engine->send(id, as_bytes("x"));
  pair.dialer.engine->close_write(id);
  pair.dialer.user.end_hook = [&](StreamId ended) { pair.dialer.engine->close_write(ended); };
  pair.run();
  EXPECT_EQ(pair.dialer.user.streams[id].closed, 1);
  EXPECT_EQ(engine.stream_count() + pair.dialer.engine->stream_count(), 0U);

  // A stream opened inside poll_transmit: its opening goes before its data.
  pair.listener.user.data_hook = nullptr;
  StreamId second = 0;
  pair.dialer.user.writable_hook = [&](StreamId) {
    if (second != 0) return;
    second = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
    pair.dialer.engine->send(second, pattern(1000));
  };
  id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
  pair.dialer.engine->send(id, pattern(300'000));
  pair.run();
  ASSERT_NE(second, 0U);
  EXPECT_TRUE(pair.listener.user.streams[pair.listener.user.last_inbound].data == pattern(1000));
}

TEST_F(ConnectionStreams, does_nothing_with_dead_ids_and_before_it_is_ready) {
  Pair pair;
  auto& engine = *pair.dialer.engine;
  EXPECT_EQ(engine.open_stream({kEcho}, pair.now).error().code(), Errc::invalid_argument);
  EXPECT_EQ(engine.send(1, as_bytes("x")), 0U);
  pair.run();
  EXPECT_EQ(engine.open_stream({}, pair.now).error().code(), Errc::invalid_argument);
  EXPECT_EQ(engine.open_stream({std::string(1024, 'x')}, pair.now).error().code(), Errc::invalid_argument);
  const auto id = engine.open_stream({kEcho}, pair.now).value();
  engine.reset(id);
  engine.reset(id);
  engine.close_write(id);
  engine.consume(id, 10);
  EXPECT_EQ(engine.send(id, as_bytes("x")), 0U);
  EXPECT_FALSE(engine.send(id, share(Bytes(5000))));
  EXPECT_EQ(engine.send_queue_bytes(id), 0U);
  pair.run();
  EXPECT_TRUE(pair.listener.user.streams.empty());
  EXPECT_TRUE(pair.dialer.user.streams.empty());
}

TEST_F(ConnectionStreams, never_uses_an_id_twice) {
  Pair pair;
  pair.run();
  StreamId last = 0;
  for (int i = 0; i < 200; ++i) {
    const auto id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
    EXPECT_GT(id, last);
    last = id;
    pair.run();
    pair.dialer.engine->reset(id);
    pair.run();
  }
  EXPECT_EQ(pair.listener.user.streams.size(), 200U);
}

}  // namespace
}  // namespace libp2p
