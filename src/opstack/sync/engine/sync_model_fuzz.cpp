// The scheduler in a world where one chain is the truth: peers that answer well, badly or not at all, by a script; a
// disk and a driver that are slow. A naive model holds it at each step: only what is missing is asked for, of peers
// that are there, no number of more than two at a time, within every limit; nothing but the true chain is staged and
// delivered, from the bottom up; who was honest is never blamed. Whatever happened before: once there is one peer that
// has the blocks, the gap closes.
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "opstack/sync/engine/fuzz_chain_test.hpp"
#include "opstack/sync/engine/sync_scheduler.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace opstack::sync;
using namespace opstack::sync::fuzzing;
using libp2p::Millis;
using libp2p::Seconds;
using libp2p::fuzzing::require;
using libp2p::fuzzing::Script;

constexpr std::size_t kMaxSteps = 2000;
constexpr std::uint64_t kFirstEnd = 24;
constexpr std::uint64_t kLastEnd = 60;
constexpr Nanos kCloses = Seconds(3600);  // the longest that an honest peer may need, after everything that went before
const AddressBlocks kOneAddress{Bytes{1}, {}};
constexpr Nanos kGapCheck = Seconds(5);  // how often the driver speaks of the gap again

// Fork 0 is the truth.
Block true_block(std::uint64_t number) { return block_at(number, 0, 0, 50); }

SyncConfig small_config() {
  SyncConfig out;
  out.max_bytes = 400'000;
  out.max_quarantined = 8;
  out.window = 16;
  out.max_in_flight = 4;
  out.max_segments = 3;
  out.read_blocks = 6;
  return out;
}

// What has gone out under one limit "so many at once, and so many a second".
struct Paced {
  MonoTime since;
  std::size_t sent = 0;
  bool within(double burst, double per_second, MonoTime now) const {
    const double elapsed = std::chrono::duration<double>(now - since).count();
    return static_cast<double>(sent) <= burst + per_second * elapsed + 1e-3;
  }
};

class World {
 public:
  explicit World(ByteView bytes) : script_(bytes), engine_(small_config(), rng_, now_.mono), all_{now_.mono} {}

  void play() {
    speak_of_gap();
    for (std::size_t steps = 0; !script_.done() && steps < kMaxSteps; ++steps) step();
    close();
  }

 private:
  void step() {
    const std::uint8_t what = script_.next();
    const PeerId peer = peer_named(script_.next() % 6);
    switch (what % 12) {
      case 0:
        // Two of one address, and one that identify is silent about until it is added again.
        engine_.on_peer_added(peer, now_,
                              peer == peer_named(1) || peer == peer_named(2) ? kOneAddress : AddressBlocks{},
                              peer != peer_named(0) || !peers_.emplace(peer, Paced{now_.mono}).second);
        peers_.emplace(peer, Paced{now_.mono});
        break;
      case 1: remove(peer); break;
      case 2: speak_of_gap(); break;
      case 3:
        if (end_ < kLastEnd) end_ += script_.below(4);
        speak_of_gap();
        break;
      case 4:
        if (head_ + 1 < end_) move_head(head_ + 1);  // a gossiped block
        break;
      case 5: staged(script_.next() % 32 != 31); break;
      case 6: read_back(script_.next() % 32 != 31); break;
      case 7:
        if (pending_head_ > head_) move_head(pending_head_);
        break;
      case 8: pass(Millis(script_.next() * 40)); break;
      default: answer(script_.next()); break;
    }
    drain();
  }

  void speak_of_gap() {
    engine_.request_range(true_block(head_).ref(), true_block(end_).ref(), now_);
    drain();
  }
  void move_head(std::uint64_t number) {
    head_ = number;
    engine_.on_head(true_block(head_).ref(), now_);
    drain();
  }
  void pass(Nanos time) {
    now_ = now_ + time;
    engine_.on_timeout(now_);
    drain();
  }
  void remove(const PeerId& peer) {
    if (peers_.erase(peer) == 0) return;
    std::erase_if(requests_, [&](const auto& entry) { return entry.second.peer == peer; });
    engine_.on_peer_removed(peer, now_);
  }

