#include "node/http_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json.hpp>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "node/file_error.hpp"
#include "node/json_rpc.hpp"

namespace opp2p::node {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

namespace {

constexpr std::size_t kMaxBody = 5 * 1024 * 1024;
constexpr std::size_t kMaxConnections = 128;
constexpr std::size_t kMaxWriting = 128 * 1024 * 1024;  // bytes of answers that clients have not taken yet
constexpr auto kTransferTimeout = std::chrono::seconds(30);
constexpr auto kIdleTimeout = std::chrono::seconds(120);
constexpr auto kPause = std::chrono::milliseconds(100);  // when descriptors or memory are out

using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

bool is_json_type(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  return type == "application/json" || type == "application/json-rpc" || type == "application/jsonrequest";
}

Response plain(const Request& request, http::status status, std::string body, std::string_view type = "text/plain") {
  Response response(status, request.version());
  response.set(http::field::content_type, beast::string_view(type.data(), type.size()));
  response.set(http::field::access_control_allow_origin, "*");
  response.keep_alive(request.keep_alive());
  response.body() = std::move(body);
  response.prepare_payload();
  return response;
}

Response preflight(const Request& request) {
  auto response = plain(request, http::status::no_content, "");
  response.set(http::field::access_control_allow_methods, "POST, GET");
  response.set(http::field::access_control_allow_headers, "*");
  response.set(http::field::access_control_max_age, "600");
  return response;
}

}  // namespace

// The way back for answers that come from other threads. The server closes it before it goes, so that a late answer finds nobody
// instead of a dead context.
struct Gate {
  std::mutex mutex;
  asio::io_context* context = nullptr;
};

class HttpSession;

struct HttpServer::State {
  State(const JsonRpc& r, std::string v) : rpc(r), version(std::move(v)), acceptor(context), pause(context) {
    gate->context = &context;
  }
  // Declared before the context, because the sessions that the context's handlers hold count themselves off in their destructors.
  const JsonRpc& rpc;
  std::string version;
  std::size_t connections = 0;
  std::size_t writing = 0;
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
  asio::io_context context;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::set<std::shared_ptr<HttpSession>> waiting;  // for an answer
  std::thread thread;

