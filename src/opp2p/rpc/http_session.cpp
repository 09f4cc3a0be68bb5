#include "opp2p/rpc/http_session.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/write.hpp>
#include <sstream>
#include <utility>

#include "opp2p/rpc/rpc_exchange.hpp"
#include "opp2p/rpc/rpc_worker.hpp"

namespace opp2p {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

namespace {

constexpr std::size_t kMaxBody = 5 * 1024 * 1024;
constexpr std::size_t kReadSize = 16 * 1024;
constexpr std::size_t kKeptBuffer = 2 * kReadSize;  // of a connection that waits for its next request
constexpr std::size_t kMaxLine = 64 * 1024;  // what the parser may leave unread: an extension of a chunk, a trailer
constexpr std::size_t kWriteSize = 64 * 1024;
constexpr std::size_t kPerLine = 128;  // bytes that the parser's table takes for a header, but for its text

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

// "Bearer TOKEN", the scheme in any case (RFC 9110, 11.1).
std::string bearer_token(std::string_view header) {
  constexpr std::string_view kScheme = "bearer ";
  if (header.size() <= kScheme.size() || !beast::iequals(header.substr(0, kScheme.size()), kScheme)) return {};
  header.remove_prefix(kScheme.size());
  while (header.starts_with(' ')) header.remove_prefix(1);
  return std::string(header);
}

}  // namespace

HttpSession::HttpSession(HttpServer::State& server, HttpPlaces::Id id, HttpPlaces::Seat seat, tcp::socket socket)
    : server_(server), id_(id), seat_(seat), socket_(std::move(socket)) {}

void HttpSession::start() { next_request(); }

void HttpSession::end() {
  ended_ = true;
  if (exchange_ != nullptr) exchange_->cancel();
  exchange_.reset();
  body_ = RpcText();
  beast::error_code ignored;
  socket_.close(ignored);
}

void HttpSession::enter(HttpPhase phase) { server_.places.enter(id_, phase, RpcWorker::now()); }

// --- in ---

void HttpSession::next_request() {
  request_head_ = HttpHead();
  parser_.emplace();
  parser_->body_limit(kMaxBody);
  parser_->header_limit(2 * HttpHead::kMaxBytes);  // request_head_ holds the limit
  header_seen_ = trusted_ = head_only_ = false;
  version_ = 11;
  skipped_ = 0;
  request_charge_ = MemoryCharge(server_.rpc.memory());
  extra_headers_.clear();
  if (buffer_.size() == 0) {
    if (buffer_.capacity() > kKeptBuffer) buffer_.shrink_to_fit();
    return read();
  }
  enter(HttpPhase::reading);  // the next request came with the last one
  asio::post(server_.context, [self = shared_from_this()] {
    if (!self->ended_) self->parse();
  });
}

void HttpSession::read() {
  socket_.async_read_some(buffer_.prepare(kReadSize),
                          [self = shared_from_this()](beast::error_code error, std::size_t size) {
                            if (self->ended_) return;
                            if (error) return self->server_.close(self->id_);
                            self->on_read(size);
                          });
}

void HttpSession::on_read(std::size_t size) {
  buffer_.commit(size);
  const bool first = !header_seen_ && buffer_.size() == size;
  if (first) enter(HttpPhase::reading);
  server_.places.moved(id_, size);
  parse();
}

// Some clients end a body with CR and LF that its length does not count. As many are forgiven as by Go's server.
void HttpSession::skip_line_ends() {
  constexpr std::size_t kForgiven = 4;
  const auto* text = static_cast<const char*>(buffer_.cdata().data());
  std::size_t count = 0;
  while (skipped_ + count < kForgiven && count < buffer_.size() && (text[count] == '\r' || text[count] == '\n'))
    ++count;
  buffer_.consume(count);
  skipped_ += count;
}

// Whether the head is there for the parser. If not, more is read or the request is refused.
bool HttpSession::read_head() {
  if (request_head_.size() == 0) skip_line_ends();
  const auto unread = buffer_.cdata();
  const std::string_view so_far(static_cast<const char*>(unread.data()), unread.size());
  const auto state = request_head_.on_bytes(so_far);
  head_only_ = so_far.starts_with("HEAD ");  // for what is refused before it is parsed
  if (state == HttpHead::State::not_http) {
    refuse(http::status::bad_request, std::string(request_head_.problem()) + "\n");
    return false;
  }
  if (state == HttpHead::State::too_large) {
    refuse(http::status::request_header_fields_too_large,
           "the headers are larger than " + std::to_string(HttpHead::kMaxBytes) + " bytes, or have more than " +
               std::to_string(HttpHead::kMaxLines) + " lines\n");
    return false;
  }
  if (!hold_request()) return false;
  if (state == HttpHead::State::whole) return true;
  read();
  return false;
}

void HttpSession::parse() {
  if (!header_seen_ && !read_head()) return;
  while (!parser_->is_done()) {
    beast::error_code error;
    buffer_.consume(parser_->put(buffer_.data(), error));
    if (error == http::error::need_more && header_seen_ && buffer_.size() < kMaxLine) return read();
    if (error == http::error::need_more && header_seen_)
      return refuse(http::status::request_header_fields_too_large,
                    "an extension or a trailer of a chunk is longer than " + std::to_string(kMaxLine) + " bytes\n");
    if (error == http::error::body_limit)
      return refuse(http::status::payload_too_large,
                    "the request is larger than " + std::to_string(kMaxBody) + " bytes\n");
    if (error) return refuse(http::status::bad_request, "the request is no valid HTTP: " + error.message() + "\n");
    if (!header_seen_ && parser_->is_header_done()) {
      header_seen_ = true;
      return on_header();
    }
    if (!hold_request()) return;
    if (!parser_->is_done() && buffer_.size() == 0) return read();
  }
  on_request();
}

void HttpSession::on_header() {
  version_ = parser_->get().version();
  head_only_ = parser_->get().method() == http::verb::head;
  parser_->eager(true);
  trust_token();
  const bool invited = beast::iequals(parser_->get()[http::field::expect], "100-continue") && !parser_->is_done();
  if (invited) return invite_body();
  parse();
}

// Whoever brings the node's token does not compete with strangers for room: a sequencer's driver has to get its blocks
// in.
void HttpSession::trust_token() {
  const auto token = bearer_token(view(parser_->get()[http::field::authorization]));
  trusted_ = server_.rpc.has_token(token);
  server_.places.trust(id_, trusted_);
  if (!trusted_) return;
  request_charge_ = MemoryCharge(server_.rpc.memory_for(token));
}

// curl and others wait for this before they send a large body.
void HttpSession::invite_body() {
  static constexpr std::string_view kInvitation = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(socket_, asio::buffer(kInvitation.data(), kInvitation.size()),
                    [self = shared_from_this()](beast::error_code error, std::size_t) {
                      if (self->ended_) return;
                      if (error) return self->server_.close(self->id_);
                      self->parse();
                    });
}

// Counts what has come of the request. False when there was no room and the request is refused.
bool HttpSession::hold_request() {
  // Before the head is parsed, it alone counts: the body behind it is counted for who sends it, and who that is the
  // head says. The parser has a copy of the head, and more for each of its lines.
  const auto parsed = request_head_.size() + kPerLine * request_head_.lines() + parser_->get().body().capacity();
  const auto size = header_seen_ ? buffer_.size() + parsed : request_head_.size();
  if (trusted_ ? request_charge_.set(size) : server_.take(request_charge_, id_, size)) return true;
  if (!ended_)
    refuse(http::status::service_unavailable,
           "the requests and answers of other clients fill the RPC's memory; try again\n");
  return false;
}

void HttpSession::refuse(http::status status, std::string why) {
  keep_alive_ = false;
  send({status, "text/plain", std::move(why)});
}

// --- what is asked ---

void HttpSession::on_request() {
  enter(HttpPhase::working);
  auto request = parser_->release();
  version_ = request.version();
  keep_alive_ = request.keep_alive() && seat_ == HttpPlaces::Seat::full;
  route(std::move(request));
}

// The host of a target in absolute form counts, not the header (RFC 9112, 3.2.2).
std::optional<std::string> HttpSession::refusal(const Request& request, std::string_view authority) {
  BrowserHeaders headers;
  if (const auto found = request.find(http::field::origin); found != request.end())
    headers.origin = view(found->value());
  headers.fetch_site = view(request["Sec-Fetch-Site"]);
  headers.host = authority.empty() ? view(request[http::field::host]) : authority;
  auto why = server_.config.browsers.refusal(headers);
  if (!why && headers.origin) {
    extra_headers_.emplace_back("Access-Control-Allow-Origin", server_.config.browsers.allow_origin(*headers.origin));
    extra_headers_.emplace_back("Vary", "Origin");
    if (view(request["Access-Control-Request-Private-Network"]) == "true")
      extra_headers_.emplace_back("Access-Control-Allow-Private-Network", "true");
  }
  return why;
}

void HttpSession::route(Request request) {
  const auto target = http_target(view(request.target()));
  const auto method = request.method();
  const bool get = method == http::verb::get || method == http::verb::head;
  if (const auto why = refusal(request, target.authority))
    return send({http::status::forbidden, "text/plain", *why + "\n"});
  if (method != http::verb::options && answer_health(target.path)) return;
  if (seat_ == HttpPlaces::Seat::health && !trusted_)
    return refuse(http::status::service_unavailable,
                  "all " + std::to_string(server_.config.limits.places) + " places of the RPC, or the " +
                      std::to_string(server_.config.limits.per_narrow_block) +
                      " of your address, are taken; this connection is for /healthz and /readyz only\n");
  if (method == http::verb::options) return answer_preflight();
  if (target.path != "/") return send({http::status::not_found, "text/plain", "404 page not found\n"});
  const bool asks_nothing = request.body().empty() && !target.has_query;
  if (get && asks_nothing) return send({});
  if ((method != http::verb::post && !get) || (head_only_ && !request.body().empty())) {
    extra_headers_.emplace_back("Allow", "GET, HEAD, OPTIONS, POST");
    return send({http::status::method_not_allowed, "text/plain", "method not allowed\n"});
  }
  if (!is_json_media_type(view(request[http::field::content_type])))
    return send({http::status::unsupported_media_type, "text/plain",
                 "invalid content type, only application/json is supported\n"});
  call(std::move(request));
}

// By any method, with or without a slash behind, as op-node.
bool HttpSession::answer_health(std::string_view path) {
  if (path.ends_with('/')) path.remove_suffix(1);
  if (path != "/healthz" && path != "/readyz") return false;
  const auto health = server_.config.health();
  const bool refused = path == "/readyz" && !health.ok;
  send({refused ? http::status::service_unavailable : http::status::ok, "application/json",
        health_json(server_.config.version, health)});
  return true;
}

void HttpSession::answer_preflight() {
  if (!extra_headers_.empty()) {
    extra_headers_.emplace_back("Access-Control-Allow-Methods", "POST, GET");
    extra_headers_.emplace_back("Access-Control-Allow-Headers", "content-type, authorization");
    extra_headers_.emplace_back("Access-Control-Max-Age", "600");
  }
  send({http::status::no_content, "text/plain", ""});
}

// The answer comes from another thread: it is brought back to this connection's before it is written.
void HttpSession::call(Request request) {
  RpcRequest asked;
  asked.token = bearer_token(view(request[http::field::authorization]));
  asked.body = std::move(request.body());
  asked.charge = std::move(request_charge_);
  server_.places.hold(id_, 0);
  exchange_ = server_.rpc.handle(std::move(asked), [weak = weak_from_this(), gate = server_.gate](RpcAnswer answer) {
    const std::lock_guard lock(gate->mutex);
    if (gate->context == nullptr) return;
    asio::post(*gate->context, [weak, held = std::make_shared<RpcAnswer>(std::move(answer))] {
      if (const auto self = weak.lock(); self != nullptr && !self->ended_) self->on_answer(std::move(*held));
    });
  });
  if (buffer_.size() == 0) watch_client();
}

// Not much more is computed for a client that has gone; one that has only ended its side, as nc does, gets its answer
// if that comes soon. One that sends its next request is not watched any more.
void HttpSession::watch_client() {
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this(), watched = exchange_](beast::error_code error) {
    if (error || self->ended_ || self->exchange_ != watched) return;
    beast::error_code ignored;
    if (self->socket_.available(ignored) == 0) self->server_.places.on_client_end(self->id_, RpcWorker::now());
  });
}