  void answer(std::uint8_t how) {
    if (requests_.empty())
      return engine_.on_answer(how, Answer(true_block(head_ + 1)), now_);  // to a request that is not
    auto at = requests_.begin();
    std::advance(at, how % requests_.size());
    const RequestBlock request = at->second;
    requests_.erase(at);
    const std::uint64_t number = request.number;
    switch (const std::uint8_t kind = script_.next(); kind % 16) {
      case 0: return reply(request, Answer(AnswerKind::not_found, ""));
      case 1: return reply(request, Answer(AnswerKind::throttled, ""));
      case 2: return reply(request, Answer(AnswerKind::failed, ""));
      case 3: return reply(request, Answer(AnswerKind::invalid_request, ""));
      case 4: liars_.insert(request.peer); return reply(request, Answer(AnswerKind::malformed, ""));
      case 5: liars_.insert(request.peer); return reply(request, Answer(AnswerKind::wrong_number, ""));
      case 6: liars_.insert(request.peer); return reply(request, Answer(AnswerKind::bad_hash, ""));
      case 10: liars_.insert(request.peer); return reply(request, Answer(AnswerKind::altered, ""));
      case 7:
      case 8: {
        liars_.insert(request.peer);
        const auto parent_fork = static_cast<std::uint8_t>(kind / 16 % 2);
        return reply(request, Answer(block_at(number, 1, parent_fork, 50)));
      }
      case 9: return reply(request, Answer(block_at(number + 1, 0, 0, 50)));  // as from a driver that does not check
      default: return reply(request, Answer(true_block(number)));
    }
  }
  void reply(const RequestBlock& request, Answer answer) { engine_.on_answer(request.id, std::move(answer), now_); }

  void staged(bool ok) {
    if (staging_.empty()) return;
    const auto [segment, number] = staging_.back();
    staging_.pop_back();
    engine_.on_staged(segment, number, ok, now_);
  }
  void read_back(bool ok) {
    if (reads_.empty()) return;
    const ReadStaged read = reads_.back();
    reads_.pop_back();
    if (!ok) return engine_.on_staged_read(read.id, libp2p::fail(Errc::io, "scripted"), now_);
    std::vector<StagedBlock> out;
    for (std::uint64_t n = read.from; disk_[read.segment].contains(n) && out.size() < read.max_blocks; ++n)
      out.push_back(disk_[read.segment][n]);
    engine_.on_staged_read(read.id, std::move(out), now_);
  }

  void drain() {
    while (auto action = engine_.poll_action()) {
      if (const auto* request = std::get_if<RequestBlock>(&*action)) check_request(*request);
      if (const auto* cancel = std::get_if<CancelRequest>(&*action)) require(requests_.erase(cancel->id) == 1);
      if (const auto* stage = std::get_if<StageBlock>(&*action)) check_staged(*stage);
      if (const auto* read = std::get_if<ReadStaged>(&*action)) reads_.push_back(*read);
      if (const auto* drop = std::get_if<DropStaged>(&*action)) disk_.erase(drop->segment);
      if (const auto* deliver = std::get_if<DeliverBlock>(&*action)) check_delivered(*deliver);
      if (const auto* trace = std::get_if<SyncTrace>(&*action)) check_trace(*trace);
      if (const auto* fault = std::get_if<SyncFault>(&*action)) require(liars_.contains(fault->peer));
    }
    engine_.check();
    require(engine_.trials() <= std::max<std::size_t>(1, small_config().max_in_flight / 4));
    require(requests_.size() == engine_.in_flight() && requests_.size() <= small_config().max_in_flight);
    require(engine_.quarantined() <= small_config().max_quarantined &&
            engine_.memory_bytes() <= small_config().max_bytes);
  }

