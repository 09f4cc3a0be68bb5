// The unsafe chain over the rules of the real store, for tests and fuzzing: UnsafeChain writes to a MemoryStore behind
// a FaultyStore, on a virtual clock. The invariants of the chain are checked after each event. The blocks are those of
// chain_world_test.hpp: a number and a branch. That world has a plain store without bounds; here are a budget, ages and
// failing writes. After lag() the store is as slow as a database: writes gather until one transaction takes them, a
// read answers what was stored at some moment since it was asked for, and all answers come later.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "opp2p/store/faulty_store.hpp"
#include "opp2p/store/memory_store.hpp"
#include "opstack/sync/engine/chain_world_test.hpp"

namespace opp2p::testing_over_store {

using namespace opstack::sync;  // NOLINT(google-build-using-namespace)
using libp2p::Seconds;
using opstack::sync::fuzzing::hash_of;
using testing_chain::block;

class ChainOverStore {
 public:
  // `failing`: so many of the first writes fail.
  explicit ChainOverStore(std::uint64_t budget = 0, UnsafeChainConfig config = {}, std::size_t failing = 0)
      : config_(config), inner_(post(), budget, [this] { return now_.wall; }), store_(inner_, post()) {
    now_.mono = libp2p::MonoTime(Seconds(1000));
    now_.wall = libp2p::from_unix_seconds(static_cast<std::int64_t>(testing_chain::kGenesisTime));
    store_.fail_writes(failing);
    restart();
  }

  UnsafeChain& chain() { return *chain_; }
  MemoryStore& store() { return inner_; }
  FaultyStore& disk() { return store_; }
  Now now() const { return now_; }
  std::uint64_t head() const { return chain_->stored_head()->number; }
  Hash head_hash() const { return chain_->stored_head()->hash; }
  std::optional<std::uint64_t> settled() const { return chain_->settled(now_.mono); }
  std::vector<Gap> gaps() const { return chain_->gaps(now_.mono); }
  // As "1-10 20-22", the head's last.
  std::string segments_on_disk() const { return text_of(inner_.view(1).value().segments); }
  std::string segments_in_memory() const {
    auto all = chain_->lower_segments();
    if (chain_->head()) all.push_back(chain_->segment());
    return text_of(all);
  }
  // The first defect that a check of the store finds; empty when there is none.
  std::string defect() const {
    const auto found = inner_.check(CheckDepth{}).value();
    return found.defect_count == 0 ? "" : found.defects.front();
  }

  // As Node does it: an empty store begins with genesis.
  void restart() {
    waiting_.clear();
    inner_.lose_gathered();
    readings_.clear();
    readings_done_.clear();
    posted_.clear();
    auto view = inner_.view(config_.tree.window).value();
    if (!view.head) {
      view.begin.emplace();
      view.begin->ref = testing_chain::ChainWorld::genesis();
      view.begin->timestamp = testing_chain::kGenesisTime;
    }
    chain_ = std::make_unique<UnsafeChain>(config_, rollup_, view, now_);
    pump();
  }
  // `opp2p db rewind`, for which the node is stopped.
  void rewind(std::uint64_t to, std::optional<Hash> deny) {
    Result<Rewound> out = libp2p::fail(Errc::closed, "not answered");
    inner_.rewind(to, deny, [&](Result<Rewound> answer) { out = std::move(answer); });
    OPP2P_CHECK(out.has_value(), "the store rewinds", to);
    restart();
  }

