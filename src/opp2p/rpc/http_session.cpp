#include "opp2p/rpc/http_session.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/write.hpp>
#include <sstream>
#include <utility>

#include "libp2p/base/assert.hpp"
#include "opp2p/rpc/rpc_worker.hpp"

namespace opp2p {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

namespace {

constexpr std::size_t kWriteSize = 64 * 1024;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

bool may_follow(HttpPhase before, HttpPhase next) {
  switch (next) {
    case HttpPhase::reading: return before == HttpPhase::idle || before == HttpPhase::reading;
    case HttpPhase::working: return before == HttpPhase::reading;
    case HttpPhase::writing: return before == HttpPhase::reading || before == HttpPhase::working;
    case HttpPhase::idle:
    case HttpPhase::ending: break;
  }
  return before == HttpPhase::writing;
}

}  // namespace

HttpSession::HttpSession(HttpServer::State& server, HttpPlaces::Id id, HttpPlaces::Seat seat, tcp::socket socket)
    : server_(server), id_(id), seat_(seat), socket_(std::move(socket)) {
  OPP2P_ASSERT(seat != HttpPlaces::Seat::none, "a session has a place");
}

void HttpSession::start() {
  request_charge_ = MemoryCharge(server_.accounts.strangers());
  read();
}

void HttpSession::end() {
  ended_ = true;
  if (const auto cancel = std::exchange(cancel_, nullptr)) cancel();
  reply_body_ = RpcText();
  // At once, not when the socket's last callback lets go of this: who is closed for its memory makes room for another.
  reader_.discard();
  request_charge_ = MemoryCharge();
  beast::error_code ignored;
  socket_.close(ignored);
}

void HttpSession::enter(HttpPhase phase) {
  OPP2P_ASSERT(may_follow(phase_, phase), "a session reads, works, writes, and begins again", phase_, phase);
  phase_ = phase;
  server_.places.enter(id_, phase, RpcWorker::now());
}

// --- in ---

void HttpSession::next_request() {
  reader_.next();
  trusted_ = head_only_ = false;
  version_ = 11;
  request_charge_ = MemoryCharge(server_.accounts.strangers());
  cors_headers_.clear();
  if (!reader_.has_unread()) return read();
  enter(HttpPhase::reading);  // the next request came with the last one
  asio::post(server_.context, [self = shared_from_this()] {
    if (!self->ended_) self->parse();
  });
}

void HttpSession::read() {
  socket_.async_read_some(reader_.prepare(), [self = shared_from_this()](beast::error_code error, std::size_t size) {
    if (self->ended_) return;
    if (error) return self->server_.close(self->id_);
    if (self->reader_.is_at_start()) self->enter(HttpPhase::reading);
    self->reader_.commit(size);
    self->server_.places.moved(self->id_, size);
    self->parse();
  });
}

void HttpSession::parse() {
  for (;;) {
    const auto step = reader_.step();
    head_only_ = reader_.asks_for_head();
    switch (step) {
      case HttpReader::Step::refused: return refuse(reader_.refusal().status, reader_.refusal().why);
      case HttpReader::Step::whole: return on_request();
      case HttpReader::Step::head:
        on_head();
        if (reader_.expects_invitation()) return invite_body();
        break;
      case HttpReader::Step::head_whole:
      case HttpReader::Step::body:
      case HttpReader::Step::more:
        if (!hold_request()) return;
        if (step == HttpReader::Step::more) return read();
    }
  }
}

// Whoever brings the node's token does not compete with strangers for room: a sequencer's driver has to get its blocks
// in.
void HttpSession::on_head() {
  const auto& head = reader_.head();
  version_ = head.version();
  const auto token = bearer_token(view(head[http::field::authorization]));
  trusted_ = server_.accounts.has_token(token);
  server_.places.trust(id_, trusted_);
  if (trusted_) request_charge_ = MemoryCharge(server_.accounts.account_of(token));
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
  const auto size = reader_.held();
  if (trusted_ ? request_charge_.set(size) : server_.take(request_charge_, id_, size)) return true;
  if (!ended_)
    refuse(HttpStatus::service_unavailable,
           "the requests and answers of other clients fill the memory of the " + server_.config.name + "; try again\n");
  return false;
}

// Answers what cannot be read to its end: the connection is of no use after it.
void HttpSession::refuse(HttpStatus status, std::string why) {
  keep_alive_ = false;
  write(text_reply(status, why));
}

// --- what is asked ---

void HttpSession::on_request() {
  enter(HttpPhase::working);
  auto request = reader_.take();
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
    cors_headers_.emplace_back("Access-Control-Allow-Origin", server_.config.browsers.allow_origin(*headers.origin));
    cors_headers_.emplace_back("Vary", "Origin");
    if (view(request["Access-Control-Request-Private-Network"]) == "true")
      cors_headers_.emplace_back("Access-Control-Allow-Private-Network", "true");
  }
  return why;
}

