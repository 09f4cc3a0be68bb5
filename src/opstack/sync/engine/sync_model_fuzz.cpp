// The scheduler in a world of two branches: peers that answer well, badly, of the other branch or not at all, by a
// script; a store that is slow; a follower whose list of gaps changes. A naive model holds it at each step: only what
// is missing is asked for, of peers that are there, of each gap no number of more than two at a time, within every
// limit; who has sent another branch is not asked for that gap again and again; of each gap exactly its branch is
// delivered, from the top down; who was honest, on whatever branch, is never blamed. Whatever happened before: once
// each branch has a peer that holds it, all gaps close.
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
constexpr std::size_t kMaxGaps = 3;
constexpr std::uint64_t kHead = 4;
constexpr std::uint64_t kForkPoint = 12;       // the highest block of both branches
constexpr Nanos kCloses = Seconds(3600);       // the longest that honest peers may need, after all that went before
constexpr Nanos kCheckInterval = Seconds(60);  // how often the follower lists its gaps when nothing happens
const AddressBlocks kOneAddress{Bytes{1}, {}};

// Block `number` of branch 0 or 1. From 2 on: what nobody else has.
Block block_of(std::uint64_t number, unsigned branch) {
  const auto fork = [branch](std::uint64_t n) { return branch == 1 && n <= kForkPoint ? 0U : branch; };
  return block_at(number, fork(number), fork(number - 1), 50);
}