  static opstack::rules::Address address_of(std::uint8_t signer) {
    opstack::rules::Address out{};
    out[0] = signer;
    return out;
  }
  void rotate(std::uint8_t signer) {
    (void)chain_->on_signer(address_of(signer), now_);
    pump();
  }
  // `is_own`: this node publishes it.
  Arrived signed_by(std::uint8_t signer, const Block& block, bool is_own = false) {
    if (chain_->eras().empty()) rotate(signer);
    Attestation attestation;
    attestation.signer = address_of(signer);
    attestation.era = chain_->era_of_signer(attestation.signer);
    attestation.arrived = now_.wall;
    const auto out = chain_->on_signed(fuzzing::peer_named(1), block, attestation, now_, !is_own);
    pump();
    return out;
  }
  Arrived signed_block(std::uint64_t number, unsigned fork, unsigned parent_fork) {
    return signed_by(1, block(number, fork, parent_fork));
  }
  // Blocks first to last of one branch.
  void signed_run(std::uint64_t first, std::uint64_t last, unsigned fork) {
    for (std::uint64_t n = first; n <= last; ++n) signed_block(n, fork, fork);
  }
  // The same for a branch that leaves branch 0 below its first block.
  void signed_branch(std::uint64_t first, std::uint64_t last, unsigned fork) {
    for (std::uint64_t n = first; n <= last; ++n) signed_block(n, fork, n == first ? 0 : fork);
  }
  Arrived fetched(const Block& block) {
    const auto out = chain_->on_fetched(fuzzing::peer_named(9), block, now_);
    pump();
    return out;
  }
  Arrived vouched(const Block& block) {
    const auto out = chain_->on_vouched(fuzzing::peer_named(5), block, now_);
    pump();
    return out;
  }
  void sources(bool can_ask) {
    chain_->on_sources(can_ask, now_);
    pump();
  }

  // The store works when `work` lets it, by chance.
  void lag(std::uint64_t seed) {
    lagging_ = true;
    chance_ = seed;
    inner_.gather_writes();
  }
  // A few steps of the store and of its answers' delivery; more of them from a larger `most`.
  void work(std::uint64_t most) {
    for (std::uint64_t steps = chance(most + 1); steps > 0; --steps) {
      switch (chance(8)) {
        case 0:
        case 1: commit(); break;
        case 2: read(chance(readings_.size() + 1)); break;
        case 3: post_reading(chance(readings_done_.size() + 1)); break;
        default: deliver();
      }
    }
  }
  // Until nothing is left to do.
  void settle() {
    while (has_work()) {
      commit();
      read(0);
      post_reading(0);
      deliver();
    }
  }
  // The next n transactions fail.
  void fail_commits(std::size_t n) { failing_commits_ = n; }

  // What the disk has held back is written, and answered.
  void release() {
    store_.sync();
    pump();
  }

  // Time passes, and no timer fires.
  void advance(libp2p::Nanos duration) {
    now_.mono += duration;
    now_.wall += duration;
  }
  // Time passes, and timers fire when they are due.
  void wait(libp2p::Nanos duration) {
    const auto end = now_.mono + duration;
    while (true) {
      const auto next = chain_->next_deadline();
      if ((!next || *next > end) && has_work()) {
        settle();
        continue;
      }
      if (!next || *next > end) break;
      advance(std::max(*next, now_.mono) - now_.mono);
      chain_->on_timeout(now_);
      pump();
      if (lagging_) work(16);
    }
    advance(end - now_.mono);
    chain_->on_timeout(now_);
    pump();
  }

  std::vector<HeadMoved> moves;
  std::vector<BlockNotKept> lost;
  std::vector<HoleChanged> holes;

 private:
  Post post() {
    return [this](const std::function<void()>& task) {
      if (lagging_)
        posted_.push_back(task);
      else
        task();
    };
  }
  std::uint64_t chance(std::uint64_t below) {
    chance_ = chance_ * 6364136223846793005u + 1442695040888963407u;
    return (chance_ >> 33) % below;
  }

  // ---- the slow store ----