void HttpSession::route(Request request) {
  const auto target = http_target(view(request.target()));
  const auto method = view(request.method_string());
  if (const auto why = refusal(request, target.authority)) return write(text_reply(HttpStatus::forbidden, *why + "\n"));
  auto match = server_.routes.find(method, target.path, !request.body().empty());
  if (seat_ == HttpPlaces::Seat::health && !trusted_ && (match.route == nullptr || !match.route->probe))
    return refuse(HttpStatus::service_unavailable, no_place());
  if (method == "OPTIONS") return answer_preflight();
  if (match.route == nullptr) return write(std::move(match.refusal));
  HttpRequest asked;
  asked.has_query = target.has_query;
  asked.content_type = view(request[http::field::content_type]);
  asked.token = bearer_token(view(request[http::field::authorization]));
  asked.body = std::move(request.body());
  asked.charge = std::move(request_charge_);
  if (const auto* answer = std::get_if<HttpAnswer>(&match.route->handler)) return write((*answer)(asked));
  begin(std::get<HttpBegin>(match.route->handler), std::move(asked));
}

std::string HttpSession::no_place() const {
  const auto& config = server_.config;
  std::string out = "all " + std::to_string(config.limits.places) + " places of the " + config.name + ", or the " +
                    std::to_string(config.limits.per_narrow_block) + " of your address, are taken";
  if (const auto probes = server_.routes.probe_paths(); !probes.empty())
    out += "; this connection is for " + probes + " only";
  return out + "\n";
}

void HttpSession::answer_preflight() {
  HttpReply reply;
  reply.status = HttpStatus::no_content;
  if (!cors_headers_.empty())
    reply.headers = {{"Access-Control-Allow-Methods", "POST, GET"},
                     {"Access-Control-Allow-Headers", "content-type, authorization"},
                     {"Access-Control-Max-Age", "600"}};
  write(std::move(reply));
}

// The answer may come from another thread: it is brought back to this connection's before it is written.
void HttpSession::begin(const HttpBegin& begin, HttpRequest request) {
  server_.places.hold(id_, 0);  // the handler has the charge
  const auto done = [weak = weak_from_this(), gate = server_.gate, number = ++number_](HttpReply reply) {
    const std::lock_guard lock(gate->mutex);
    if (gate->context == nullptr) return;
    asio::post(*gate->context, [weak, number, held = std::make_shared<HttpReply>(std::move(reply))] {
      if (const auto self = weak.lock(); self != nullptr && !self->ended_) self->on_answer(number, std::move(*held));
    });
  };
  cancel_ = begin(std::move(request), done);
  if (!reader_.has_unread()) watch_client();
}

// Not much more is computed for a client that has gone; one that has only ended its side, as nc does, gets its answer
// if that comes soon. One that sends its next request is not watched any more.
void HttpSession::watch_client() {
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this(), number = number_](beast::error_code error) {
    if (error || self->ended_ || self->phase_ != HttpPhase::working || self->number_ != number) return;
    beast::error_code ignored;
    if (self->socket_.available(ignored) == 0) self->server_.places.on_client_end(self->id_, RpcWorker::now());
  });
}

// --- out ---

void HttpSession::on_answer(std::uint64_t number, HttpReply reply) {
  OPP2P_ASSERT(phase_ == HttpPhase::working && number == number_, "a handler answers its request once", number);
  cancel_ = nullptr;
  write(std::move(reply));
}

void HttpSession::write(HttpReply reply) {
  http::response<http::empty_body> response(reply.status, version_);
  response.set(http::field::content_type, reply.type);
  for (const auto& [name, value] : cors_headers_) response.set(name, value);
  for (const auto& [name, value] : reply.headers) response.set(name, value);
  response.keep_alive(keep_alive_);
  if (reply.status != HttpStatus::no_content) response.content_length(reply.body.size());
  std::ostringstream head;
  head << response.base();
  reply_head_ = head.str();
  reply_body_ = head_only_ ? RpcText() : std::move(reply.body);
  enter(HttpPhase::writing);
  server_.places.hold(id_, reply_body_.size());
  std::vector<asio::const_buffer> buffers{asio::buffer(reply_head_)};
  for (const auto& piece : reply_body_.pieces()) buffers.push_back(asio::buffer(piece->text));
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
  reply_body_ = RpcText();
  server_.places.hold(id_, 0);
  if (!keep_alive_) return linger();
  enter(HttpPhase::idle);
  next_request();
}

// Reads on until the client closes or a second is over: closing with unread bytes would take the answer away from it.
void HttpSession::linger() {
  enter(HttpPhase::ending);
  request_charge_ = MemoryCharge();
  reader_.discard();
  beast::error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  const auto discard = [](auto&& again, std::shared_ptr<HttpSession> self) -> void {
    self->socket_.async_read_some(self->reader_.prepare(), [again, self](beast::error_code error, std::size_t) {
      if (self->ended_) return;
      if (error) return self->server_.close(self->id_);
      again(again, self);
    });
  };
  discard(discard, shared_from_this());
}

}  // namespace opp2p