  // The engine takes out a peer by itself that identify is silent about, and that does not answer.
  void check_trace(const SyncTrace& trace) {
    if (trace.kind != SyncTraceKind::peer_removed || peers_.erase(trace.peer) == 0) return;
    std::erase_if(requests_, [&](const auto& entry) { return entry.second.peer == trace.peer; });
  }

  void check_request(const RequestBlock& request) {
    require(request.number > head_ && request.number < end_);
    std::size_t of_this_peer = 0;
    std::size_t of_this_number = 0;
    for (const auto& [id, other] : requests_) {
      of_this_number += other.number == request.number ? 1 : 0;
      of_this_peer += other.peer == request.peer ? 1 : 0;
    }
    require(of_this_number < 2);
    const PeerLimits limits;
    require(of_this_peer < limits.in_flight);
    const auto peer = peers_.find(request.peer);
    require(peer != peers_.end());
    ++peer->second.sent;
    ++all_.sent;
    require(peer->second.within(limits.burst, limits.per_second, now_.mono));
    require(all_.within(small_config().global_burst, small_config().global_per_second, now_.mono));
    require(requests_.emplace(request.id, request).second);
  }
  void check_staged(const StageBlock& stage) {
    const std::uint64_t number = stage.block.block.number();
    require(stage.block.block.hash() == hash_of(number, 0));
    require(disk_[stage.segment].emplace(number, stage.block).second);
    staging_.emplace_back(stage.segment, number);
  }
  void check_delivered(const DeliverBlock& deliver) {
    const std::uint64_t number = deliver.block.number();
    require(deliver.block.hash() == hash_of(number, 0) && number < end_);
    require(number <= std::max(head_, pending_head_) + 1);
    pending_head_ = std::max(pending_head_, number);
  }

  // From here on everybody is honest, and one peer is there that never was anything else.
  void close() {
    const PeerId honest = peer_named(99);
    peers_.emplace(honest, Paced{now_.mono});
    engine_.on_peer_added(honest, now_);
    drain();
    const MonoTime until = now_.mono + kCloses;
    for (MonoTime next_check = now_.mono; head_ + 1 < end_;) {
      require(now_.mono < until);
      while (!requests_.empty()) {
        const RequestBlock request = requests_.begin()->second;
        requests_.erase(requests_.begin());
        reply(request, Answer(true_block(request.number)));
        drain();
      }
      while (!staging_.empty()) staged(true), drain();
      while (!reads_.empty()) read_back(true), drain();
      if (pending_head_ > head_) move_head(pending_head_);
      if (!requests_.empty() || !staging_.empty() || !reads_.empty()) continue;
      if (now_.mono >= next_check) {
        speak_of_gap();
        next_check = now_.mono + kGapCheck;
        continue;
      }
      const MonoTime deadline = std::min(next_check, engine_.next_deadline().value_or(next_check));
      pass(std::max<Nanos>(deadline - now_.mono, Millis(1)));
    }
    while (!staging_.empty()) staged(true), drain();
    require(requests_.empty() && engine_.quarantined() == 0 && engine_.memory_bytes() == 0);
  }

  Script script_;
  libp2p::Now now_{MonoTime(Seconds(10)), libp2p::from_unix_seconds(1'700'000'000)};
  libp2p::SeededRng rng_{1};
  SyncScheduler engine_;
  Paced all_;
  std::map<PeerId, Paced> peers_;
  std::set<PeerId> liars_;
  std::map<RequestId, RequestBlock> requests_;
  std::vector<std::pair<SegmentId, std::uint64_t>> staging_;
  std::vector<ReadStaged> reads_;
  std::map<SegmentId, std::map<std::uint64_t, StagedBlock>> disk_;
  std::uint64_t head_ = 1;
  std::uint64_t pending_head_ = 1;  // delivered, but the driver has not said so yet
  std::uint64_t end_ = kFirstEnd;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  World(ByteView(data, size)).play();
  return 0;
}