  bool has_work() const {
    return inner_.gathered() > 0 || !readings_.empty() || !readings_done_.empty() || !posted_.empty();
  }
  void commit() {
    if (inner_.gathered() == 0) return;
    if (failing_commits_ == 0) return inner_.commit();
    --failing_commits_;
    inner_.commit(libp2p::fail(libp2p::Errc::io, "the disk refused (a test asked for it)"));
  }
  void read(std::size_t which) {
    if (which >= readings_.size()) return;
    readings_done_.push_back(readings_[which]());
    readings_.erase(readings_.begin() + static_cast<std::ptrdiff_t>(which));
  }
  void post_reading(std::size_t which) {
    if (which >= readings_done_.size()) return;
    posted_.push_back(readings_done_[which]);
    readings_done_.erase(readings_done_.begin() + static_cast<std::ptrdiff_t>(which));
  }
  void deliver() {
    if (posted_.empty()) return;
    const auto task = std::move(posted_.front());
    posted_.pop_front();
    task();
    pump();
  }
  // Does it when its turn comes, or at once where the store gathers what it is given.
  void give(std::function<void()> write) {
    if (lagging_)
      write();
    else
      waiting_.push_back(std::move(write));
  }
  // `reading` reads, and answers what tells the chain.
  void ask(std::function<std::function<void()>()> reading) {
    if (lagging_)
      readings_.push_back(std::move(reading));
    else
      waiting_.emplace_back([reading = std::move(reading)] { reading()(); });
  }
  static std::string text_of(const std::vector<SegmentView>& segments) {
    std::string out;
    for (const auto& segment : segments)
      out += (out.empty() ? "" : " ") + std::to_string(segment.lowest.number) + "-" + std::to_string(segment.highest);
    return out;
  }

  // Carries out what the chain asks of the store, in order.
  void pump() {
    while (true) {
      while (auto action = chain_->poll_action()) std::visit([this](auto& kind) { on(kind); }, *action);
      chain_->check();
      if (waiting_.empty()) return;
      const auto answer = std::move(waiting_.front());
      waiting_.erase(waiting_.begin());
      answer();
    }
  }
  void on(const KeepBlock& keep) {
    give([this, keep] {
      store_.keep(StoredBlock(keep.block), keep.attestation, keep.extends_head,
                  [this, id = keep.id](const Result<KeptBlock>& outcome) { chain_->on_kept(id, outcome, now_); });
    });
  }
  void on(const StartAt& start) {
    give([this, start] {
      store_.start_at(
          start.genesis.ref, start.genesis.timestamp,
          [this, id = start.id](const Result<KeptBlock>& outcome) { chain_->on_started(id, outcome, now_); });
    });
  }
  void on(const OpenEra& open) {
    give([this, open] {
      store_.open_era(open.era.signer, open.era.opened,
                      [this, id = open.id](const Result<EraRecord>& outcome) { chain_->on_era(id, outcome, now_); });
    });
  }
  void on(const MoveHead& move) {
    give([this, move] {
      store_.move_head(move.move,
                       [this, id = move.id](const Result<MovedHead>& outcome) { chain_->on_moved(id, outcome, now_); });
    });
  }
  void on(const Descend& descend) {
    ask([this, descend] {
      return [this, id = descend.id, found = store_.descend(descend.from)] { chain_->on_descended(id, found, now_); };
    });
  }
  void on(const LoadView& load) {
    ask([this, load] { return [this, view = store_.view(load.window)] { chain_->on_view(view, now_); }; });
  }
  void on(const HeadMoved& event) { moves.push_back(event); }
  void on(const BlockNotKept& event) { lost.push_back(event); }
  void on(const HoleChanged& event) { holes.push_back(event); }
  template <class Other>
  void on(const Other&) {}

  const UnsafeChainConfig config_;
  const opstack::chain::RollupConfig rollup_ = testing_chain::rollup();
  Now now_;
  MemoryStore inner_;
  FaultyStore store_;
  std::unique_ptr<UnsafeChain> chain_;
  std::vector<std::function<void()>> waiting_;
  bool lagging_ = false;
  std::uint64_t chance_ = 0;
  std::size_t failing_commits_ = 0;
  std::vector<std::function<std::function<void()>()>> readings_;
  std::vector<std::function<void()>> readings_done_;
  std::deque<std::function<void()>> posted_;  // to the thread of the chain
};

}  // namespace opp2p::testing_over_store