  void accept();
};

// One client connection. It lives in the handlers that wait for its socket, or among the waiting while a method runs.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(tcp::socket socket, HttpServer::State& server) : stream_(std::move(socket)), server_(server) {
    ++server_.connections;
  }
  ~HttpSession() {
    --server_.connections;
    server_.writing -= writing_;
  }

  void read() {
    parser_.emplace();
    parser_->body_limit(kMaxBody);
    // A connection that never asked anything gets less patience than one between two requests.
    stream_.expires_after(std::exchange(asked_before_, true) ? kIdleTimeout : kTransferTimeout);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](beast::error_code error, std::size_t) { self->on_header(error); });
  }

 private:
  void on_header(beast::error_code error) {
    if (error == http::error::body_limit) return refuse_large();
    if (error) return;
    stream_.expires_after(kTransferTimeout);
    if (beast::iequals(parser_->get()[http::field::expect], "100-continue")) return invite_body();
    read_body();
  }

  // curl and others wait for this before they send a large body.
  void invite_body() {
    invitation_ = http::response<http::empty_body>(http::status::continue_, 11);
    http::async_write(stream_, invitation_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error) self->read_body();
    });
  }

  void read_body() {
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](beast::error_code e, std::size_t) {
      if (e == http::error::body_limit) return self->refuse_large();
      if (!e) self->on_request(self->parser_->release());
    });
  }

  void refuse_large() {
    Request request;
    request.keep_alive(false);
    write(plain(request, http::status::payload_too_large, "the request is larger than 5242880 bytes\n"));
  }

  void on_request(Request request) {
    const auto target = std::string_view(request.target().data(), request.target().size());
    const auto path = target.substr(0, target.find('?'));
    const bool get = request.method() == http::verb::get;
    if (request.method() == http::verb::options) return write(preflight(request));
    if (get && path == "/healthz") {
      const auto body = boost::json::serialize(boost::json::object{{"version", server_.version}});
      return write(plain(request, http::status::ok, body, "application/json"));
    }
    if (path != "/") return write(plain(request, http::status::not_found, "404 page not found\n"));
    if (get && request.body().empty() && target == path) return write(plain(request, http::status::ok, ""));
    if (request.method() != http::verb::post && !get)
      return write(plain(request, http::status::method_not_allowed, "method not allowed\n"));
    const auto type = request[http::field::content_type];
    if (!is_json_type(std::string_view(type.data(), type.size())))
      return write(plain(request, http::status::unsupported_media_type,
                         "invalid content type, only application/json is supported\n"));
    answer(std::move(request));
  }

  // The answer may come from another thread: it is brought back to this connection's before it is written.
  void answer(Request request) {
    stream_.expires_never();
    request_ = std::move(request);
    server_.waiting.insert(shared_from_this());
    server_.rpc.handle(request_.body(), [weak = weak_from_this(), gate = server_.gate](std::string body) {
      const std::lock_guard lock(gate->mutex);
      if (gate->context == nullptr) return;
      asio::post(*gate->context, [weak, text = std::move(body)]() mutable {
        if (const auto self = weak.lock()) self->on_answer(std::move(text));
      });
    });
  }

  void on_answer(std::string body) {
    server_.waiting.erase(shared_from_this());
    if (server_.writing + body.size() > kMaxWriting)
      return write(plain(request_, http::status::service_unavailable, "too many answers wait for their clients\n"));
    write(plain(request_, http::status::ok, std::move(body), "application/json"));
  }

  void write(Response response) {
    response_ = std::move(response);
    writing_ = response_.body().size();
    server_.writing += writing_;
    stream_.expires_after(kTransferTimeout);
    http::async_write(stream_, response_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      self->server_.writing -= std::exchange(self->writing_, 0);
      if (error || !self->response_.keep_alive()) {
        beast::error_code ignored;
        self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
        return;
      }
      self->read();
    });
  }

  beast::tcp_stream stream_;
  HttpServer::State& server_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  Request request_;
  Response response_;
  http::response<http::empty_body> invitation_;
  std::size_t writing_ = 0;
  bool asked_before_ = false;
};

void HttpServer::State::accept() {
  acceptor.async_accept([this](beast::error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (error == asio::error::no_descriptors || error == asio::error::no_memory ||
        error == asio::error::no_buffer_space) {
      // The connection stays in the backlog: without a pause this would spin until somebody closes something.
      pause.expires_after(kPause);
      pause.async_wait([this](beast::error_code cancelled) {
        if (!cancelled) accept();
      });
      return;
    }
    if (!error && connections < kMaxConnections)
      std::make_shared<HttpSession>(std::move(socket), *this)->read();
    accept();
  });
}

libp2p::Result<std::unique_ptr<HttpServer>> HttpServer::start(const std::string& address, std::uint16_t port,
                                                              const JsonRpc& rpc, std::string version) {
  auto state = std::make_unique<State>(rpc, std::move(version));
  beast::error_code error;
  const auto ip = asio::ip::make_address(address, error);
  if (error) return libp2p::fail(libp2p::Errc::invalid_argument, "--rpc.addr '" + address + "' is not an IP address");
  const tcp::endpoint at(ip, port);
  state->acceptor.open(at.protocol(), error);
  if (!error) state->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) state->acceptor.bind(at, error);
  if (!error) state->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    std::string why = error.message() + "; choose another --rpc.addr or --rpc.port";
    if (error == asio::error::address_in_use)
      why = error.message() + "; choose another --rpc.port or stop the program that has it";
    if (error == asio::error::no_descriptors) why = file_error(error.value(), "");
    return libp2p::fail(libp2p::Errc::io,
                        "the RPC server cannot listen on " + address + ":" + std::to_string(port) + ": " + why);
  }
  state->accept();
  state->thread = std::thread([context = &state->context] { context->run(); });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() {
  {
    const std::lock_guard lock(state_->gate->mutex);
    state_->gate->context = nullptr;
  }
  state_->context.stop();
  state_->thread.join();
}

std::uint16_t HttpServer::port() const { return state_->acceptor.local_endpoint().port(); }

}  // namespace opp2p::node
