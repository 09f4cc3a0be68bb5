#include "libp2p/services/perf/perf_service.hpp"

#include <gtest/gtest.h>

#include "libp2p/testing/sim_hosts.hpp"

namespace libp2p {
namespace {

using libp2p::Stream;
using runtime::Task;

Task<void> send_too_little(Stream stream) {
  const Result<Bytes> request = co_await stream.read_to_end(1 << 20);
  Bytes answer(10);
  if (request) {
    const Result<void> sent = co_await stream.write(answer);
    if (sent) stream.close_write();
  }
}

class PerfServiceTest : public testing::Test {
 protected:
  PerfServiceTest() {
    net_.add();
    net_.add();
    EXPECT_TRUE(net_.connect(0, 1));
    config_.serve = true;
  }
  SimHosts net_{3};
  PerfConfig config_;
};

TEST_F(PerfServiceTest, moves_exactly_the_bytes_that_were_asked_for) {
  PerfService server(net_.host(1), config_);
  PerfService client(net_.host(0));
  const std::pair<std::uint64_t, std::uint64_t> cases[] = {{0, 0}, {1, 0}, {0, 1}, {3'000'001, 2'000'003}};
  for (const auto& [up, down] : cases) {
    const auto result = net_.run(0, client.run(net_.host(1).id(), up, down));
    ASSERT_TRUE(result && result->has_value()) << up << " " << down;
    EXPECT_EQ((*result)->uploaded, up);
    EXPECT_EQ((*result)->downloaded, down);
    EXPECT_GE((*result)->upload, Millis(40));
  }
}

TEST_F(PerfServiceTest, fails_when_the_server_sends_less_than_it_was_asked_for) {
  net_.host(1).set_stream_handler(std::string(kPerfProtocol), send_too_little);
  PerfService client(net_.host(0));
  const auto result = net_.run(0, client.run(net_.host(1).id(), 5, 100));
  ASSERT_TRUE(result.has_value());
  ASSERT_FALSE(result->has_value());
  EXPECT_EQ(result->error(), Errc::mismatch);
}

TEST_F(PerfServiceTest, is_not_served_unless_it_is_asked_to) {
  PerfService server(net_.host(1));
  PerfService client(net_.host(0));
  const auto result = net_.run(0, client.run(net_.host(1).id(), 5, 100));
  ASSERT_TRUE(result.has_value());
  EXPECT_FALSE(result->has_value());
}

TEST_F(PerfServiceTest, ends_with_an_error_when_the_connection_goes) {
  PerfService server(net_.host(1), config_);
  PerfService client(net_.host(0));
  net_.world().at(net_.world().now() + Millis(100), [this] { net_.disconnect(0, 1); });
  const auto result = net_.run(0, client.run(net_.host(1).id(), 1'000'000'000, 0));
  ASSERT_TRUE(result.has_value());
  EXPECT_FALSE(result->has_value());
}

// One byte every 50 seconds.
Task<void> trickle(libp2p::Host& host, PeerId peer, bool* ended) {
  std::vector<std::string> protocols;
  protocols.emplace_back(kPerfProtocol);
  Result<Stream> opened = co_await host.open_stream(std::move(peer), std::move(protocols));
  Stream stream = std::move(*opened);
  Bytes one(9);
  while (true) {
    const Result<void> sent = co_await stream.write(one);
    if (!sent) break;
    one.resize(1);
    const Result<void> slept = co_await runtime::sleep_for(host.runtime(), Seconds(50));
    if (!slept) co_return;
  }
  *ended = true;
}

TEST_F(PerfServiceTest, a_byte_now_and_then_does_not_keep_an_exchange_alive) {
  PerfService server(net_.host(1), config_);
  bool ended = false;
  runtime::TaskScope scope(net_.host(0).runtime());
  scope.spawn(trickle(net_.host(0), net_.host(1).id(), &ended));
  net_.run_for(Seconds(55));
  EXPECT_FALSE(ended);
  net_.run_for(Seconds(100));
  EXPECT_TRUE(ended);
}

TEST_F(PerfServiceTest, an_exchange_ends_at_its_longest_time_however_fast_it_is) {
  config_.longest_exchange = Seconds(2);
  PerfService server(net_.host(1), config_);
  PerfService client(net_.host(0));
  const MonoTime begun = net_.world().now();
  const auto result = net_.run(0, client.run(net_.host(1).id(), 0, std::uint64_t{1} << 60), Seconds(200));
  ASSERT_TRUE(result.has_value());
  EXPECT_FALSE(result->has_value());
  EXPECT_GE(net_.world().now() - begun, Seconds(2));
  EXPECT_LE(net_.world().now() - begun, Seconds(3));
}

}  // namespace
}  // namespace libp2p
