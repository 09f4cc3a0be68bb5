#include "opstack/sync/drive/sync_client.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/host/peerstore.hpp"
#include "opstack/sync/wire/codec.hpp"

namespace opstack::sync {

namespace codec = opstack::sync::wire;
using libp2p::Stream;
using libp2p::runtime::Event;
using libp2p::runtime::Task;
using libp2p::runtime::TaskScope;

namespace {

constexpr std::size_t kReadBuffer = 64 << 10;

// An exchange that is given up tells the server, which otherwise waits, looks up and sends for nobody: our side is
// closed by then, so that dropping the handle would only throw away what comes. Of an exchange that is over nothing is
// reset.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(Stream& stream) : stream_(stream) {}
  ~ResetAtEnd() { stream_.reset(); }
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;

 private:
  Stream& stream_;
};

Answer failure_of(const Error& error, std::string_view doing) {
  const auto kind = error.code() == Errc::unsupported ? AnswerKind::unsupported : AnswerKind::failed;
  return Answer(kind, error.within(doing).message());
}

}  // namespace

// One peer's loop: waits for a request, carries it out, hands the answer over.
struct SyncClient::PeerLoop {
  PeerLoop(libp2p::runtime::Runtime& runtime, PeerId id) : peer(std::move(id)), wake(runtime) {}
  PeerId peer;
  Event wake;
  std::optional<RequestBlock> job;   // to be taken by the loop
  std::optional<RequestId> current;  // being carried out
  std::size_t received = 0;          // bytes of its answer
  std::unique_ptr<libp2p::runtime::Timer> open_timer;
  std::unique_ptr<TaskScope> scope;  // last: its coroutine uses the members above
};

// Shared with the worker, which may be hashing when the loop is gone.
struct SyncClient::Exchange {
  explicit Exchange(libp2p::runtime::Runtime& runtime) : judged(runtime) {}
  codec::ResponseDecoder decoder;
  Answer answer;
  Event judged;
};

SyncClient::SyncClient(libp2p::Host& host, const chain::RollupConfig& rollup, GapSink& sink, SyncClientConfig config,
                       libp2p::EventSource<FollowerEvent>& events)
    : host_(host),
      rollup_(std::make_shared<const chain::RollupConfig>(rollup)),
      sink_(sink),
      config_(config),
      events_(events),
      protocol_(codec::protocol_id(std::to_string(rollup.l2_chain_id))),
      scheduler_(config.scheduler, host.runtime().rng(), host.runtime().now().mono),
      timer_(host.runtime().make_timer([this] { on_timer(); })) {
  host_events_ = host_.subscribe(
      [this](const libp2p::HostEvent& event) { std::visit([this](const auto& kind) { on(kind); }, event); });
  take_connected();
  could_ask_ = can_ask();
}

SyncClient::~SyncClient() = default;

Task<void> SyncClient::close() {
  closed_ = true;
  timer_->disarm();
  unidentified_.clear();
  loops_.clear();
  co_return;
}

// ---- peers ----

// Peers that were here first. What the scheduler says to that is told and done by the timer.
void SyncClient::take_connected() {
  const auto connected = host_.connected_peers();
  for (const auto& peer : connected) {
    if (host_.peerstore().supports(peer, protocol_)) {
      admit(peer, true);
    } else if (host_.peerstore().protocols(peer).empty()) {
      unidentified_[peer] = now().mono + config_.identify_grace;
    }
  }
  if (!connected.empty()) timer_->arm(now().mono);
}

void SyncClient::on(const libp2p::PeerConnected& event) {
  if (closed_) return;
  unidentified_[event.peer] = now().mono + config_.identify_grace;
  pump();
}

void SyncClient::on(const libp2p::PeerDisconnected& event) {
  if (closed_) return;
  unidentified_.erase(event.peer);
  remove_peer(event.peer);
}

void SyncClient::on(const libp2p::PeerIdentified& event) {
  if (closed_) return;
  unidentified_.erase(event.peer);
  if (std::find(event.protocols.begin(), event.protocols.end(), protocol_) != event.protocols.end()) {
    add_peer(event.peer, true);
  } else {
    remove_peer(event.peer);
  }
}

void SyncClient::add_peer(const PeerId& peer, bool identified) {
  if (closed_) return;
  admit(peer, identified);
  pump();
}

void SyncClient::admit(const PeerId& peer, bool identified) {
  if (!loops_.contains(peer)) {
    auto loop = std::make_unique<PeerLoop>(host_.runtime(), peer);
    loop->open_timer = host_.runtime().make_timer([this, peer] { on_open_timeout(peer); });
    start_loop(*loops_.emplace(peer, std::move(loop)).first->second);
  }
  scheduler_.on_peer_added(peer, now(), host_.address_blocks(peer), identified);
}

