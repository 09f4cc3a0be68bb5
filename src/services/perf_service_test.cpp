#include "services/perf_service.hpp"

#include <gtest/gtest.h>

#include "services/sim_hosts.hpp"

namespace libp2p::services {
namespace {

using network::Stream;
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

}  // namespace
}  // namespace libp2p::services
