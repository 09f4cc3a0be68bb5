#include "libp2p/connection/stream_socket.hpp"

#include "libp2p/muxers/yamux/muxer.hpp"
#include "libp2p/security/noise/security.hpp"
#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

using runtime::Task;

Task<void> keep_stream(Stream stream, Stream* kept) {
  *kept = std::move(stream);
  co_return;
}

Task<void> open_pipe(Host& host, PeerId peer, Stream* kept) {
  std::vector<std::string> protocols{"/pipe/1"};
  auto opening = host.open_stream(std::move(peer), std::move(protocols));
  auto opened = co_await opening;
  *kept = std::move(*opened);
}

class StreamSocketTest : public HostTest {
 protected:
  StreamSocketTest() {
    a = make_host();
    b = make_host();
    b->set_stream_handler("/pipe/1", [this](Stream stream) { return keep_stream(std::move(stream), &far_stream); });
    EXPECT_TRUE(dial(*a, address_of(*b)));
    Stream near_stream;
    EXPECT_TRUE(run(*a, open_pipe(*a, b->id(), &near_stream)));
    near = std::make_unique<StreamSocket>(std::move(near_stream));
    EXPECT_EQ(near->write(as_bytes("!")).value(), 1u);  // the protocol travels with it
    world.run_for(Seconds(1));
    EXPECT_TRUE(far_stream);
  }
  void take_far() {
    far = std::make_unique<StreamSocket>(std::move(far_stream));
    EXPECT_EQ(read(*far), "!");
  }
  // The bytes that are there; "end" at the end, or the error.
  static std::string read(StreamSocket& socket, std::size_t most = 100) {
    Bytes in(most);
    const auto n = socket.read(in);
    if (!n) return std::string(to_string(n.error().code()));
    return *n == 0 ? "end" : std::string(as_text(ByteView(in).first(*n)));
  }
  std::function<void()> count(int& calls) {
    return [&calls] { ++calls; };
  }

  std::unique_ptr<Host> a;
  std::unique_ptr<Host> b;
  Stream far_stream;
  std::unique_ptr<StreamSocket> near;
  std::unique_ptr<StreamSocket> far;
};

TEST_F(StreamSocketTest, reads_what_has_come_and_would_block_otherwise) {
  take_far();
  EXPECT_EQ(read(*near), "would block");
  int calls = 0;
  near->when_readable(count(calls));
  world.run_for(Seconds(1));
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(far->write(as_bytes("hello")).value(), 5u);
  world.run_for(Seconds(1));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(read(*near, 4), "hell");
  EXPECT_EQ(read(*near), "o");
  EXPECT_EQ(read(*near), "would block");
  EXPECT_EQ(far->write(as_bytes("more")).value(), 4u);
  world.run_for(Seconds(1));
  EXPECT_EQ(calls, 1) << "it is called once";
}

TEST_F(StreamSocketTest, a_callback_never_comes_inside_the_call_that_asks_for_it) {
  take_far();
  EXPECT_TRUE(far->write(as_bytes("x")));
  world.run_for(Seconds(1));
  int readable = 0;
  int writable = 0;
  near->when_readable(count(readable));
  near->when_writable(count(writable));
  EXPECT_EQ(readable + writable, 0);
  world.run_for(Nanos(0));
  EXPECT_EQ(readable, 1);
  EXPECT_EQ(writable, 1);
}

TEST_F(StreamSocketTest, the_end_is_read_and_the_other_direction_goes_on) {
  take_far();
  EXPECT_TRUE(far->write(as_bytes("last")));
  far->shutdown_write();
  int calls = 0;
  world.run_for(Seconds(1));
  EXPECT_EQ(read(*near), "last");
  near->when_readable(count(calls));
  EXPECT_EQ(read(*near), "end");
  world.run_for(Seconds(1));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(far->write(as_bytes("x")).error().code(), Errc::closed);
  EXPECT_TRUE(near->write(as_bytes("still")));
  world.run_for(Seconds(1));
  EXPECT_EQ(read(*far), "still");
}