void SyncClient::remove_peer(const PeerId& peer) {
  if (loops_.erase(peer) > 0) scheduler_.on_peer_removed(peer, now());
  pump();
}

void SyncClient::start_loop(PeerLoop& loop) {
  loop.received = 0;
  loop.scope = std::make_unique<TaskScope>(host_.runtime());
  loop.scope->spawn(run(loop));
}

// ---- exchanges ----

Task<void> SyncClient::run(PeerLoop& loop) {
  while (true) {
    const Result<void> woke = co_await loop.wake.wait();
    if (!woke) co_return;
    if (!loop.job) continue;
    const RequestBlock job = *std::exchange(loop.job, std::nullopt);
    loop.current = job.id;
    Answer answer = co_await exchange(loop, job.number);
    loop.open_timer->disarm();
    loop.current.reset();
    loop.received = 0;
    post_answer(job.id, std::move(answer));
  }
}

Task<Answer> SyncClient::exchange(PeerLoop& loop, std::uint64_t number) {
  loop.open_timer->arm(now().mono + config_.open_timeout);
  std::vector<std::string> protocols;
  protocols.push_back(protocol_);
  PeerId peer = loop.peer;
  Result<Stream> opened = co_await host_.open_stream(std::move(peer), std::move(protocols));
  loop.open_timer->disarm();
  if (!opened) {
    Answer failed = failure_of(opened.error(), "while opening a stream");
    co_return failed;
  }
  Stream stream = std::move(*opened);
  const ResetAtEnd reset(stream);
  const auto request = codec::encode_request(number);
  stream.set_write_deadline(now().mono + config_.write_timeout);
  const Result<void> sent = co_await stream.write(request);
  if (!sent) {
    Answer failed = failure_of(sent.error(), "while sending the request");
    co_return failed;
  }
  stream.close_write();
  Answer answer = co_await receive(loop, stream, number);
  co_return answer;
}

Task<Answer> SyncClient::receive(PeerLoop& loop, Stream& stream, std::uint64_t number) {
  auto exchange = std::make_shared<Exchange>(host_.runtime());
  stream.set_read_deadline(now().mono + config_.read_timeout);
  Bytes buffer(kReadBuffer);
  while (!exchange->decoder.refused()) {
    const Result<std::size_t> got = co_await stream.read_some(buffer);
    if (!got) {
      Answer failed = failure_of(got.error(), "while reading the answer");
      co_return failed;
    }
    if (*got == 0) break;
    const ByteView piece = ByteView(buffer).first(*got);
    if (const auto taken = exchange->decoder.push(piece); !taken) {
      Answer malformed(AnswerKind::malformed, taken.error().message());
      stream.reset();
      co_return malformed;
    }
    loop.received = exchange->decoder.body().size();
    PeerLoop* const largest = largest_beyond_budget();
    if (largest == nullptr) continue;
    constexpr std::string_view kWhy = "answers of unproven peers take too much memory, and this one most";
    if (largest == &loop) {
      stream.reset();
      Answer failed(AnswerKind::failed, std::string(kWhy));
      co_return failed;
    }
    give_up(*largest, kWhy);
  }
  host_.runtime().run_on_worker(
      [exchange, number, rollup = rollup_] { exchange->answer = judge_answer(number, *rollup, exchange->decoder); },
      [exchange] { exchange->judged.signal(); });
  const Result<void> judged = co_await exchange->judged.wait();
  if (!judged) {
    Answer failed = failure_of(judged.error(), "while checking the answer");
    co_return failed;
  }
  Answer answer = std::move(exchange->answer);
  co_return answer;
}

// A coroutine does not enter the scheduler: what that decides may be the end of the coroutine.
void SyncClient::post_answer(RequestId id, Answer answer) {
  auto held = std::make_shared<Answer>(std::move(answer));
  host_.runtime().post(life_.guard([this, id, held] {
    if (closed_) return;
    scheduler_.on_answer(id, std::move(*held), now());
    pump();
  }));
}

void SyncClient::on_open_timeout(const PeerId& peer) {
  const auto found = loops_.find(peer);
  if (found == loops_.end() || !found->second->current) return;
  give_up(*found->second, "no stream could be opened in time");
}

// The scheduler hears of it later: what it decides may be the end of this peer's loop, and of the timer that is
// running.
void SyncClient::give_up(PeerLoop& loop, std::string_view why) {
  const RequestId id = *std::exchange(loop.current, std::nullopt);
  start_loop(loop);
  post_answer(id, Answer(AnswerKind::failed, std::string(why)));
}

