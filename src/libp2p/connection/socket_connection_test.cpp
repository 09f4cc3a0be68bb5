// The driver alone: two connections over a simulated link, with an owner that only writes down.
#include "libp2p/connection/socket_connection.hpp"

#include "libp2p/muxers/yamux/muxer.hpp"
#include "libp2p/security/noise/security.hpp"
#include "libp2p/upgrade/fake_kinds_test.hpp"
#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

struct RecordingOwner final : ConnectionOwner {
  std::vector<std::string> log;
  std::vector<Stream> streams;
  std::vector<std::shared_ptr<StreamState>> opened;
  bool refuse = false;
  bool opens_at_once = false;
  Result<ConnectionId> admit(Direction, const Multiaddr&, const Multiaddr&) override { return ConnectionId{1}; }
  void on_half_open(std::unique_ptr<Connection>) override {}
  Result<void> on_ready(Connection& connection) override {
    log.push_back("ready");
    if (opens_at_once) opened.push_back(connection.open_stream({"/x/1"}).value());
    if (refuse) return fail(Errc::denied, "the test refuses");
    return {};
  }
  void on_inbound_stream(Connection&, std::shared_ptr<StreamState> stream) override {
    streams.emplace_back(std::move(stream));
  }
  void on_closed(Connection&, const Error& why) override { log.push_back("closed " + why.message()); }
};

using Phase = SocketConnection::Phase;

// A socket that fails as the test wants.
struct Brittle final : runtime::Socket {
  explicit Brittle(std::unique_ptr<runtime::Socket> of) : socket(std::move(of)) {}
  Result<std::size_t> read(MutableBytes into) override {
    return broken ? Result<std::size_t>(*broken) : socket->read(into);
  }
  Result<std::size_t> write(ByteView from) override {
    return broken ? Result<std::size_t>(*broken) : socket->write(from);
  }
  void shutdown_write() override { socket->shutdown_write(); }
  void when_readable(std::function<void()> wake) override { socket->when_readable(std::move(wake)); }
  void when_writable(std::function<void()> wake) override { socket->when_writable(std::move(wake)); }
  runtime::Endpoint local() const override { return socket->local(); }
  runtime::Endpoint remote() const override { return socket->remote(); }
  std::unique_ptr<runtime::Socket> socket;
  std::optional<Error> broken;
};

class ConnectionTest : public ::testing::Test {
 protected:
  void connect() {
    auto listening = far_node.runtime().listen({far_node.ip4(), 1}, [this](std::unique_ptr<runtime::Socket> s) {
      if (far_is_silent) {
        silent = std::move(s);
      } else {
        far = make(far_node, far_side, Direction::inbound, std::move(s), far_key);
      }
    });
    listener = std::move(*listening);
    dial = near_node.runtime().connect({far_node.ip4(), 1}, [this](Result<std::unique_ptr<runtime::Socket>> s) {
      auto brittle = std::make_unique<Brittle>(std::move(*s));
      near_socket = brittle.get();
      near = make(near_node, near_side, Direction::outbound, std::move(brittle), near_key);
    });
    world.run_for(Seconds(1));
  }
  std::unique_ptr<SocketConnection> make(runtime::SimNode node, RecordingOwner& side, Direction direction,
                                         std::unique_ptr<runtime::Socket> socket, const crypto::PrivateKey& key) {
    ConnectionConfig config;
    const bool pings = direction == Direction::outbound || far_pings;
    const Nanos interval = pings ? yamux::Options{}.keep_alive_interval : Nanos(0);
    config.kinds =
        ConnectionKinds::make({security}, {yamux::muxer({.keep_alive_interval = interval})}, key, node.runtime().rng())
            .value();
    config.accepts_protocol = [](std::string_view) { return true; };
    auto made = std::make_unique<SocketConnection>(node.runtime(), buffers, side, 1, direction,
                                                   RawEnd{std::move(socket), {}, {}, limited}, std::move(config));
    made->start();
    return made;
  }

