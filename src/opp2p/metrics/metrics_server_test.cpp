#include "opp2p/metrics/metrics_server.hpp"

#include <gmock/gmock.h>

#include <atomic>

#include "opp2p/metrics/metric_registry.hpp"
#include "opp2p/rpc/http_server_test_client.hpp"

namespace opp2p {
namespace {

using testing::HasSubstr;

class MetricsServerTest : public testing::Test {
 protected:
  std::string get(const std::string& path, const std::string& method = "GET") {
    return http_exchange(server_.port(), method + " " + path + " HTTP/1.1\r\n");
  }
  static std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

  std::atomic<int> made_{0};
  std::atomic<std::int64_t> millis_{0};
  MetricsServer server_{[this] { return "made " + std::to_string(++made_) + "\n"; },
                        [this] { return libp2p::MonoTime(libp2p::Millis(millis_)); }};
};

TEST_F(MetricsServerTest, answers_at_every_path_with_prometheus_text) {
  ASSERT_TRUE(server_.listen("127.0.0.1", 0));
  for (const std::string path : {"/metrics", "/", "/any/other?x=1", "/healthz"}) {
    const auto answer = get(path);
    EXPECT_EQ(status_of(answer), "HTTP/1.1 200 OK") << path;
    EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n")) << path;
    EXPECT_EQ(body_of(answer), "made 1\n") << path;
  }
  EXPECT_THAT(get("/metrics", "HEAD"), HasSubstr("\r\nContent-Length: 7\r\n\r\n"));
  EXPECT_EQ(status_of(get("/metrics", "POST")), "HTTP/1.1 405 Method Not Allowed");
}

TEST_F(MetricsServerTest, a_web_page_reads_nothing_and_is_told_no_option_of_the_rpc) {
  ASSERT_TRUE(server_.listen("127.0.0.1", 0));
  for (const std::string header : {"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}) {
    const auto answer = http_exchange(server_.port(), "GET /metrics HTTP/1.1\r\n" + header + "\r\n");
    EXPECT_EQ(status_of(answer), "HTTP/1.1 403 Forbidden") << header;
    EXPECT_THAT(answer, HasSubstr("may not read this node's metrics"));
    EXPECT_THAT(answer, testing::Not(HasSubstr("--rpc")));
  }
  EXPECT_EQ(made_, 0);
}

TEST_F(MetricsServerTest, makes_one_text_for_all_who_ask_within_a_quarter_of_a_second) {
  ASSERT_TRUE(server_.listen("127.0.0.1", 0));
  EXPECT_EQ(body_of(get("/")), "made 1\n");
  millis_ = 249;
  EXPECT_EQ(body_of(get("/")), "made 1\n");
  millis_ = 250;
  EXPECT_EQ(body_of(get("/")), "made 2\n");
  EXPECT_EQ(made_, 2);
}

TEST_F(MetricsServerTest, a_port_that_is_taken_is_an_error_that_names_the_option) {
  ASSERT_TRUE(server_.listen("127.0.0.1", 0));
  MetricsServer other([] { return std::string(); }, [] { return libp2p::MonoTime(); });
  const auto failed = other.listen("127.0.0.1", server_.port());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().text(), "the metrics server cannot listen on 127.0.0.1:" + std::to_string(server_.port()) +
                                       ": Address already in use; choose another --metrics.port or stop the program "
                                       "that has it");
}

TEST_F(MetricsServerTest, a_server_that_was_stopped_answers_nobody) {
  ASSERT_TRUE(server_.listen("127.0.0.1", 0));
  const auto port = server_.port();
  server_.stop();
  EXPECT_THROW(http_exchange(port, "GET / HTTP/1.1\r\n"), boost::system::system_error);
}

}  // namespace
}  // namespace opp2p