TEST_F(StreamSocketTest, a_reset_wakes_who_waits_and_fails_what_follows) {
  int readable = 0;
  near->when_readable(count(readable));
  far_stream.reset();
  world.run_for(Seconds(1));
  EXPECT_EQ(readable, 1);
  EXPECT_EQ(read(*near), "reset");
  EXPECT_EQ(near->write(as_bytes("x")).error().code(), Errc::reset);
  int writable = 0;
  near->when_writable(count(writable));
  world.run_for(Seconds(1));
  EXPECT_EQ(writable, 1);
}

TEST_F(StreamSocketTest, a_writer_is_held_back_while_nobody_reads_and_called_when_there_is_room) {
  take_far();
  Bytes chunk(50'000);
  std::size_t sent = 0;
  std::size_t got = 0;
  const auto fill = [&] {
    for (;;) {
      for (std::size_t i = 0; i < chunk.size(); ++i) chunk[i] = static_cast<std::uint8_t>((sent + i) % 251);
      const auto n = near->write(chunk);
      if (!n) return n.error().code();
      sent += *n;
    }
  };
  // As much as the window and the queue hold, and no byte more, however long nobody reads.
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(fill(), Errc::would_block);
    world.run_for(Seconds(1));
  }
  const std::size_t held = sent;
  EXPECT_LE(held, 256u * 1024 + a->config().limits.stream_send_queue);
  EXPECT_EQ(fill(), Errc::would_block);
  EXPECT_EQ(sent, held);
  int writable = 0;
  near->when_writable(count(writable));
  world.run_for(Seconds(10));
  EXPECT_EQ(writable, 0);
  Bytes in(10'000);
  const auto drain = [&] {
    while (const auto n = far->read(in)) {
      for (std::size_t i = 0; i < *n; ++i) ASSERT_EQ(in[i], (got + i) % 251);
      got += *n;
    }
  };
  // It is called when the queue has fallen to its low water, a quarter of its bound.
  for (int i = 0; i < 20 && writable == 0; ++i) {
    drain();
    world.run_for(Seconds(1));
  }
  EXPECT_EQ(writable, 1);
  EXPECT_GT(got, held / 4) << "not before";
  EXPECT_EQ(fill(), Errc::would_block);
  EXPECT_GT(sent, held);
  for (int i = 0; i < 20 && got < sent; ++i) {
    drain();
    world.run_for(Seconds(1));
  }
  EXPECT_EQ(got, sent);
}

TEST_F(StreamSocketTest, no_callback_comes_after_it_was_destroyed) {
  take_far();
  int calls = 0;
  near->when_readable(count(calls));
  near->when_writable(count(calls));  // in the queue already
  EXPECT_TRUE(far->write(as_bytes("x")));
  near.reset();
  world.run_for(Seconds(1));
  EXPECT_EQ(calls, 0);
}

TEST_F(StreamSocketTest, it_may_be_destroyed_in_its_own_callback) {
  take_far();
  int calls = 0;
  near->when_writable(count(calls));
  near->when_readable([this] { near.reset(); });
  EXPECT_TRUE(far->write(as_bytes("x")));
  world.run_for(Seconds(1));
  EXPECT_FALSE(near);
  EXPECT_EQ(calls, 1) << "this one came before";
  EXPECT_EQ(read(*far), "end");
}

TEST_F(StreamSocketTest, what_was_written_before_it_was_destroyed_arrives_and_then_the_end) {
  take_far();
  const Bytes words(200'000, 'w');
  EXPECT_EQ(near->write(words).value(), words.size());
  near.reset();
  std::size_t got = 0;
  for (int i = 0; i < 10; ++i) {
    world.run_for(Seconds(1));
    Bytes in(words.size());
    const auto n = far->read(in);
    if (n && *n == 0) break;
    if (n) got += *n;
  }
  EXPECT_EQ(got, words.size());
  EXPECT_EQ(read(*far), "end");
}

TEST_F(StreamSocketTest, the_loss_of_what_carries_it_wakes_who_waits) {
  int calls = 0;
  near->when_readable(count(calls));
  world.disconnect(nodes[0].index(), nodes[1].index());
  world.run_for(Seconds(1));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(read(*near), "reset");
}

TEST_F(StreamSocketTest, it_outlives_its_host_and_is_told_from_the_queue) {
  int calls = 0;
  near->when_readable(count(calls));
  a.reset();
  EXPECT_EQ(calls, 0);
  world.run_for(Seconds(1));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(read(*near), "reset");
}

TEST_F(StreamSocketTest, an_empty_handle_is_the_callers_mistake) {
  EXPECT_THROW(StreamSocket{Stream()}, std::invalid_argument);
}

// ---- a connection inside the stream ----

struct Inside final : ConnectionOwner {
  std::vector<std::string> log;
  std::vector<Stream> streams;
  Result<ConnectionId> admit(Direction, const Multiaddr&, const Multiaddr&) override { return ConnectionId{1}; }
  void on_half_open(std::unique_ptr<Connection>) override {}
  Result<void> on_ready(Connection&) override {
    log.push_back("ready");
    return {};
  }
  void on_inbound_stream(Connection&, std::shared_ptr<StreamState> stream) override {
    streams.emplace_back(std::move(stream));
  }
  void on_closed(Connection&, const Error& why) override { log.push_back("closed " + why.message()); }
};

TEST_F(StreamSocketTest, a_connection_runs_inside_a_stream_and_says_good_bye) {
  take_far();
  near->when_readable([] {});
  IoBuffers buffers;
  Inside near_side;
  Inside far_side;
  const auto near_key = test_key(21);
  const auto far_key = test_key(22);
  const auto make = [&](Host& host, Inside& side, Direction direction, std::unique_ptr<StreamSocket> socket,
                        const crypto::PrivateKey& key) {
    ConnectionConfig config;
    config.kinds = ConnectionKinds::make({noise::security()}, {yamux::muxer()}, key, host.runtime().rng()).value();
    config.accepts_protocol = [](std::string_view) { return true; };
    auto made = std::make_unique<SocketConnection>(host.runtime(), buffers, side, 1, direction,
                                                   RawEnd{std::move(socket), {}, {}}, std::move(config));
    made->start();
    return made;
  };
  const auto inner_far = make(*b, far_side, Direction::inbound, std::move(far), far_key);
  const auto inner_near = make(*a, near_side, Direction::outbound, std::move(near), near_key);
  world.run_for(Seconds(2));
  ASSERT_TRUE(inner_near->ready() && inner_far->ready());
  EXPECT_EQ(inner_near->peer(), PeerId::from_public_key(far_key.public_key()));
  Stream stream(inner_near->open_stream({"/x/1"}).value());
  std::size_t sent = 0;
  while (stream.try_send(share(Bytes(100'000)))) sent += 100'000;
  EXPECT_GE(sent, 200'000u);
  stream.close_write();
  world.run_for(Seconds(5));
  ASSERT_EQ(far_side.streams.size(), 1u);
  far_side.streams.clear();
  inner_near->close(fail(Errc::closed, "done"), world.now() + Seconds(5));
  world.run_for(Seconds(5));
  EXPECT_EQ(near_side.log, (std::vector<std::string>{"ready", "closed closed: done"}));
  ASSERT_EQ(far_side.log.size(), 2u);
  EXPECT_EQ(far_side.log[1].find("closed closed"), 0u) << far_side.log[1];
  EXPECT_EQ(a->connections().size(), 1u) << "what carries it goes on";
  EXPECT_EQ(buffers.taken(), 0u);
}

}  // namespace
}  // namespace libp2p