  // The link is cut, and more waits than the socket takes.
  std::vector<Stream> fill_behind_a_partition() {
    world.partition({{near_node.index()}, {far_node.index()}});
    std::vector<Stream> streams;
    for (int i = 0; i < 40; ++i) {
      streams.emplace_back(near->open_stream({"/x/1"}).value());
      while (streams.back().try_send(share(Bytes(100'000)))) {
      }
    }
    return streams;
  }
  void close_near(const char* why, Nanos within = Seconds(5)) {
    near->close(fail(Errc::closed, why), world.now() + within);
  }
  // A write of the user's finds the socket broken.
  void break_near(Errc code) {
    near_socket->broken = fail(code, "the cable is cut");
    Stream stream(near->open_stream({"/x/1"}).value());
    stream.try_send(share(Bytes(10)));
  }

  NothingLeft nothing_left;
  runtime::SimWorld world{3};
  runtime::SimNode near_node = world.add_node();
  runtime::SimNode far_node = world.add_node();
  crypto::PrivateKey near_key = test_key(1);
  crypto::PrivateKey far_key = test_key(2);
  SecurityFactory security = noise::security();
  bool limited = false;
  bool far_pings = true;
  bool far_is_silent = false;
  std::unique_ptr<runtime::Socket> silent;
  IoBuffers buffers;
  RecordingOwner near_side;
  RecordingOwner far_side;
  std::unique_ptr<runtime::Listener> listener;
  std::unique_ptr<runtime::Operation> dial;
  Brittle* near_socket = nullptr;
  std::unique_ptr<SocketConnection> near;
  std::unique_ptr<SocketConnection> far;
};

TEST_F(ConnectionTest, holds_no_buffer_at_rest) {
  connect();
  ASSERT_TRUE(near->ready() && far->ready());
  EXPECT_EQ(buffers.taken(), 0u);
  Stream stream(near->open_stream({"/x/1"}).value());
  EXPECT_TRUE(stream.try_send(share(Bytes(200'000))));
  world.run_for(Seconds(2));
  ASSERT_EQ(far_side.streams.size(), 1u);
  EXPECT_EQ(buffers.taken(), 0u) << "the unread bytes are the stream's";
}

TEST_F(ConnectionTest, is_limited_where_its_byte_pipe_is) {
  connect();
  EXPECT_FALSE(near->facts().limited || far->facts().limited);
  listener.reset();
  limited = true;
  connect();
  EXPECT_TRUE(near->facts().limited && far->facts().limited);
}

// The link takes nothing more: the rest that was sealed stays in one buffer, and nothing is pulled behind it.
TEST_F(ConnectionTest, keeps_one_buffer_while_the_link_is_full) {
  connect();
  const auto handshake = near->bytes_out();
  world.partition({{near_node.index()}, {far_node.index()}});
  std::vector<Stream> streams;
  for (int i = 0; i < 40; ++i) {
    streams.emplace_back(near->open_stream({"/x/1"}).value());
    while (streams.back().try_send(share(Bytes(100'000)))) {
    }
  }
  world.run_for(Seconds(5));
  EXPECT_EQ(buffers.taken(), 1u);
  const auto sent = near->bytes_out();
  EXPECT_EQ(sent - handshake, 4u << 20);
  world.run_for(Seconds(5));
  EXPECT_EQ(near->bytes_out(), sent);
  world.heal();
  world.run_for(Seconds(10));
  EXPECT_EQ(buffers.taken(), 0u);
}

TEST_F(ConnectionTest, a_peer_that_reads_a_little_does_not_hold_a_write_buffer_for_ever) {
  far_pings = false;
  connect();
  far_node.set_read_rate(1000);
  std::vector<Stream> streams;
  for (int i = 0; i < 40; ++i) {
    streams.emplace_back(near->open_stream({"/x/1"}).value());
    while (streams.back().try_send(share(Bytes(100'000)))) {
    }
  }
  // It shows signs of life, as the keep-alive wants them.
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(buffers.taken(), 1u) << i;
    Stream alive(far->open_stream({"/x/1"}).value());
    world.run_for(Seconds(5));
  }
  world.run_for(Seconds(5));
  EXPECT_EQ(buffers.taken(), 0u);
  ASSERT_EQ(near_side.log.size(), 2u);
  const std::string& told = near_side.log[1];
  const std::string_view before = "closed timed out: the peer did not read ";
  const auto at = told.find(before);
  ASSERT_NE(at, std::string::npos) << told;
  const auto unread = std::stoul(told.substr(at + before.size()));
  EXPECT_GT(unread, 0u);
  EXPECT_LE(unread, IoBuffers::kOut) << "no more than there is room for";
}

TEST_F(ConnectionTest, an_owner_that_refuses_ends_the_connection_with_its_error) {
  far_side.refuse = true;
  connect();
  EXPECT_EQ(far_side.log, (std::vector<std::string>{"ready", "closed denied: the test refuses"}));
  world.run_for(Seconds(1));
  EXPECT_EQ(near_side.log.back().substr(0, 6), "closed");
}

TEST_F(ConnectionTest, a_stream_that_comes_with_the_handshake_of_a_peer_that_is_refused_is_nobodys) {
  near_side.opens_at_once = true;
  connect();
  ASSERT_EQ(far_side.streams.size(), 1u);
  far_side.streams.clear();
  near_side.opened.clear();
  listener.reset();
  far_side.refuse = true;
  connect();
  EXPECT_TRUE(far_side.streams.empty());
  ASSERT_EQ(near_side.opened.size(), 1u);
  EXPECT_TRUE(near_side.opened[0]->dead);
}

TEST_F(ConnectionTest, its_streams_are_harmless_when_it_has_gone) {
  connect();
  auto state = near->open_stream({"/x/1"}).value();
  Stream stream(state);
  EXPECT_TRUE(stream.try_send(share(Bytes(1000))));
  near.reset();
  EXPECT_FALSE(stream.alive());
  EXPECT_FALSE(stream.try_send(share(Bytes(1000))));
  EXPECT_EQ(state->port->send(state->id, as_bytes("x")), 0u);
  EXPECT_EQ(stream.send_queue_bytes(), 0u);
  stream.close_write();
  stream.reset();
  world.run_for(Seconds(1));
  EXPECT_EQ(far_side.log.size(), 2u);
}

TEST_F(ConnectionTest, says_good_bye_to_a_peer_that_does_not_answer_within_its_deadline) {
  connect();
  world.partition({{near_node.index()}, {far_node.index()}});
  near->close(fail(Errc::closed, "done"), world.now() + Seconds(5));
  EXPECT_FALSE(near->usable());
  EXPECT_FALSE(near->open_stream({"/x/1"}));
  world.run_for(Millis(400));
  EXPECT_EQ(near_side.log.size(), 1u);
  world.run_for(Seconds(5));
  EXPECT_EQ(near_side.log, (std::vector<std::string>{"ready", "closed closed: done"}));
}

TEST_F(ConnectionTest, a_peer_that_falls_silent_is_found_out_by_the_keep_alive) {
  connect();
  world.partition({{near_node.index()}, {far_node.index()}});
  world.run_for(std::chrono::minutes(2));
  ASSERT_EQ(near_side.log.size(), 2u);
  EXPECT_TRUE(near_side.log[1].starts_with("closed timed out")) << near_side.log[1];
}

// ---- the phases of its life, as the header lists them ----

TEST_F(ConnectionTest, the_first_close_counts) {
  connect();
  EXPECT_EQ(near->phase(), Phase::running);
  close_near("first");
  EXPECT_EQ(near->phase(), Phase::closing);
  near->close(fail(Errc::denied, "second"), world.now());
  EXPECT_EQ(near_side.log.size(), 1u) << "nobody is told inside close()";
  world.run_for(Seconds(1));
  EXPECT_EQ(near->phase(), Phase::ended);
  EXPECT_EQ(near_side.log, (std::vector<std::string>{"ready", "closed closed: first"}));
  near->close(fail(Errc::denied, "third"), world.now());
  world.run_for(Seconds(1));
  EXPECT_EQ(near->phase(), Phase::ended);
  EXPECT_EQ(near_side.log.size(), 2u);
  EXPECT_FALSE(near->ready());
  EXPECT_EQ(near->streams(), 0u);
}

TEST_F(ConnectionTest, closing_before_it_is_ready_ends_it_at_once) {
  far_is_silent = true;
  connect();
  EXPECT_FALSE(near->ready());
  close_near("not wanted any more");
  EXPECT_TRUE(near_side.log.empty());
  world.run_for(Nanos(0));
  EXPECT_EQ(near_side.log, std::vector<std::string>{"closed closed: not wanted any more"});
}

TEST_F(ConnectionTest, a_handshake_that_does_not_end_fails) {
  far_is_silent = true;
  connect();
  world.run_for(Seconds(8));
  EXPECT_EQ(near->phase(), Phase::running);
  world.run_for(Seconds(2));
  EXPECT_EQ(near->phase(), Phase::ended);
  ASSERT_EQ(near_side.log.size(), 1u);
  EXPECT_TRUE(near_side.log[0].starts_with("closed timed out")) << near_side.log[0];
}

// There is nothing to send, nothing comes, and an engine that has failed has no deadline.
TEST_F(ConnectionTest, a_security_that_cannot_begin_ends_it_at_once) {
  testing_pair::FakeSecurity fake;
  fake.max_unread = ConnectionEngine::kInput;
  security = testing_pair::fake_security("/fake", fake);
  far_is_silent = true;
  connect();
  EXPECT_EQ(near->phase(), Phase::ended);
  ASSERT_EQ(near_side.log.size(), 1u);
  EXPECT_TRUE(near_side.log[0].starts_with("closed invalid argument: /fake needs")) << near_side.log[0];
}

TEST_F(ConnectionTest, a_message_that_cannot_be_sealed_ends_it) {
  testing_pair::FakeSecurity fake;
  security = testing_pair::fake_security("/fake", fake);
  connect();
  ASSERT_TRUE(near->ready() && far->ready());
  for (auto* channel : fake.channels) channel->breaks = true;
  Stream stream(near->open_stream({"/x/1"}).value());
  EXPECT_EQ(near_side.log.size(), 1u) << "nobody is told inside a user's call";
  world.run_for(Millis(1));
  EXPECT_EQ(near_side.log.back(), "closed closed: the fake seals nothing more");
  EXPECT_FALSE(stream.alive());
}

TEST_F(ConnectionTest, a_socket_that_ends_while_it_says_good_bye_ends_it_with_the_reason_of_the_close) {
  connect();
  world.partition({{near_node.index()}, {far_node.index()}});
  close_near("done");
  world.run_for(Millis(1));
  ASSERT_EQ(near->phase(), Phase::good_bye);
  world.disconnect(near_node.index(), far_node.index());
  world.run_for(Millis(1));
  EXPECT_EQ(near->phase(), Phase::ended);
  EXPECT_EQ(near_side.log.back(), "closed closed: done");
}

TEST_F(ConnectionTest, a_peer_that_does_not_answer_the_good_bye_gets_half_a_second) {
  connect();
  world.partition({{near_node.index()}, {far_node.index()}});
  close_near("done", Seconds(60));
  world.run_for(Millis(1));
  ASSERT_EQ(near->phase(), Phase::good_bye);
  world.run_for(Millis(498));
  EXPECT_EQ(near->phase(), Phase::good_bye);
  world.run_for(Millis(2));
  EXPECT_EQ(near_side.log.back(), "closed closed: done");
}

TEST_F(ConnectionTest, sends_nothing_behind_its_good_bye) {
  connect();
  Stream stream(far->open_stream({"/x/1"}).value());
  stream.try_send(share(Bytes(10)));
  world.run_for(Seconds(1));
  world.partition({{near_node.index()}, {far_node.index()}});
  close_near("done");
  world.run_for(Millis(1));
  ASSERT_EQ(near->phase(), Phase::good_bye);
  EXPECT_TRUE(near->reset_largest_unread(Nanos(0)));  // the far end is to hear of it
  world.run_for(Millis(1));
  ASSERT_EQ(near->phase(), Phase::good_bye);
  EXPECT_EQ(buffers.taken(), 0u) << "nothing waits in a write buffer";
  EXPECT_FALSE(near_side.streams.at(0).alive());
}

TEST_F(ConnectionTest, what_is_queued_keeps_it_closing_until_the_deadline) {
  connect();
  const auto streams = fill_behind_a_partition();
  close_near("done", Seconds(3));
  world.run_for(Millis(2999));
  EXPECT_EQ(near->phase(), Phase::closing);
  world.run_for(Millis(1));
  EXPECT_EQ(near_side.log.back(), "closed closed: done");
}

TEST_F(ConnectionTest, a_peer_that_goes_while_it_closes_does_not_change_the_reason) {
  connect();
  const auto streams = fill_behind_a_partition();
  close_near("done");
  world.disconnect(near_node.index(), far_node.index());
  world.run_for(Millis(1));
  EXPECT_EQ(near_side.log.back(), "closed closed: done");
}

TEST_F(ConnectionTest, another_failure_while_it_closes_is_the_reason) {
  connect();
  const auto streams = fill_behind_a_partition();
  close_near("done", std::chrono::minutes(10));
  world.run_for(std::chrono::minutes(3));
  ASSERT_EQ(near_side.log.size(), 2u);
  EXPECT_TRUE(near_side.log[1].starts_with("closed timed out")) << near_side.log[1];
}

TEST_F(ConnectionTest, a_failure_that_a_user_meets_is_told_later) {
  connect();
  break_near(Errc::io);
  EXPECT_EQ(near->phase(), Phase::failed);
  EXPECT_EQ(near_side.log.size(), 1u);
  world.run_for(Nanos(0));
  EXPECT_EQ(near_side.log.back(), "closed input/output: the cable is cut");
}

TEST_F(ConnectionTest, a_close_after_the_peer_has_gone_gives_the_reason) {
  connect();
  break_near(Errc::reset);
  close_near("done");
  EXPECT_EQ(near->phase(), Phase::closing_failed);
  near->close(fail(Errc::denied, "second"), world.now());
  world.run_for(Nanos(0));
  EXPECT_EQ(near_side.log.back(), "closed closed: done");
}

TEST_F(ConnectionTest, a_close_after_another_failure_does_not_change_the_reason) {
  connect();
  break_near(Errc::io);
  close_near("done");
  EXPECT_EQ(near->phase(), Phase::closing_failed);
  world.run_for(Nanos(0));
  EXPECT_EQ(near_side.log.back(), "closed input/output: the cable is cut");
}

// Brings the near side into each phase, and destroys it there.
TEST_F(ConnectionTest, destroying_it_in_any_phase_calls_nobody_and_resets_its_streams) {
  const std::vector<std::pair<Phase, std::function<void()>>> cases = {
      {Phase::running, [] {}},
      {Phase::failed, [this] { break_near(Errc::io); }},
      {Phase::closing, [this] { close_near("done"); }},
      {Phase::closing_failed,
       [this] {
         close_near("done");
         near_socket->broken = fail(Errc::io, "cut");
       }},
      {Phase::good_bye,
       [this] {
         world.partition({{near_node.index()}, {far_node.index()}});
         close_near("done");
         world.run_for(Millis(1));
       }},
      {Phase::ended,
       [this] {
         close_near("done");
         world.run_for(Seconds(2));
       }},
  };
  for (const auto& [phase, enter] : cases) {
    near_side.log.clear();
    far_side.streams.clear();
    connect();
    Stream stream(near->open_stream({"/x/1"}).value());
    world.run_for(Seconds(1));
    enter();
    if (phase == Phase::closing_failed) stream.try_send(share(Bytes(10)));
    ASSERT_EQ(near->phase(), phase);
    const auto told = near_side.log;
    near.reset();
    EXPECT_FALSE(stream.alive());
    world.heal();
    world.run_for(Seconds(2));
    EXPECT_EQ(near_side.log, told) << static_cast<int>(phase);
    EXPECT_EQ(buffers.taken(), 0u);
    EXPECT_EQ(far->phase(), Phase::ended);
    listener.reset();
  }
  // And in its handshake.
  far_is_silent = true;
  near_side.log.clear();
  connect();
  EXPECT_FALSE(near->ready());
  near.reset();
  world.run_for(Seconds(30));
  EXPECT_TRUE(near_side.log.empty());
}

}  // namespace
}  // namespace libp2p
