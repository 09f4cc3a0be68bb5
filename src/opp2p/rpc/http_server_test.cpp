#include "opp2p/rpc/http_server.hpp"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "opp2p/rpc/health_routes.hpp"
#include "opp2p/rpc/http_server_test_client.hpp"
#include "opp2p/rpc/json_rpc_test_support.hpp"
#include "opp2p/rpc/rpc_route.hpp"
#include "opp2p/rpc/rpc_worker.hpp"

namespace opp2p {
namespace {

namespace asio = boost::asio;

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    rpc_.add({"a_echo", parameters(1, 1), RpcAccess::reads,
              [](const json::array& params) -> RpcReply { return params[0]; }});
    rpc_.add({"a_never", {}, RpcAccess::reads, [this](const json::array&, RpcDone done) {
                late_.set_value(std::move(done));
              }});
    server_ = start(rpc_);
  }

  std::string exchange(std::string_view head, std::string_view body = "") {
    return http_exchange(server_->port(), head, body);
  }
  std::string raw(std::string_view request) { return http_raw(server_->port(), request); }

  static HttpConfig config(std::string address, std::uint16_t port) {
    HttpConfig out;
    out.address = std::move(address);
    out.port = port;
    return out;
  }

  std::unique_ptr<HttpServer> start(const JsonRpc& rpc) {
    HttpRoutes routes;
    add_rpc_route(routes, rpc);
    add_health_routes(routes, "v1", [this] { return ready_ ? Health() : Health{false, "the head is old"}; });
    return HttpServer::start(config("127.0.0.1", 0), std::move(routes), rpc.accounts()).value();
  }

  asio::io_context client_;
  RpcWorker worker_;
  JsonRpc rpc_{[this](std::function<void()> task) { worker_.post(std::move(task)); }, &RpcWorker::now};
  std::promise<RpcDone> late_;
  std::atomic<bool> ready_{true};
  std::unique_ptr<HttpServer> server_;
};

constexpr auto kHeadOfPost = "POST / HTTP/1.1\r\nContent-Type: application/json\r\n";

TEST_F(HttpServerTest, a_post_is_answered_with_200_even_for_an_error) {
  const auto good = exchange(kHeadOfPost, R"({"jsonrpc":"2.0","id":1,"method":"a_echo","params":["x"]})");
  EXPECT_NE(good.find("HTTP/1.1 200"), std::string::npos);
  EXPECT_NE(good.find(R"({"jsonrpc":"2.0","id":1,"result":"x"})"), std::string::npos);
  EXPECT_EQ(good.find("Access-Control"), std::string::npos);
  const auto bad = exchange(kHeadOfPost, "{");
  EXPECT_NE(bad.find("HTTP/1.1 200"), std::string::npos);
  EXPECT_NE(bad.find("-32700"), std::string::npos);
}

TEST_F(HttpServerTest, the_other_ways_in_have_the_status_of_the_reference) {
  EXPECT_NE(exchange("GET / HTTP/1.1\r\n").find("HTTP/1.1 200"), std::string::npos);
  const auto put = exchange("PUT / HTTP/1.1\r\n");
  EXPECT_NE(put.find("HTTP/1.1 405"), std::string::npos);
  EXPECT_NE(put.find("Allow: GET, HEAD, OPTIONS, POST\r\n"), std::string::npos) << put;
  EXPECT_NE(exchange("GET /other HTTP/1.1\r\n").find("HTTP/1.1 404"), std::string::npos);
  EXPECT_NE(exchange("POST / HTTP/1.1\r\nContent-Type: text/html\r\n", "{}").find("HTTP/1.1 415"), std::string::npos);
}

