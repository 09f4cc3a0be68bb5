#include "opp2p/rpc/rpc_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "libp2p/base/peer_text.hpp"

namespace opp2p {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;

namespace {

constexpr std::uint64_t kMaxAnswer = 64 * 1024 * 1024;

// One exchange on a context of its own: the time-out covers all of it.
struct Exchange {
  asio::io_context context;
  beast::tcp_stream stream{context};
  http::request<http::string_body> request;
  http::response_parser<http::string_body> parser;
  beast::flat_buffer buffer;
  beast::error_code error;

  void start(const asio::ip::tcp::endpoint& at, libp2p::Nanos timeout) {
    parser.body_limit(kMaxAnswer);
    stream.expires_after(timeout);
    stream.async_connect(at, [this](beast::error_code e) {
      error = e;
      if (e) return;
      http::async_write(stream, request, [this](beast::error_code e2, std::size_t) {
        error = e2;
        if (e2) return;
        http::async_read(stream, buffer, parser, [this](beast::error_code e3, std::size_t) { error = e3; });
      });
    });
    context.run();
  }
};

}  // namespace

libp2p::Result<json::value> RpcClient::call(std::string_view method, json::array params) const {
  return ask(method, std::move(params), {});
}

libp2p::Result<json::value> RpcClient::change(std::string_view method, json::array params) const {
  if (!token_) return token_.error();
  return ask(method, std::move(params), *token_);
}

libp2p::Result<json::value> RpcClient::ask(std::string_view method, json::array params,
                                           const std::string& token) const {
  Exchange exchange;
  const auto address = asio::ip::make_address(host_, exchange.error);
  if (exchange.error) return libp2p::fail(libp2p::Errc::invalid_argument, "'" + host_ + "' is not an IP address");
  exchange.request = {http::verb::post, "/", 11};
  exchange.request.set(http::field::host, host_);
  exchange.request.set(http::field::content_type, "application/json");
  if (!token.empty()) exchange.request.set(http::field::authorization, "Bearer " + token);
  exchange.request.body() =
      json::serialize(json::object{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", std::move(params)}});
  exchange.request.prepare_payload();
  exchange.start({address, port_}, timeout_);
  const auto where = "the RPC of " + host_ + ":" + std::to_string(port_);
  if (exchange.error)
    return libp2p::fail(exchange.error == beast::error::timeout ? libp2p::Errc::timed_out : libp2p::Errc::unreachable,
                        where + " does not answer: " + exchange.error.message());
  const auto& answer = exchange.parser.get();
  return read_rpc_answer(answer.result_int(), answer.body(), where);
}

libp2p::Result<json::value> read_rpc_answer(unsigned status, std::string_view body, const std::string& where) {
  const auto stranger = [&] {
    return libp2p::fail(libp2p::Errc::malformed,
                        where + " answers something that is not JSON-RPC (HTTP status " + std::to_string(status) + ")");
  };
  beast::error_code error;
  auto answer = json::parse(body, error);
  if (status != 200 || error || !answer.is_object()) return stranger();
  auto& object = answer.get_object();
  auto* result = object.if_contains("result");
  const auto* failure = object.if_contains("error");
  if ((result == nullptr) == (failure == nullptr)) return stranger();
  if (result != nullptr) return std::move(*result);
  if (!failure->is_object()) return stranger();
  const auto* text = failure->get_object().if_contains("message");
  return libp2p::fail(libp2p::Errc::denied, text != nullptr && text->is_string()
                                                ? libp2p::peer_text(std::string_view(text->get_string()))
                                                : where + " reports an error without a message");
}

}  // namespace opp2p
