#include "opstack/sync/sync_server.hpp"

#include "opstack/sync/answer.hpp"
#include "opstack/sync/request_rules.hpp"
#include "services/stream_tools.hpp"

namespace opstack::sync {

namespace codec = libp2p::payload_by_number;
using codec::ResultCode;
using libp2p::network::Stream;
using libp2p::runtime::Event;
using libp2p::runtime::Task;

namespace {

constexpr std::uint8_t kOther = static_cast<std::uint8_t>(ResultCode::other);
constexpr std::uint8_t kSuccess = 0;

}  // namespace

// A request's place with the limiter, held by its coroutine: wherever that ends, the place is free again.
class SyncServer::Turn {
 public:
  Turn(SyncServer& server, Stream& stream) : server_(server), stream_(stream), event_(server.host_.runtime()) {
    const PeerId& peer = stream.peer();
    const auto admission = server_.limiter_.on_request(peer, server_.host_.address_blocks(peer), server_.now());
    ticket_ = admission.ticket;
    decided_ = admission.granted || admission.refused != RequestLimiter::Refusal::none;
    refusal_ = admission.refused;
    if (ticket_ != 0) server_.turns_.emplace(ticket_, this);
    server_.pump();
  }
  ~Turn() {
    if (ticket_ == 0) return;
    server_.turns_.erase(ticket_);
    server_.limiter_.on_finished(ticket_, server_.now());
    server_.pump();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  void decide(RequestLimiter::Refusal refusal) {
    if (decided_) stream_.reset();  // it was going ahead, and lost its place
    decided_ = true;
    refusal_ = refusal;
    event_.signal();
  }
  void on_progress() { server_.limiter_.on_progress(ticket_, server_.now()); }
  bool decided() const { return decided_; }
  RequestLimiter::Refusal refusal() const { return refusal_; }
  Event& event() { return event_; }

 private:
  SyncServer& server_;
  Stream& stream_;
  Event event_;
  TicketId ticket_ = 0;
  bool decided_ = false;
  RequestLimiter::Refusal refusal_ = RequestLimiter::Refusal::none;
};

// Shared with the store's callback, which may come when the coroutine is gone.
struct SyncServer::Lookup {
  explicit Lookup(libp2p::runtime::Runtime& runtime) : event(runtime) {}
  Event event;
  std::optional<Result<std::optional<ServedBlock>>> found;
};

SyncServer::SyncServer(libp2p::network::Host& host, const chain::RollupConfig& rollup, BlockSource& source,
                       SyncServerConfig config, ServedFn on_served)
    : host_(host),
      rollup_(rollup),
      source_(source),
      config_(config),
      on_served_(std::move(on_served)),
      protocol_(codec::protocol_id(std::to_string(rollup.l2_chain_id))),
      limiter_(config.limits, host.runtime().now().mono),
      timer_(host.runtime().make_timer([this] {
        limiter_.on_timeout(now());
        pump();
      })),
      scope_(host.runtime()) {
  libp2p::services::serve_in_scope(host_, scope_, protocol_,
                                   [this](Stream stream) { return serve(std::move(stream)); });
}

SyncServer::~SyncServer() { host_.remove_stream_handler(protocol_); }

Task<void> SyncServer::close() {
  host_.remove_stream_handler(protocol_);
  return scope_.close();
}

void SyncServer::pump() {
  while (const auto decision = limiter_.poll_decision()) {
    const auto found = turns_.find(decision->ticket);
    if (found != turns_.end()) found->second->decide(decision->refused);
  }
  if (const auto next = limiter_.next_deadline()) {
    timer_->arm(*next);
  } else {
    timer_->disarm();
  }
}

Task<void> SyncServer::serve(Stream stream) {
  ServedRequest report;
  report.peer = stream.peer();
  const MonoTime started = now();
  report.code = co_await answer(stream, report);
  if (report.code != kSuccess) co_await send_code(stream, report.code, report);
  if (!report.completed) stream.reset();
  report.took = now() - started;
  if (on_served_) on_served_(report);
}

// Answers the code to send, or success once the block was sent or the sending broke off.
Task<std::uint8_t> SyncServer::answer(Stream& stream, ServedRequest& report) {
  const MonoTime until = now() + config_.limits.budget;
  Turn turn(*this, stream);
  while (!turn.decided()) {
    const Result<void> woke = co_await turn.event().wait_until(until);
    if (!woke && !turn.decided()) {
      report.why = "waited for its turn: " + woke.error().message();
      co_return kOther;
    }
  }
  if (turn.refusal() != RequestLimiter::Refusal::none) {
    report.why = std::string(to_string(turn.refusal()));
    co_return kOther;
  }

  libp2p::ByteArray<codec::kRequestSize> raw{};
  stream.set_read_deadline(now() + config_.read_timeout);
  const Result<void> read = co_await stream.read_exactly(raw);
  if (!read) {
    report.why = "the request could not be read: " + read.error().message();
    co_return kOther;
  }
  turn.on_progress();
  const std::uint64_t number = libp2p::load_le64(raw.data());
  report.number = number;
  if (const auto refused = refuse_number(rollup_, number, host_.runtime().now().wall)) {
    report.why = "no block of this chain can have that number now";
    co_return static_cast<std::uint8_t>(*refused);
  }
  const std::uint8_t code = co_await look_up(stream, number, until, report);
  co_return code;
}

Task<std::uint8_t> SyncServer::look_up(Stream& stream, std::uint64_t number, MonoTime until, ServedRequest& report) {
  auto lookup = std::make_shared<Lookup>(host_.runtime());
  source_.lookup(number, [weak = std::weak_ptr(lookup)](Result<std::optional<ServedBlock>> found) {
    const auto waiting = weak.lock();
    if (!waiting) return;
    waiting->found.emplace(std::move(found));
    waiting->event.signal();
  });
  const Result<void> woke = co_await lookup->event.wait_until(until);
  if (!lookup->found) {
    report.why = "the look-up took too long: " + (woke ? std::string() : woke.error().message());
    co_return kOther;
  }
  auto& found = *lookup->found;
  if (!found) {
    report.why = "the look-up failed: " + found.error().message();
    co_return kOther;
  }
  if (!*found) {
    report.why = "no such block here";
    co_return static_cast<std::uint8_t>(ResultCode::not_found);
  }
  ServedBlock block = std::move(**found);
  if (block.frames->size() > config_.max_sending - std::min(sending_, config_.max_sending)) {
    report.why = "more than " + std::to_string(config_.max_sending) + " bytes are being sent already";
    co_return kOther;
  }
  co_await send_block(stream, std::move(block), report);
  co_return kSuccess;
}

Task<void> SyncServer::send_block(Stream& stream, ServedBlock block, ServedRequest& report) {
  struct Sending {
    std::size_t& total;
    std::size_t size;
    Sending(std::size_t& t, std::size_t s) : total(t), size(s) { total += size; }
    ~Sending() { total -= size; }
    Sending(const Sending&) = delete;
    Sending& operator=(const Sending&) = delete;
  };
  const Sending sending(sending_, block.frames->size());
  report.bytes = block.frames->size();
  stream.set_write_deadline(now() + config_.write_timeout);
  // Head, block and end leave together.
  const auto head = libp2p::share(libp2p::to_bytes(codec::encode_response_head(response_version(block.version))));
  Result<void> written = co_await stream.write(head, true);
  if (written) written = co_await stream.write(std::move(block.frames), true);
  if (!written) {
    report.why = "the answer broke off: " + written.error().message();
    co_return;
  }
  stream.close_write();
  report.completed = true;
}

Task<void> SyncServer::send_code(Stream& stream, std::uint8_t code, ServedRequest& report) {
  const Bytes refusal{code};
  stream.set_write_deadline(now() + config_.write_timeout);
  const Result<void> written = co_await stream.write(refusal);
  if (!written) co_return;
  stream.close_write();
  report.completed = true;
}

}  // namespace opstack::sync