SyncConfig small_config() {
  SyncConfig out;
  out.max_bytes = 400'000;
  out.max_quarantined = 8;
  out.window = 16;
  out.max_in_flight = 4;
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
    lists_each_block_ = script_.flip();
    open_gap();
    for (std::size_t steps = 0; !script_.done() && steps < kMaxSteps; ++steps) step();
    close();
  }

 private:
  struct Open {
    unsigned branch = 0;
    BlockRef child;                     // as it was listed last
    std::uint64_t lowest = 0;           // that is there
    std::map<PeerId, int> passed_over;  // how often
    int pauses = 0;
  };

  void step() {
    const std::uint8_t what = script_.next();
    const PeerId peer = peer_named(script_.next() % 6);
    switch (what % 14) {
      case 0:
        // Two of one address, and one that identify is silent about until it is added again.
        engine_.on_peer_added(peer, now_,
                              peer == peer_named(1) || peer == peer_named(2) ? kOneAddress : AddressBlocks{},
                              peer != peer_named(0) || !peers_.emplace(peer, Paced{now_.mono}).second);
        peers_.emplace(peer, Paced{now_.mono});
        break;
      case 1: remove(peer); break;
      case 2: list(); break;
      case 3: open_gap(); break;
      case 4: drop_gap(); break;
      case 5: fill_from_elsewhere(); break;
      case 6:
      case 7: write_one(); break;
      case 8: engine_.on_check(block_of(kHead, 0).ref(), block_of(30, 0).ref(), now_); break;
      case 9: pass(Millis(script_.next() * 40)); break;
      default: answer(script_.next()); break;
    }
    drain();
  }

  // ---- the follower ----

  void list() {
    std::vector<Gap> gaps;
    for (const GapId id : order_) {
      Open& gap = gaps_.at(id);
      gap.child = block_of(gap.lowest, gap.branch).ref();
      gaps.push_back(Gap{id, gap.child, kHead + 1});
    }
    engine_.set_gaps(gaps, now_);
  }
  void open_gap() {
    if (gaps_.size() >= kMaxGaps) return;
    Open gap;
    gap.branch = script_.flip() ? 1 : 0;
    gap.lowest = kHead + 2 + script_.below(40);
    const GapId id = next_gap_++;
    gaps_.emplace(id, gap);
    order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(script_.below(order_.size() + 1)), id);
    list();
  }
  void forget_gap(GapId id) {
    gaps_.erase(id);
    std::erase(order_, id);
    list();
  }
  void drop_gap() {
    if (!order_.empty()) forget_gap(order_[script_.below(order_.size())]);
  }
  // Another source has brought blocks.
  void fill_from_elsewhere() {
    if (order_.empty()) return;
    const GapId id = order_[script_.below(order_.size())];
    Open& gap = gaps_.at(id);
    gap.lowest -= std::min<std::uint64_t>(script_.below(4), gap.lowest - kHead - 1);
    if (gap.lowest == kHead + 1) return forget_gap(id);
    list();
  }
  void write_one() {
    if (unwritten_.empty()) return;
    const std::size_t bytes = unwritten_.back();
    unwritten_.pop_back();
    engine_.on_written(bytes, now_);
  }

  void pass(Nanos time) {
    now_ = now_ + time;
    engine_.on_timeout(now_);
    drain();
  }
  void remove(const PeerId& peer) {
    forget_peer(peer);
    engine_.on_peer_removed(peer, now_);
  }
  void forget_peer(const PeerId& peer) {
    peers_.erase(peer);
    for (auto& [id, gap] : gaps_) gap.passed_over.erase(peer);
    std::erase_if(requests_, [&](const auto& entry) { return entry.second.peer == peer; });
  }

  void answer(std::uint8_t how) {
    if (requests_.empty())
      return engine_.on_answer(how, Answer(block_of(kHead + 1, 0)), now_);  // to none that is there
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
      case 4: return lie(request, AnswerKind::malformed);
      case 5: return lie(request, AnswerKind::wrong_number);
      case 6: return lie(request, AnswerKind::bad_hash);
      case 7: return lie(request, AnswerKind::altered);
      case 8: return reply(request, Answer(block_of(number, 2 + kind / 16 % 2)));
      case 9: return reply(request, Answer(block_of(number + 1, 0)));  // as from a driver that does not check
      case 10:
      case 11:
      case 12: return reply(request, Answer(block_of(number, 1)));
      default: return reply(request, Answer(block_of(number, 0)));
    }
  }
  void reply(const RequestBlock& request, Answer answer) { engine_.on_answer(request.id, std::move(answer), now_); }
  void lie(const RequestBlock& request, AnswerKind kind) {
    liars_.insert(request.peer);
    reply(request, Answer(kind, ""));
  }

  // ---- what the engine says ----

  void drain() {
    while (auto action = engine_.poll_action()) std::visit([this](const auto& a) { on(a); }, *action);
    engine_.check();
    const SyncConfig config = small_config();
    require(requests_.size() <= config.max_in_flight && engine_.trials() <= config.max_in_flight / 4);
    require(engine_.quarantined() <= config.max_quarantined && engine_.memory_bytes() <= config.max_bytes);
    require(engine_.gaps() == gaps_.size());
  }
  void on(const CancelRequest& cancel) { require(requests_.erase(cancel.id) == 1); }
  void on(const PeerReport& report) {
    require(report.merit != PeerMerit::rejected_payload || liars_.contains(report.peer));
  }
  void on(const SyncFault& fault) { require(liars_.contains(fault.peer)); }
  void on(const SyncTrace& trace) {
    // The engine takes out a peer by itself that identify is silent about, and that does not answer.
    if (trace.kind == SyncTraceKind::peer_removed) forget_peer(trace.peer);
    if (!trace.gap || !gaps_.contains(*trace.gap)) return;
    Open& gap = gaps_.at(*trace.gap);
    // After a pause it may be asked again; a newcomer may be asked within the pause.
    if (trace.kind == SyncTraceKind::no_peer_has_block) ++gap.pauses;
    if (trace.kind != SyncTraceKind::other_branch || !peers_.contains(trace.peer)) return;
    require(++gap.passed_over[trace.peer] <= 2 * (gap.pauses + 1));
  }
  void on(const RequestBlock& request) {
    std::size_t of_this_peer = 0;
    std::size_t of_this_number = 0;
    for (const auto& [id, other] : requests_) {
      of_this_number += other.number == request.number ? 1 : 0;
      of_this_peer += other.peer == request.peer ? 1 : 0;
    }
    require(request.number > kHead && of_this_number < 2 * kMaxGaps);
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
  void on(const DeliverBlock& deliver) {
    const auto found = gaps_.find(deliver.gap);
    require(found != gaps_.end());
    Open& gap = found->second;
    require(deliver.block.number() + 1 == gap.lowest);
    require(deliver.block.hash() == block_of(gap.lowest - 1, gap.branch).hash());
    --gap.lowest;
    unwritten_.push_back(deliver.block.memory_bytes());
    if (gap.lowest == kHead + 1) return forget_gap(deliver.gap);
    if (lists_each_block_) list();
  }

  // From here on everybody is honest, and of each branch one peer is there that never was anything else.
  void close() {
    const PeerId holders[] = {peer_named(98), peer_named(99)};
    for (const PeerId& peer : holders) {
      peers_.emplace(peer, Paced{now_.mono});
      engine_.on_peer_added(peer, now_);
      drain();
    }
    const MonoTime until = now_.mono + kCloses;
    for (MonoTime next_check = now_.mono; !gaps_.empty();) {
      require(now_.mono < until);
      while (!requests_.empty()) {
        const RequestBlock request = requests_.begin()->second;
        requests_.erase(requests_.begin());
        if (request.peer == holders[0] || request.peer == holders[1])
          reply(request, Answer(block_of(request.number, request.peer == holders[1] ? 1 : 0)));
        else
          reply(request, Answer(AnswerKind::not_found, ""));
        drain();
      }
      while (!unwritten_.empty()) write_one(), drain();
      if (!requests_.empty() || !unwritten_.empty()) continue;
      if (now_.mono >= next_check) {
        list();
        drain();
        next_check = now_.mono + kCheckInterval;
        continue;
      }
      const MonoTime deadline = std::min(next_check, engine_.next_deadline().value_or(next_check));
      pass(std::max<Nanos>(deadline - now_.mono, Millis(1)));
    }
    while (!unwritten_.empty()) write_one(), drain();
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
  std::map<GapId, Open> gaps_;
  std::vector<GapId> order_;
  std::vector<std::size_t> unwritten_;  // bytes of each block
  GapId next_gap_ = 1;
  bool lists_each_block_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  World(ByteView(data, size)).play();
  return 0;
}
