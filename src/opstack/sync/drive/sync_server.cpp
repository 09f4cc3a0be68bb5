#include "opstack/sync/drive/sync_server.hpp"

#include "libp2p/services/stream_tools.hpp"
#include "opstack/sync/engine/answer.hpp"
#include "opstack/sync/engine/request_rules.hpp"

namespace opstack::sync {

namespace codec = opstack::sync::wire;
using codec::ResultCode;
using libp2p::Stream;
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
    const auto admission = server_.limiter_.on_request(peer, server_.blocks_of(peer), server_.now());
    ticket_ = admission.ticket;
    decided_ = admission.granted || admission.refused != RequestLimiter::Refusal::none;
    refusal_ = admission.refused;
    if (ticket_ != 0) server_.turns_.emplace(ticket_, this);
    stream_.signal_when_dead(&event_);
    server_.pump();
  }
  ~Turn() {
    stream_.signal_when_dead(nullptr);
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

struct SyncServer::Lookup {
  explicit Lookup(libp2p::runtime::Runtime& runtime) : event(runtime) {}
  Event event;
  std::optional<Result<std::optional<ServedBlock>>> found;
};

SyncServer::SyncServer(libp2p::Host& host, const chain::RollupConfig& rollup, BlockSource& source,
                       SyncServerConfig config)
    : host_(host),
      rollup_(rollup),
      source_(source),
      config_(config),
      protocol_(codec::protocol_id(std::to_string(rollup.l2_chain_id))),
      limiter_(config.limits, host.runtime().now().mono),
      located_(config.limits.remembered_peers),
      sending_(std::make_shared<Sending>(
          Sending{libp2p::SharePool<PeerId>(libp2p::ShareLimits{.total = config.max_sending,
                                                                .holder = config.max_sending_per_peer,
                                                                .narrow = config.max_sending_per_address}),
                  {}})),
      reading_(config.limits.remembered_peers),
      timer_(host.runtime().make_timer([this] {
        limiter_.on_timeout(now());
        pump();
      })),
      scope_(host.runtime()) {
  libp2p::serve_in_scope(host_, scope_, protocol_, [this](Stream stream) { return serve(std::move(stream)); });
}

SyncServer::~SyncServer() { host_.remove_stream_handler(protocol_); }

Task<void> SyncServer::close() {
  host_.remove_stream_handler(protocol_);
  return scope_.close();
}

const libp2p::AddressBlocks& SyncServer::blocks_of(const PeerId& peer) {
  Located* known = located_.get(peer);
  if (known == nullptr || known->until <= now()) {
    located_.put(peer, Located{host_.address_blocks(peer), now() + kLocatedFor});
    known = located_.get(peer);
  }
  return known->blocks;
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
  events_.emit(report);
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
    if (!turn.decided() && !stream.alive()) {
      report.why = "the peer gave it up while it waited for its turn";
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
  Lookup lookup(host_.runtime());
  auto running = source_.lookup(number, [&lookup](Result<std::optional<ServedBlock>> result) {
    lookup.found.emplace(std::move(result));
    lookup.event.signal();
  });
  stream.signal_when_dead(&lookup.event);
  const Result<void> woke = co_await lookup.event.wait_until(until);
  stream.signal_when_dead(nullptr);
  running.reset();
  if (!lookup.found) {
    report.why = woke ? "the peer gave it up while the block was looked up"
                      : "the look-up took too long: " + woke.error().message();
    co_return kOther;
  }
  auto& found = *lookup.found;
  if (!found) {
    report.why = "the look-up failed: " + found.error().message();
    co_return kOther;
  }
  if (!*found) {
    report.why = "no such block here";
    co_return static_cast<std::uint8_t>(ResultCode::not_found);
  }
  ServedBlock block = std::move(**found);
  auto counted = count_sending(stream.peer(), std::move(block.frames));
  if (!counted) {
    report.why = std::move(counted).error().message();
    co_return kOther;
  }
  block.frames = std::move(*counted);
  co_await send_block(stream, std::move(block), report);
  co_return kSuccess;
}

void SyncServer::note_reading(const PeerId& peer) {
  const std::uint64_t count = sending_->gone_of(peer);
  const Reading* known = reading_.get(peer);
  if (known == nullptr || known->gone != count || sending_->pool.held(peer) == 0) reading_.put(peer, {count, now()});
}

// The bound falls on who fills it: of the peers (at one address, when that is what is full) that have read nothing for
// write_timeout, the one that holds most goes.
void SyncServer::disconnect_deaf_peer(const libp2p::Bytes* narrow) {
  const PeerId* deaf = nullptr;
  std::size_t most = 0;
  for (const auto& [peer, holding] : sending_->pool.holders()) {
    if (narrow != nullptr && holding.blocks.narrow != *narrow) continue;
    const Reading* known = reading_.peek(peer);
    if (known != nullptr && (known->gone != sending_->gone_of(peer) || now() - known->since < config_.write_timeout))
      continue;
    if (holding.amount > most) {
      most = holding.amount;
      deaf = &peer;
    }
  }
  if (deaf == nullptr) return;
  const PeerId goes = *deaf;
  host_.disconnect(goes, "it has not read " + std::to_string(most) + " bytes of blocks that it asked for within " +
                             std::to_string(config_.write_timeout / libp2p::Seconds(1)) +
                             " s, and others need the room");
}

// The same bytes, counted as the peer's until nothing refers to them: a stream's queue takes a block whole and at once.
Result<libp2p::SharedBytes> SyncServer::count_sending(const PeerId& peer, libp2p::SharedBytes frames) {
  using libp2p::ShareFull;
  const std::size_t size = frames->size();
  const auto& limits = sending_->pool.limits();
  note_reading(peer);
  // The last third is for peers that have read what they asked for before.
  const bool scarce = sending_->pool.held(peer) > 0 && size + sending_->pool.used() > limits.total / 3 * 2;
  const ShareFull full = scarce ? ShareFull::total : sending_->pool.try_take(peer, blocks_of(peer), size);
  const auto refuse = [](std::size_t limit, std::string_view by) {
    return libp2p::fail(libp2p::Errc::exhausted,
                        "more than " + std::to_string(limit) + " bytes wait to be read already by " + std::string(by));
  };
  switch (full) {
    case ShareFull::none: break;
    case ShareFull::holder: return refuse(limits.holder, "this peer");
    case ShareFull::total: disconnect_deaf_peer(nullptr); return refuse(limits.total, "all peers");
    default: disconnect_deaf_peer(&blocks_of(peer).narrow); return refuse(limits.narrow, "the peers at its address");
  }
  const libp2p::Bytes* bytes = frames.get();
  return libp2p::SharedBytes(bytes,
                             [kept = std::move(frames), sending = sending_, peer, size](const libp2p::Bytes*) mutable {
                               sending->pool.give(peer, size);
                               if (sending->pool.held(peer) > 0)
                                 ++sending->gone[peer];
                               else
                                 sending->gone.erase(peer);
                               kept.reset();
                             });
}

Task<void> SyncServer::send_block(Stream& stream, ServedBlock block, ServedRequest& report) {
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