// --- out ---

void HttpSession::on_answer(RpcAnswer answer) {
  exchange_.reset();
  if (answer.exhausted)
    return send({http::status::service_unavailable, "text/plain", "too many answers wait for their clients\n"});
  write(http::status::ok, "application/json", std::move(answer.text));
}

void HttpSession::send(Reply reply) {
  RpcText body;
  body.append(reply.body);
  write(reply.status, reply.type, std::move(body));
}

void HttpSession::write(http::status status, std::string_view type, RpcText body) {
  http::response<http::empty_body> response(status, version_);
  response.set(http::field::content_type, beast::string_view(type.data(), type.size()));
  for (const auto& [name, value] : extra_headers_) response.set(name, value);
  response.keep_alive(keep_alive_);
  if (status != http::status::no_content) response.content_length(body.size());
  std::ostringstream head;
  head << response.base();
  head_ = head.str();
  body_ = head_only_ ? RpcText() : std::move(body);
  enter(HttpPhase::writing);
  server_.places.hold(id_, body_.size());
  std::vector<asio::const_buffer> buffers{asio::buffer(head_)};
  for (const auto& piece : body_.pieces()) buffers.push_back(asio::buffer(piece->text));
  const auto progress = [weak = weak_from_this(), before = std::size_t{0}](beast::error_code error,
                                                                           std::size_t written) mutable -> std::size_t {
    const auto self = weak.lock();
    if (error || self == nullptr || self->ended_) return 0;
    self->server_.places.moved(self->id_, written - std::exchange(before, written));
    return kWriteSize;
  };
  asio::async_write(socket_, buffers, progress, [self = shared_from_this()](beast::error_code error, std::size_t) {
    if (self->ended_) return;
    if (error) return self->server_.close(self->id_);
    self->on_written();
  });
}

void HttpSession::on_written() {
  body_ = RpcText();
  server_.places.hold(id_, 0);
  if (!keep_alive_) return linger();
  enter(HttpPhase::idle);
  next_request();
}

// Reads on until the client closes or a second is over: closing with unread bytes would take the answer away from it.
void HttpSession::linger() {
  enter(HttpPhase::ending);
  request_charge_ = MemoryCharge();
  parser_.reset();
  beast::error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  buffer_.clear();
  const auto discard = [](auto&& again, std::shared_ptr<HttpSession> self) -> void {
    auto& socket = self->socket_;
    const auto into = self->buffer_.prepare(kReadSize);
    socket.async_read_some(into, [again, self](beast::error_code error, std::size_t) {
      if (self->ended_) return;
      if (error) return self->server_.close(self->id_);
      again(again, self);
    });
  };
  discard(discard, shared_from_this());
}

}  // namespace opp2p