TEST_F(HttpServerTest, head_has_the_status_and_the_headers_of_get_and_no_body) {
  for (const std::string_view target : {"/", "/healthz", "/healthz/", "/readyz", "/other", "/?x", "http://x/healthz"}) {
    const auto asked = std::string(target) + " HTTP/1.1\r\n";
    const auto got = exchange("GET " + asked);
    const auto headed = exchange("HEAD " + asked);
    EXPECT_EQ(headed, got.substr(0, got.find("\r\n\r\n") + 4)) << target;
    EXPECT_NE(headed.find("Content-Length: "), std::string::npos);
  }
  ready_ = false;
  EXPECT_EQ(status_of(exchange("HEAD /readyz HTTP/1.1\r\n")), "HTTP/1.1 503 Service Unavailable");
  const auto call = exchange("HEAD / HTTP/1.1\r\nContent-Type: application/json\r\n",
                             R"({"jsonrpc":"2.0","id":1,"method":"a_echo"})");
  EXPECT_EQ(status_of(call), "HTTP/1.1 405 Method Not Allowed");
  EXPECT_TRUE(call.ends_with("\r\n\r\n"));
}

TEST_F(HttpServerTest, a_head_that_is_refused_before_it_is_parsed_gets_no_body_either) {
  const auto expect_no_body = [](const std::string& answer, std::string_view status) {
    EXPECT_EQ(status_of(answer), status);
    EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
  };
  expect_no_body(exchange("HEAD / HTTP/1.1\r\nX: " + std::string(70'000, 'a') + "\r\n"),
                 "HTTP/1.1 431 Request Header Fields Too Large");
  expect_no_body(exchange("HEAD / HTTP/9\r\n"), "HTTP/1.1 400 Bad Request");
  expect_no_body(exchange("HEAD / HTTP/1.1\r\nnot a header\r\n"), "HTTP/1.1 400 Bad Request");
}

TEST_F(HttpServerTest, the_answer_behind_a_head_begins_where_it_should) {
  const std::string head = " HTTP/1.1\r\nHost: x\r\n\r\n";
  const auto answers = raw("HEAD /healthz" + head + "HEAD /other" + head + "HEAD /" + head +
                           "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  std::string_view rest = answers;
  for (const std::string_view status : {"HTTP/1.1 200", "HTTP/1.1 404", "HTTP/1.1 200"}) {
    ASSERT_TRUE(rest.starts_with(status)) << rest;
    rest.remove_prefix(rest.find("\r\n\r\n") + 4);
  }
  EXPECT_TRUE(rest.starts_with("HTTP/1.1 200")) << rest;
  EXPECT_TRUE(rest.ends_with("{\"version\":\"v1\",\"ok\":true,\"why\":\"\"}\n")) << rest;
}

TEST_F(HttpServerTest, healthz_is_200_and_readyz_says_whether_the_node_follows) {
  const std::string good = "{\"version\":\"v1\",\"ok\":true,\"why\":\"\"}\n";
  const std::string bad = "{\"version\":\"v1\",\"ok\":false,\"why\":\"the head is old\"}\n";
  for (const bool ready : {true, false}) {
    ready_ = ready;
    for (const std::string_view asked :
         {"GET /healthz", "GET /healthz/", "POST /healthz", "PUT /healthz", "GET /healthz?x", "GET /readyz",
          "GET /readyz/", "POST /readyz", "GET http://x/readyz"}) {
      const auto answer = exchange(std::string(asked) + " HTTP/1.1\r\n");
      const bool refused = !ready && asked.find("readyz") != std::string_view::npos;
      EXPECT_EQ(status_of(answer), refused ? "HTTP/1.1 503 Service Unavailable" : "HTTP/1.1 200 OK") << asked;
      EXPECT_NE(answer.find("Content-Type: application/json\r\n"), std::string::npos);
      EXPECT_TRUE(answer.ends_with(ready ? good : bad)) << answer;
    }
  }
  EXPECT_EQ(status_of(exchange("GET /healthzz HTTP/1.1\r\n")), "HTTP/1.1 404 Not Found");
}

TEST_F(HttpServerTest, media_types_are_taken_in_any_case) {
  const auto body = R"({"jsonrpc":"2.0","id":1,"method":"a_echo","params":["x"]})";
  for (const std::string_view type :
       {"Application/JSON", "APPLICATION/JSON; Charset=UTF-8", "application/json\t;x", "application/Json-RPC"})
    EXPECT_NE(exchange("POST / HTTP/1.1\r\nContent-Type: " + std::string(type) + "\r\n", body).find(R"("result":"x")"),
              std::string::npos)
        << type;
}

TEST_F(HttpServerTest, headers_of_64_KiB_are_served_and_larger_ones_get_431) {
  const auto body = R"({"jsonrpc":"2.0","id":1,"method":"a_echo","params":["x"]})";
  const auto with = [&](std::size_t bytes) {
    return exchange(std::string(kHeadOfPost) + "X: " + std::string(bytes, 'a') + "\r\n", body);
  };
  EXPECT_NE(with(9'000).find(R"("result":"x")"), std::string::npos);
  EXPECT_NE(with(65'000).find(R"("result":"x")"), std::string::npos);
  EXPECT_EQ(status_of(with(65'536)), "HTTP/1.1 431 Request Header Fields Too Large");
  EXPECT_EQ(status_of(with(2'000'000)), "HTTP/1.1 431 Request Header Fields Too Large");
}

TEST_F(HttpServerTest, large_headers_count_in_the_memory_of_the_rpc) {
  RpcBudget limits;
  limits.memory = 0;
  JsonRpc rpc([this](std::function<void()> task) { worker_.post(std::move(task)); }, &RpcWorker::now, limits);
  server_ = start(rpc);
  EXPECT_EQ(status_of(exchange("GET / HTTP/1.1\r\nX: " + std::string(5'000, 'a') + "\r\n")), "HTTP/1.1 200 OK");
  EXPECT_EQ(status_of(exchange("GET / HTTP/1.1\r\nX: " + std::string(40'000, 'a') + "\r\n")),
            "HTTP/1.1 503 Service Unavailable");
  server_.reset();
}

TEST_F(HttpServerTest, what_is_not_http_1_gets_400_at_once) {
  const std::string hello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);  // of TLS
  for (const std::string_view sent :
       {std::string_view(hello), std::string_view("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), std::string_view("GET /\r\n"),
        std::string_view("hello\n"), std::string_view("GET / HTTP/1.1\nHost: x\n\n"),
        std::string_view("GET / HTTP/3.0\r\n\r\n"), std::string_view("GET / HTTP/1.1\r\nno colon\r\n\r\n"),
        std::string_view("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n"),
        std::string_view("POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n")}) {
    const auto answer = raw(sent);
    EXPECT_EQ(status_of(answer), "HTTP/1.1 400 Bad Request") << sent;
    EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
  }
  EXPECT_NE(raw(hello).find("without TLS"), std::string::npos);
}

TEST_F(HttpServerTest, a_target_may_name_the_server) {
  const auto body = R"({"jsonrpc":"2.0","id":1,"method":"a_echo","params":["x"]})";
  const std::string type = " HTTP/1.1\r\nContent-Type: application/json\r\n";
  EXPECT_NE(exchange("POST http://127.0.0.1:9545/" + type, body).find(R"("result":"x")"), std::string::npos);
  EXPECT_NE(exchange("POST HTTP://node" + type, body).find(R"("result":"x")"), std::string::npos);
  // Its host counts, not the header, so that a page's request cannot say another.
  const auto forged =
      raw("GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\nConnection: "
          "close\r\n\r\n");
  EXPECT_EQ(status_of(forged), "HTTP/1.1 403 Forbidden");
}

TEST_F(HttpServerTest, a_body_above_the_limit_is_refused_before_it_is_read) {
  asio::ip::tcp::socket socket(client_);
  socket.connect({asio::ip::address_v4::loopback(), server_->port()});
  const std::string head = std::string(kHeadOfPost) + "Host: x\r\nContent-Length: 5242881\r\n\r\n";
  asio::write(socket, asio::buffer(head));
  std::string answer;
  boost::system::error_code error;
  asio::read(socket, asio::dynamic_buffer(answer), error);
  EXPECT_NE(answer.find("HTTP/1.1 413"), std::string::npos);
}

// The parser leaves a line unread until it is whole, and what it leaves is counted nowhere.
TEST_F(HttpServerTest, an_extension_or_a_trailer_of_a_chunk_that_does_not_end_is_refused) {
  for (const std::string_view begun : {"5;", "2\r\n{}\r\n0\r\nX: "}) {
    asio::ip::tcp::socket socket(client_);
    socket.connect({asio::ip::address_v4::loopback(), server_->port()});
    std::string request = std::string(kHeadOfPost) + "Host: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    request += begun;
    request += std::string(128 * 1024, 'a');
    asio::write(socket, asio::buffer(request));
    std::string answer;
    boost::system::error_code error;
    socket.shutdown(asio::ip::tcp::socket::shutdown_send);  // a server that waits for more gives up
    asio::read(socket, asio::dynamic_buffer(answer), error);
    EXPECT_NE(answer.find("HTTP/1.1 431"), std::string::npos) << begun;
  }
}

TEST_F(HttpServerTest, a_client_that_waits_to_be_invited_is) {
  asio::ip::tcp::socket socket(client_);
  socket.connect({asio::ip::address_v4::loopback(), server_->port()});
  const std::string body = R"({"jsonrpc":"2.0","id":1,"method":"a_echo","params":["x"]})";
  const std::string head =
      std::string(kHeadOfPost) +
      "Host: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n";
  asio::write(socket, asio::buffer(head));
  std::string invitation(25, '\0');
  asio::read(socket, asio::buffer(invitation));
  EXPECT_EQ(invitation, "HTTP/1.1 100 Continue\r\n\r\n");
  asio::write(socket, asio::buffer(body));
  std::string answer;
  boost::system::error_code error;
  asio::read(socket, asio::dynamic_buffer(answer), error);
  EXPECT_NE(answer.find(R"("result":"x")"), std::string::npos);
}

TEST_F(HttpServerTest, requests_that_come_together_are_answered_in_order) {
  asio::ip::tcp::socket socket(client_);
  socket.connect({asio::ip::address_v4::loopback(), server_->port()});
  std::string requests;
  for (const auto* word : {"one", "two", "six"}) {
    const std::string body = R"({"jsonrpc":"2.0","id":1,"method":"a_echo","params":[")" + std::string(word) + "\"]}";
    requests += std::string(kHeadOfPost) + "Host: x\r\n" + (*word == 's' ? "Connection: close\r\n" : "") +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  asio::write(socket, asio::buffer(requests));
  std::string answers;
  boost::system::error_code error;
  asio::read(socket, asio::dynamic_buffer(answers), error);
  EXPECT_LT(answers.find("one"), answers.find("two"));
  EXPECT_LT(answers.find("two"), answers.find("six"));
  EXPECT_NE(answers.find("six"), std::string::npos);
}

TEST_F(HttpServerTest, line_ends_behind_a_body_are_forgiven) {
  const std::string body = R"({"jsonrpc":"2.0","id":1,"method":"a_echo","params":["x"]})";
  const std::string request =
      std::string(kHeadOfPost) + "Host: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  const std::string last = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const auto forgiven = raw(request + "\r\n" + request + "\n\n\r\n" + last);
  EXPECT_EQ(forgiven.find("HTTP/1.1 400"), std::string::npos) << forgiven;
  EXPECT_TRUE(forgiven.ends_with("Content-Length: 0\r\n\r\n")) << forgiven;
  EXPECT_NE(raw(request + "\r\n\r\n\n" + last).find("HTTP/1.1 400"), std::string::npos);
}

TEST_F(HttpServerTest, a_client_that_ends_its_side_behind_its_request_is_answered) {
  for (int i = 0; i < 20; ++i) {
    asio::ip::tcp::socket socket(client_);
    socket.connect({asio::ip::address_v4::loopback(), server_->port()});
    const std::string body = R"({"jsonrpc":"2.0","id":1,"method":"a_echo","params":["x"]})";
    asio::write(socket, asio::buffer(std::string(kHeadOfPost) +
                                     "Host: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
    socket.shutdown(asio::ip::tcp::socket::shutdown_send);
    std::string answer;
    boost::system::error_code error;
    asio::read(socket, asio::dynamic_buffer(answer), error);
    ASSERT_NE(answer.find(R"("result":"x")"), std::string::npos) << i << ": " << answer;
  }
}

TEST_F(HttpServerTest, a_body_in_chunks_is_read) {
  asio::ip::tcp::socket socket(client_);
  socket.connect({asio::ip::address_v4::loopback(), server_->port()});
  std::string request = std::string(kHeadOfPost) + "Host: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string part : {R"({"jsonrpc":"2.0",)", R"("id":1,"method":)", R"("a_echo","params":["x"]})"}) {
    const std::string digits = "0123456789abcdef";
    request += std::string{digits[part.size() / 16], digits[part.size() % 16]} + "\r\n" + part + "\r\n";
  }
  asio::write(socket, asio::buffer(request + "0\r\n\r\n"));
  std::string answer;
  boost::system::error_code error;
  asio::read(socket, asio::dynamic_buffer(answer), error);
  EXPECT_NE(answer.find(R"("result":"x")"), std::string::npos) << answer;
}

TEST_F(HttpServerTest, who_brings_the_token_has_room_that_strangers_cannot_fill) {
  RpcBudget limits;
  limits.memory = 0;  // strangers hold all of it
  JsonRpc rpc([this](std::function<void()> task) { worker_.post(std::move(task)); }, &RpcWorker::now, limits);
  rpc.add({"a_echo", parameters(1, 1), RpcAccess::changes_with_token,
           [](const json::array& params) -> RpcReply { return params[0]; }});
  rpc.protect("secret");
  server_ = start(rpc);
  const auto body = R"({"jsonrpc":"2.0","id":1,"method":"a_echo","params":[")" + std::string(200'000, 'x') + "\"]}";
  const auto answer = exchange(std::string(kHeadOfPost) + "Authorization: Bearer secret\r\n", body);
  EXPECT_NE(answer.find(R"("result":"xxx)"), std::string::npos) << answer.substr(0, 300);
  EXPECT_NE(exchange(std::string(kHeadOfPost) + "Authorization: Bearer guess\r\n", body).find("HTTP/1.1 503"),
            std::string::npos);
  // The end of its head comes with much of the body, and what it holds until then is no stranger's.
  asio::ip::tcp::socket socket(client_);
  socket.connect({asio::ip::address_v4::loopback(), server_->port()});
  asio::write(socket, asio::buffer(std::string(kHeadOfPost)));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // in one piece with what follows it says nothing
  boost::system::error_code error;
  asio::write(socket,
              asio::buffer("Host: x\r\nConnection: close\r\nAuthorization: Bearer secret\r\nContent-Length: " +
                           std::to_string(body.size()) + "\r\n\r\n" + body),
              error);
  std::string in_pieces;
  asio::read(socket, asio::dynamic_buffer(in_pieces), error);
  EXPECT_NE(in_pieces.find(R"("result":"xxx)"), std::string::npos) << in_pieces.substr(0, 300);
  server_.reset();
  worker_.stop();
}

TEST_F(HttpServerTest, an_answer_after_the_server_has_gone_harms_nobody) {
  auto waiting = late_.get_future();
  std::thread asking([this] { exchange(kHeadOfPost, R"({"jsonrpc":"2.0","id":1,"method":"a_never"})"); });
  const auto done = waiting.get();
  server_.reset();
  done(json::value(1));
  asking.join();
}

TEST_F(HttpServerTest, a_port_in_use_is_a_clear_error) {
  const auto second = HttpServer::start(config("127.0.0.1", server_->port()), HttpRoutes(), rpc_.accounts());
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().text().find("--rpc.port"), std::string::npos) << second.error().text();
  EXPECT_FALSE(HttpServer::start(config("localhost", 0), HttpRoutes(), rpc_.accounts()));
}

}  // namespace
}  // namespace opp2p
