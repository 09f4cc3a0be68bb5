// The HTTP server with routes of the tests: whatever is registered is served, and how a handler answers does not
// matter.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <future>
#include <thread>

#include "opp2p/rpc/http_server.hpp"
#include "opp2p/rpc/http_server_test_client.hpp"

namespace opp2p {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kClose = "Host: x\r\nConnection: close\r\n\r\n";

class HttpServerRoutes : public testing::Test {
 protected:
  // The server with what was put into routes_.
  void start(HttpLimits limits = {}) {
    HttpConfig config;
    config.address = "127.0.0.1";
    config.limits = limits;
    server_ = HttpServer::start(config, std::move(routes_), accounts_).value();
  }
  std::string get(const std::string& path) { return http_exchange(server_->port(), "GET " + path + " HTTP/1.1\r\n"); }
  static std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

  // A handler that gives its `done` to the test, and tells when it is cancelled.
  HttpBegin keeps_done() {
    return [this](HttpRequest request, HttpDone done) {
      asked_ = std::move(request);
      done_.set_value(std::move(done));
      return [this] { ++cancelled_; };
    };
  }

  HttpRoutes routes_;
  ClientAccounts accounts_{20 << 20, 20 << 20};
  std::promise<HttpDone> done_;
  HttpRequest asked_;
  std::atomic<int> cancelled_{0};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerRoutes, a_registered_route_is_served_with_its_status_type_and_headers) {
  routes_.add("GET", "/metrics", [](const HttpRequest&) {
    auto out = text_reply(HttpStatus::accepted, "up 1\n", "text/plain; version=0.0.4");
    out.headers.emplace_back("Cache-Control", "no-store");
    return out;
  });
  start();
  EXPECT_EQ(get("/metrics"),
            "HTTP/1.1 202 Accepted\r\nContent-Type: text/plain; version=0.0.4\r\nCache-Control: no-store\r\n"
            "Connection: close\r\nContent-Length: 5\r\n\r\nup 1\n");
  EXPECT_EQ(get("/metrics?name=up"), get("/metrics"));
  EXPECT_EQ(status_of(get("/")), "HTTP/1.1 404 Not Found");
  const auto head = http_exchange(server_->port(), "HEAD /metrics HTTP/1.1\r\n");
  EXPECT_EQ(head + "up 1\n", get("/metrics"));
  const auto put = http_exchange(server_->port(), "PUT /metrics HTTP/1.1\r\n");
  EXPECT_EQ(status_of(put), "HTTP/1.1 405 Method Not Allowed");
  EXPECT_NE(put.find("\r\nAllow: GET, HEAD, OPTIONS\r\n"), std::string::npos) << put;
  EXPECT_EQ(status_of(http_exchange(server_->port(), "OPTIONS /x HTTP/1.1\r\n")), "HTTP/1.1 204 No Content");
}

TEST_F(HttpServerRoutes, a_handler_sees_the_request) {
  HttpRequest seen;
  routes_.add("POST", "/x", [&seen](const HttpRequest& request) {
    seen.has_query = request.has_query;
    seen.content_type = request.content_type;
    seen.token = request.token;
    seen.body = request.body;
    return HttpReply();
  });
  start();
  http_exchange(server_->port(), "POST /x/?a=b HTTP/1.1\r\nContent-Type: a/b\r\nAuthorization: bearer  t\r\n", "body");
  EXPECT_TRUE(seen.has_query);
  EXPECT_EQ(seen.content_type, "a/b");
  EXPECT_EQ(seen.token, "t");
  EXPECT_EQ(seen.body, "body");
}

TEST_F(HttpServerRoutes, a_handler_may_answer_late_and_from_another_thread_while_others_are_served) {
  routes_.add_late("GET", "/late", keeps_done());
  routes_.add("GET", "/now", [](const HttpRequest&) { return text_reply(HttpStatus::ok, "now"); });
  start();
  auto asking = std::async(std::launch::async, [this] { return get("/late"); });
  const auto done = done_.get_future().get();
  EXPECT_EQ(body_of(get("/now")), "now");
  std::thread([&done] { done(text_reply(HttpStatus::ok, "late")); }).join();
  EXPECT_EQ(body_of(asking.get()), "late");
  EXPECT_EQ(cancelled_, 0);
}

TEST_F(HttpServerRoutes, requests_behind_a_late_answer_wait_for_it) {
  routes_.add_late("GET", "/late", keeps_done());
  routes_.add("GET", "/now", [](const HttpRequest&) { return text_reply(HttpStatus::ok, "now"); });
  start();
  auto asking = std::async(std::launch::async, [this] {
    return http_raw(server_->port(),
                    "GET /late HTTP/1.1\r\nHost: x\r\n\r\nGET /now HTTP/1.1\r\n" + std::string(kClose));
  });
  done_.get_future().get()(text_reply(HttpStatus::ok, "late"));
  const auto answers = asking.get();
  EXPECT_LT(answers.find("late"), answers.find("now")) << answers;
  EXPECT_TRUE(answers.ends_with("now"));
}

TEST_F(HttpServerRoutes, an_answer_inside_the_call_of_a_late_handler_is_an_answer) {
  routes_.add_late("GET", "/", [](HttpRequest, const HttpDone& done) {
    done(text_reply(HttpStatus::ok, "at once"));
    return HttpCancel();
  });
  start();
  EXPECT_EQ(body_of(get("/")), "at once");
}

TEST_F(HttpServerRoutes, a_client_that_goes_cancels_its_handler_and_a_late_answer_harms_nobody) {
  HttpLimits limits;
  limits.patience = libp2p::Millis(1);
  routes_.add_late("GET", "/late", keeps_done());
  routes_.add("GET", "/now", [](const HttpRequest&) { return text_reply(HttpStatus::ok, "now"); });
  start(limits);
  auto waiting = done_.get_future();
  {
    asio::io_context context;
    asio::ip::tcp::socket socket(context);
    socket.connect({asio::ip::address_v4::loopback(), server_->port()});
    asio::write(socket, asio::buffer(std::string_view("GET /late HTTP/1.1\r\nHost: x\r\n\r\n")));
    waiting.wait();
  }
  while (cancelled_ == 0) std::this_thread::yield();
  waiting.get()(text_reply(HttpStatus::ok, "nobody reads this"));
  EXPECT_EQ(body_of(get("/now")), "now");
  EXPECT_EQ(cancelled_, 1);
}

TEST_F(HttpServerRoutes, the_end_of_the_server_cancels_what_is_computed) {
  routes_.add_late("GET", "/late", keeps_done());
  start();
  auto asking = std::async(std::launch::async,
                           [port = server_->port()] { return http_exchange(port, "GET /late HTTP/1.1\r\n"); });
  const auto done = done_.get_future().get();
  server_.reset();
  EXPECT_EQ(cancelled_, 1);
  done(text_reply(HttpStatus::ok, "too late"));
  EXPECT_EQ(asking.get(), "");
}

TEST_F(HttpServerRoutes, an_answer_larger_than_every_buffer_arrives_whole) {
  std::string text;
  for (int i = 0; text.size() < (8u << 20); ++i) text += std::to_string(i) + "\n";
  routes_.add("GET", "/big", [&text](const HttpRequest&) { return text_reply(HttpStatus::ok, text); });
  start();
  const auto answer = get("/big");
  EXPECT_NE(answer.find("Content-Length: " + std::to_string(text.size()) + "\r\n"), std::string::npos);
  EXPECT_TRUE(body_of(answer) == text);
}

TEST_F(HttpServerRoutes, the_body_of_a_request_is_counted_until_its_handler_lets_it_go) {
  routes_.add_late("POST", "/late", keeps_done());
  start();
  auto asking = std::async(std::launch::async, [this] {
    return http_exchange(server_->port(), "POST /late HTTP/1.1\r\n", std::string(100'000, 'x'));
  });
  const auto done = done_.get_future().get();
  EXPECT_GE(accounts_.strangers()->used(), 100'000 - MemoryCharge::kAllowance);
  asked_ = HttpRequest();
  EXPECT_EQ(accounts_.strangers()->used(), 0u);
  done(HttpReply());
  asking.get();
}

TEST_F(HttpServerRoutes, when_memory_is_short_the_largest_request_that_is_not_whole_makes_room) {
  accounts_ = ClientAccounts(60'000, 0);
  HttpLimits limits;
  limits.patience = libp2p::Nanos(0);
  limits.slowest = 0;  // no request is slow: the largest goes
  routes_.add("GET", "/", [](const HttpRequest&) { return text_reply(HttpStatus::ok, "here"); });
  start(limits);
  const std::string large = "X: " + std::string(60'000, 'a') + "\r\n";
  asio::io_context context;
  asio::ip::tcp::socket first(context);
  first.connect({asio::ip::address_v4::loopback(), server_->port()});
  asio::write(first, asio::buffer("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n" +
                                  large + "\r\n"));
  std::string invitation(25, '\0');
  asio::read(first, asio::buffer(invitation));  // its head is counted
  ASSERT_EQ(status_of(http_exchange(server_->port(), "GET / HTTP/1.1\r\n" + large)), "HTTP/1.1 200 OK");
  std::string rest;
  boost::system::error_code error;
  asio::read(first, asio::dynamic_buffer(rest), error);
  EXPECT_EQ(rest, "") << "it was closed";
}

TEST_F(HttpServerRoutes, when_all_places_are_taken_only_probes_are_answered) {
  HttpLimits limits;
  limits.places = 1;
  routes_.add_late("GET", "/late", keeps_done());
  routes_.add_probe("/alive", [](const HttpRequest&) { return text_reply(HttpStatus::ok, "alive"); });
  start(limits);
  auto asking = std::async(std::launch::async, [this] { return get("/late"); });
  const auto done = done_.get_future().get();
  EXPECT_EQ(body_of(get("/alive")), "alive");
  for (const auto* asked : {"GET /late", "GET /unknown", "OPTIONS /alive"}) {
    const auto answer = http_exchange(server_->port(), std::string(asked) + " HTTP/1.1\r\n");
    EXPECT_EQ(status_of(answer), "HTTP/1.1 503 Service Unavailable") << asked;
    EXPECT_NE(answer.find("this connection is for /alive only\n"), std::string::npos) << answer;
  }
  done(text_reply(HttpStatus::ok, "late"));
  EXPECT_EQ(body_of(asking.get()), "late");
}

// It has no address any more and counted in no share, so that one address could evict the idle connections of all
// others.
TEST_F(HttpServerRoutes, a_connection_that_is_reset_before_it_is_accepted_evicts_nobody) {
  std::promise<void> accepted, go_on;
  routes_.add("GET", "/wait", [&](const HttpRequest&) {
    accepted.set_value();
    go_on.get_future().wait();  // on the server's thread: nothing is accepted meanwhile
    return HttpReply();
  });
  routes_.add("GET", "/", [](const HttpRequest&) { return text_reply(HttpStatus::ok, "here"); });
  HttpLimits limits;
  limits.places = 2;
  start(limits);
  asio::io_context context;
  const asio::ip::tcp::endpoint at(asio::ip::address_v4::loopback(), server_->port());
  asio::ip::tcp::socket idle(context);
  idle.connect(at);
  std::string waited;
  std::thread waiting([&] { waited = get("/wait"); });
  accepted.get_future().wait();
  for (int i = 0; i < 3; ++i) {
    asio::ip::tcp::socket gone(context);
    gone.connect(at);
    gone.set_option(asio::socket_base::linger(true, 0));
    gone.close();  // the destructor would not reset it
  }
  go_on.set_value();
  waiting.join();
  EXPECT_EQ(status_of(waited), "HTTP/1.1 200 OK");
  asio::write(idle, asio::buffer("GET / HTTP/1.1\r\n" + std::string(kClose)));
  std::string answer;
  boost::system::error_code error;
  asio::read(idle, asio::dynamic_buffer(answer), error);
  EXPECT_TRUE(answer.ends_with("\r\n\r\nhere")) << answer;
}

}  // namespace
}  // namespace opp2p
