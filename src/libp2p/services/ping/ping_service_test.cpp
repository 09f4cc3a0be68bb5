#include "libp2p/services/ping/ping_service.hpp"

#include <gtest/gtest.h>

#include "libp2p/services/stream_tools.hpp"
#include "libp2p/testing/sim_hosts.hpp"

namespace libp2p {
namespace {

using libp2p::Stream;
using runtime::Task;

Task<Result<Stream>> open_ping(libp2p::Host& host, PeerId peer) {
  return host.open_stream(std::move(peer), kPingProtocol);
}

Task<void> answer_nothing(Stream stream) {
  Bytes buffer(64);
  while (true) {
    const Result<std::size_t> got = co_await stream.read_some(buffer);
    if (!got || *got == 0) co_return;
  }
}

Task<void> answer_wrongly(Stream stream) {
  Bytes buffer(32);
  const Result<void> got = co_await stream.read_exactly(buffer);
  buffer[31] ^= 1;
  const Result<void> sent = co_await stream.write(buffer);
  if (got && sent) stream.close_write();
}

// Sends 32 bytes and reads their echo.
Task<Result<void>> echo_once(Stream& stream) {
  Bytes sent(32, 7);
  Bytes back(32);
  const Result<void> wrote = co_await stream.write(sent);
  if (!wrote) co_return wrote.error();
  const Result<void> got = co_await stream.read_exactly(back);
  if (!got) co_return got.error();
  if (back != sent) co_return fail(Errc::mismatch, "not the echo");
  co_return Result<void>();
}

class PingServiceTest : public testing::Test {
 protected:
  PingServiceTest() {
    net_.add();
    net_.add();
    EXPECT_TRUE(net_.connect(0, 1));
  }
  PeerId peer(std::size_t i) { return net_.host(i).id(); }
  SimHosts net_{1};
};

TEST_F(PingServiceTest, measures_the_round_trip_of_the_link) {
  PingService a(net_.host(0));
  PingService b(net_.host(1));
  const auto warm = net_.run(0, a.ping(peer(1)));
  ASSERT_TRUE(warm && warm->has_value());
  std::vector<Nanos> times;
  const auto done = net_.run(0, a.ping_many(peer(1), 5, Seconds(1), [&times](std::size_t i, Nanos time) {
    EXPECT_EQ(i, times.size());
    times.push_back(time);
  }));
  ASSERT_TRUE(done && done->has_value());
  ASSERT_EQ(times.size(), 5U);
  for (const Nanos time : times) {
    EXPECT_GE(time, Millis(40));
    EXPECT_LE(time, Millis(90));  // the first also carries the negotiation
  }
  const auto latency = net_.host(0).peerstore().latency(peer(1));
  ASSERT_TRUE(latency.has_value());
  EXPECT_GE(*latency, Millis(40));
  EXPECT_LE(*latency, Millis(90));
}

// Whatever bytes the ping had: what follows a proposal is read as another one.
TEST_F(PingServiceTest, says_that_a_peer_does_not_speak_ping) {
  PingService a(net_.host(0));
  for (int i = 0; i < 100; ++i) {
    const auto rtt = net_.run(0, a.ping(peer(1)));
    ASSERT_TRUE(rtt && !*rtt);
    EXPECT_EQ(rtt->error().code(), Errc::unsupported) << rtt->error().message();
  }
}

TEST_F(PingServiceTest, pings_many_times_when_nobody_listens_to_the_figures) {
  PingService a(net_.host(0));
  PingService b(net_.host(1));
  const auto done = net_.run(0, a.ping_many(peer(1), 3, Millis(10), nullptr));
  ASSERT_TRUE(done && *done) << (done ? done->error().message() : "did not end");
  EXPECT_TRUE(net_.host(0).peerstore().latency(peer(1)).has_value());
}

TEST_F(PingServiceTest, ends_with_the_last_answer_and_not_an_interval_later) {
  PingService a(net_.host(0));
  PingService b(net_.host(1));
  const MonoTime start = net_.world().now();
  const auto done = net_.run(0, a.ping_many(peer(1), 3, Seconds(10), nullptr));
  ASSERT_TRUE(done && *done);
  EXPECT_GE(net_.world().now() - start, Seconds(20));
  EXPECT_LT(net_.world().now() - start, Seconds(22));
}

TEST_F(PingServiceTest, gives_up_on_a_silent_peer_after_the_timeout) {
  PingService a(net_.host(0));
  net_.host(1).set_stream_handler(std::string(kPingProtocol), answer_nothing);
  const MonoTime start = net_.world().now();
  const auto rtt = net_.run(0, a.ping(peer(1)));
  ASSERT_TRUE(rtt.has_value());
  ASSERT_FALSE(rtt->has_value());
  EXPECT_EQ(rtt->error(), Errc::timed_out);
  EXPECT_GE(net_.world().now() - start, Seconds(10));
  EXPECT_LE(net_.world().now() - start, Seconds(11));
}

TEST_F(PingServiceTest, refuses_an_answer_that_is_not_what_was_sent) {
  PingService a(net_.host(0));
  net_.host(1).set_stream_handler(std::string(kPingProtocol), answer_wrongly);
  const auto rtt = net_.run(0, a.ping(peer(1)));
  ASSERT_TRUE(rtt.has_value());
  ASSERT_FALSE(rtt->has_value());
  EXPECT_EQ(rtt->error(), Errc::mismatch);
}

Task<void> note(Task<Result<Nanos>> ping, std::vector<Errc>& failures) {
  const Result<Nanos> rtt = co_await ping;
  if (!rtt) failures.push_back(rtt.error().code());
}

TEST_F(PingServiceTest, has_one_ping_to_a_peer_at_a_time) {
  PingService a(net_.host(0));
  PingService b(net_.host(1));
  std::vector<Errc> failures;
  runtime::TaskScope scope(net_.node(0).runtime());
  scope.spawn(note(a.ping(peer(1)), failures));
  scope.spawn(note(a.ping(peer(1)), failures));
  net_.run_for(Seconds(5));
  EXPECT_EQ(failures, std::vector<Errc>{Errc::exhausted});
}

TEST_F(PingServiceTest, serves_two_streams_of_a_peer_and_resets_a_third) {
  PingService b(net_.host(1));
  std::vector<Stream> streams;
  std::vector<bool> answered;
  for (int i = 0; i < 3; ++i) {
    auto opened = net_.run(0, open_ping(net_.host(0), peer(1)));
    ASSERT_TRUE(opened && opened->has_value());
    streams.push_back(std::move(**opened));
    const auto echoed = net_.run(0, echo_once(streams.back()));
    answered.push_back(echoed && echoed->has_value());
  }
  EXPECT_EQ(answered, (std::vector<bool>{true, true, false}));
  // A place is free again when a stream has ended.
  streams.front().close_write();
  net_.run_for(Seconds(1));
  auto again = net_.run(0, open_ping(net_.host(0), peer(1)));
  ASSERT_TRUE(again && again->has_value());
  Stream stream = std::move(**again);
  const auto echoed = net_.run(0, echo_once(stream));
  EXPECT_TRUE(echoed && echoed->has_value());
}

TEST_F(PingServiceTest, resets_a_stream_that_says_nothing_for_a_minute) {
  PingService b(net_.host(1));
  auto opened = net_.run(0, open_ping(net_.host(0), peer(1)));
  ASSERT_TRUE(opened && opened->has_value());
  Stream stream = std::move(**opened);
  ASSERT_TRUE(net_.run(0, echo_once(stream)).value().has_value());
  net_.run_for(Seconds(59));
  EXPECT_TRUE(stream.alive());
  net_.run_for(Seconds(2));
  EXPECT_FALSE(stream.alive());
}

TEST_F(PingServiceTest, measures_every_peer_in_rounds) {
  net_.add();
  ASSERT_TRUE(net_.connect(0, 2));
  PingConfig config;
  config.background = true;
  PingService a(net_.host(0), config);
  PingService b(net_.host(1));
  std::map<PeerId, int> answers;
  std::map<PeerId, int> failures;
  a.on_result([&](const PeerId& from, const Result<Nanos>& rtt) { ++(rtt ? answers : failures)[from]; });
  net_.run_for(Seconds(179));
  EXPECT_TRUE(answers.empty());
  net_.run_for(Seconds(400));
  EXPECT_EQ(answers, (std::map<PeerId, int>{{peer(1), 3}}));
  EXPECT_EQ(failures, (std::map<PeerId, int>{{peer(2), 3}}));
}

TEST(PingService, leaves_nothing_behind) {
  {
    SimHosts net(2);
    net.add();
    net.add();
    ASSERT_TRUE(net.connect(0, 1));
    PingConfig config;
    config.background = true;
    PingService a(net.host(0), config);
    PingService b(net.host(1), config);
    ASSERT_TRUE(net.run(0, a.ping(net.host(1).id())).value().has_value());
    EXPECT_TRUE(net.run(0, a.close()));
    const auto closed = net.run(1, b.ping(net.host(0).id()));
    ASSERT_TRUE(closed.has_value());
    EXPECT_FALSE(closed->has_value());
  }
  EXPECT_EQ(live<PingService>(), 0);
  EXPECT_EQ(live<runtime::detail::Root>(), 0);
}

}  // namespace
}  // namespace libp2p
