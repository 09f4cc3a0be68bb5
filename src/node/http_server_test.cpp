#include "node/http_server.hpp"

#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <thread>

#include "node/json_rpc.hpp"
#include "node/rpc_worker.hpp"

namespace opp2p::node {
namespace {

namespace asio = boost::asio;

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    rpc_.add_plain("a_echo", 1, 1, RpcAccess::reads, [](const json::array& params) -> RpcReply { return params[0]; });
    rpc_.add("a_never", 0, 0, RpcAccess::reads, [this](const json::array&, RpcDone done) { late_.set_value(std::move(done)); });
    server_ = HttpServer::start(config("127.0.0.1", 0), rpc_).value();
  }

  // Sends one raw request with "Connection: close" and reads all that comes back.
  std::string exchange(std::string_view head, std::string_view body = "") {
    asio::ip::tcp::socket socket(client_);
    socket.connect({asio::ip::address_v4::loopback(), server_->port()});
    std::string request(head);
    request += "Host: x\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    request += body;
    boost::system::error_code error;
    asio::write(socket, asio::buffer(request), error);
    std::string answer;
    asio::read(socket, asio::dynamic_buffer(answer), error);
    return answer;
  }

  static HttpConfig config(std::string address, std::uint16_t port) {
    HttpConfig out;
    out.address = std::move(address);
    out.port = port;
    out.version = "v1";
    return out;
  }

  asio::io_context client_;
  RpcWorker worker_;
  JsonRpc rpc_{[this](std::function<void()> task) { worker_.post(std::move(task)); }, &RpcWorker::now};
  std::promise<RpcDone> late_;
  std::unique_ptr<HttpServer> server_;
};

constexpr auto kPost = "POST / HTTP/1.1\r\nContent-Type: application/json\r\n";

TEST_F(HttpServerTest, a_post_is_answered_with_200_even_for_an_error) {
  const auto good = exchange(kPost, R"({"jsonrpc":"2.0","id":1,"method":"a_echo","params":["x"]})");
  EXPECT_NE(good.find("HTTP/1.1 200"), std::string::npos);
  EXPECT_NE(good.find(R"({"jsonrpc":"2.0","id":1,"result":"x"})"), std::string::npos);
  EXPECT_EQ(good.find("Access-Control"), std::string::npos);
  const auto bad = exchange(kPost, "{");
  EXPECT_NE(bad.find("HTTP/1.1 200"), std::string::npos);
  EXPECT_NE(bad.find("-32700"), std::string::npos);
}

TEST_F(HttpServerTest, the_other_ways_in_have_the_status_of_the_reference) {
  EXPECT_NE(exchange("GET /healthz HTTP/1.1\r\n").find(R"({"version":"v1"})"), std::string::npos);
  EXPECT_NE(exchange("GET / HTTP/1.1\r\n").find("HTTP/1.1 200"), std::string::npos);
  EXPECT_NE(exchange("PUT / HTTP/1.1\r\n").find("HTTP/1.1 405"), std::string::npos);
  EXPECT_NE(exchange("GET /other HTTP/1.1\r\n").find("HTTP/1.1 404"), std::string::npos);
  EXPECT_NE(exchange("POST / HTTP/1.1\r\nContent-Type: text/html\r\n", "{}").find("HTTP/1.1 415"), std::string::npos);
}

TEST_F(HttpServerTest, a_body_above_the_limit_is_refused_before_it_is_read) {
  asio::ip::tcp::socket socket(client_);
  socket.connect({asio::ip::address_v4::loopback(), server_->port()});
  const std::string head = std::string(kPost) + "Host: x\r\nContent-Length: 5242881\r\n\r\n";
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
    std::string request = std::string(kPost) + "Host: x\r\nTransfer-Encoding: chunked\r\n\r\n";
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
  const std::string head = std::string(kPost) + "Host: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: " +
                           std::to_string(body.size()) + "\r\n\r\n";
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
    requests += std::string(kPost) + "Host: x\r\n" + (*word == 's' ? "Connection: close\r\n" : "") +
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

TEST_F(HttpServerTest, a_client_that_ends_its_side_behind_its_request_is_answered) {
  for (int i = 0; i < 20; ++i) {
    asio::ip::tcp::socket socket(client_);
    socket.connect({asio::ip::address_v4::loopback(), server_->port()});
    const std::string body = R"({"jsonrpc":"2.0","id":1,"method":"a_echo","params":["x"]})";
    asio::write(socket, asio::buffer(std::string(kPost) + "Host: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
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
  std::string request = std::string(kPost) + "Host: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
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
  RpcLimits limits;
  limits.memory = 0;  // strangers hold all of it
  JsonRpc rpc([this](std::function<void()> task) { worker_.post(std::move(task)); }, &RpcWorker::now, limits);
  rpc.add_plain("a_echo", 1, 1, RpcAccess::changes_with_token, [](const json::array& params) -> RpcReply { return params[0]; });
  rpc.protect("secret");
  server_ = HttpServer::start(config("127.0.0.1", 0), rpc).value();
  const auto body = R"({"jsonrpc":"2.0","id":1,"method":"a_echo","params":[")" + std::string(200'000, 'x') + "\"]}";
  const auto answer = exchange(std::string(kPost) + "Authorization: Bearer secret\r\n", body);
  EXPECT_NE(answer.find(R"("result":"xxx)"), std::string::npos) << answer.substr(0, 300);
  EXPECT_NE(exchange(std::string(kPost) + "Authorization: Bearer guess\r\n", body).find("HTTP/1.1 503"), std::string::npos);
  server_.reset();
  worker_.stop();
}

TEST_F(HttpServerTest, an_answer_after_the_server_has_gone_harms_nobody) {
  auto waiting = late_.get_future();
  std::thread asking([this] { exchange(kPost, R"({"jsonrpc":"2.0","id":1,"method":"a_never"})"); });
  const auto done = waiting.get();
  server_.reset();
  done(json::value(1));
  asking.join();
}

TEST_F(HttpServerTest, a_port_in_use_is_a_clear_error) {
  const auto second = HttpServer::start(config("127.0.0.1", server_->port()), rpc_);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().text().find("--rpc.port"), std::string::npos) << second.error().text();
  EXPECT_FALSE(HttpServer::start(config("localhost", 0), rpc_));
}

}  // namespace
}  // namespace opp2p::node