std::size_t SyncClient::unproven_answer_bytes() const {
  std::size_t total = 0;
  for (const auto& [peer, loop] : loops_)
    if (loop->received > 0 && !scheduler_.is_proven(peer)) total += loop->received;
  return total;
}

SyncClient::PeerLoop* SyncClient::largest_beyond_budget() const {
  std::size_t total = 0;
  PeerLoop* largest = nullptr;
  for (const auto& [peer, loop] : loops_) {
    if (loop->received == 0 || scheduler_.is_proven(peer)) continue;
    OPP2P_ASSERT(loop->current.has_value(), "what is received answers a request", loop->received);
    total += loop->received;
    if (largest == nullptr || loop->received > largest->received) largest = loop.get();
  }
  return total > config_.scheduler.max_bytes / 2 ? largest : nullptr;
}

// ---- the scheduler ----

void SyncClient::vouch() {
  for (const auto& [peer, loop] : loops_)
    if (host_.is_proven(peer)) scheduler_.on_peer_vouched(peer);
}

void SyncClient::want(std::vector<Gap> gaps) {
  if (closed_) return;
  vouch();
  scheduler_.set_gaps(gaps, now());
  pump_later();
}

void SyncClient::check(const BlockRef& head, const std::optional<BlockRef>& target) {
  if (closed_) return;
  vouch();
  scheduler_.on_check(head, target, now());
  pump_later();
}

void SyncClient::on_written(std::size_t bytes) {
  if (closed_) return;
  scheduler_.on_written(bytes, now());
  pump_later();
}

bool SyncClient::can_ask() const { return !closed_ && (scheduler_.can_ask() || !unidentified_.empty()); }

GapRecord SyncClient::record() const {
  const auto& record = scheduler_.record();
  return {record.delivered, record.failed, record.last_delivery};
}

void SyncClient::on_timer() {
  const MonoTime time = now().mono;
  std::vector<PeerId> due;
  for (const auto& [peer, when] : unidentified_)
    if (when <= time) due.push_back(peer);
  for (const auto& peer : due) {
    unidentified_.erase(peer);
    add_peer(peer, false);
  }
  scheduler_.on_timeout(now());
  pump();
}

void SyncClient::pump() {
  if (pumping_ || closed_) return;  // an event called back in; the outer loop goes on
  pumping_ = true;
  while (!closed_) {
    auto action = scheduler_.poll_action();
    if (!action) break;
    std::visit([this](auto& a) { handle(a); }, *action);
  }
  pumping_ = false;
  if (closed_) return;
  auto next = scheduler_.next_deadline();
  for (const auto& [peer, when] : unidentified_) next = std::min(next.value_or(when), when);
  if (next) {
    timer_->arm(*next);
  } else {
    timer_->disarm();
  }
  if (const bool now_can = can_ask(); now_can != std::exchange(could_ask_, now_can)) sink_.on_source_changed();
}

// The sink is not called inside its own calls.
void SyncClient::pump_later() {
  if (pumping_ || std::exchange(pump_posted_, true)) return;
  host_.runtime().post(life_.guard([this] {
    pump_posted_ = false;
    pump();
  }));
}

void SyncClient::handle(RequestBlock& request) {
  const auto found = loops_.find(request.peer);
  if (found == loops_.end()) return;
  found->second->job = request;
  found->second->wake.signal();
}

void SyncClient::handle(CancelRequest& cancel) {
  const auto found = loops_.find(cancel.peer);
  if (found == loops_.end()) return;
  PeerLoop& loop = *found->second;
  if (loop.job && loop.job->id == cancel.id) {
    loop.job.reset();
  } else if (loop.current == cancel.id) {
    loop.current.reset();
    loop.open_timer->disarm();
    start_loop(loop);  // ends the old coroutine wherever it waits, and resets its stream
  }
}

void SyncClient::handle(DeliverBlock& deliver) {
  sink_.on_fetched(deliver.gap, deliver.peer, std::move(deliver.block));
}

void SyncClient::handle(PeerReport& report) {
  if (events_.has_listeners()) events_.emit(std::move(report));
}

void SyncClient::handle(SyncFault& fault) {
  if (events_.has_listeners()) events_.emit(std::move(fault));
}

void SyncClient::handle(SyncTrace& trace) {
  // The scheduler may have taken out a peer that does not speak the protocol, or did not say so: its loop goes too.
  if (trace.kind == SyncTraceKind::peer_removed && host_.connected(trace.peer)) loops_.erase(trace.peer);
  if (events_.has_listeners()) events_.emit(std::move(trace));
}

}  // namespace opstack::sync
