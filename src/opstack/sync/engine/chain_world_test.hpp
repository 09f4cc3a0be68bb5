// An unsafe chain over a store in memory, for tests and fuzzing: the store does the plainest thing that the documents
// say (docs/fork-choice.md, chain_store.hpp), on maps and without bounds. Blocks are made of a number and a branch.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "libp2p/base/assert.hpp"
#include "opstack/sync/engine/fuzz_chain_test.hpp"
#include "opstack/sync/engine/unsafe_chain.hpp"

namespace opstack::sync::testing_chain {

using libp2p::Seconds;

inline constexpr std::uint64_t kGenesisTime = 1'700'000'000;
inline constexpr std::uint64_t kBlockTime = 2;

inline chain::RollupConfig rollup() {
  chain::RollupConfig out;
  out.block_time = kBlockTime;
  out.genesis.l2_time = kGenesisTime;
  out.genesis.l2.hash = fuzzing::hash_of(0, 0);
  return out;
}

// `fork` names the branch that the block is on, `parent_fork` that of its parent.
inline Block block(std::uint64_t number, unsigned fork, unsigned parent_fork, std::size_t size = 100) {
  payload::Envelope envelope;
  envelope.payload.block_number = number;
  envelope.payload.timestamp = kGenesisTime + kBlockTime * number;
  envelope.payload.block_hash = fuzzing::hash_of(number, fork);
  envelope.payload.parent_hash = fuzzing::hash_of(number - 1, parent_fork);
  return Block(payload::Version::v1, std::make_shared<const payload::Envelope>(std::move(envelope)),
               libp2p::share(libp2p::Bytes(size, 0)));
}

class ModelStore {
 public:
  explicit ModelStore(std::optional<BlockRef> start) {
    if (start) (void)start_at(*start, kGenesisTime);
  }

  Result<KeptBlock> start_at(const BlockRef& start, std::uint64_t timestamp) {
    if (!canonical_.empty()) return libp2p::fail(Errc::mismatch, "the store has begun");
    KnownBlock genesis;
    genesis.ref = start;
    genesis.timestamp = timestamp;
    blocks_.emplace(start.hash, genesis);
    canonical_.emplace(start.number, start.hash);
    KeptBlock out;
    out.canonical = true;
    out.segments = segments();
    return out;
  }

  Result<KeptBlock> keep(const Block& block, const std::optional<Attestation>& attestation, bool extends_head) {
    KeptBlock out;
    const BlockRef ref = block.ref();
    if (denied.contains(ref.hash)) return libp2p::fail(Errc::denied, "it is denied");
    out.parent_there = blocks_.contains(ref.parent_hash);
    if (const auto found = blocks_.find(ref.hash); found != blocks_.end()) {
      out.was_there = true;
      auto& before = found->second.attestation;
      if (attestation && (!before || before->era < attestation->era)) before = attestation;
      out.canonical = is_canonical(ref);
      if (extends_head && !out.canonical) return libp2p::fail(Errc::mismatch, "it is there, and not the head");
      return out;
    }
    if (extends_head && head() && head()->hash != ref.parent_hash)
      return libp2p::fail(Errc::mismatch, "its parent is not the head");
    const auto above = canonical_.find(ref.number + 1);
    const bool joins = above != canonical_.end() && blocks_.at(above->second).ref.parent_hash == ref.hash;
    KnownBlock known;
    known.ref = ref;
    known.timestamp = block.payload().timestamp;
    known.attestation = attestation;
    if (!extends_head) known.orphan = OrphanReason::waiting;
    blocks_.emplace(ref.hash, known);
    if (extends_head) {
      canonical_[ref.number] = ref.hash;
    } else if (joins) {
      link_down(ref, OrphanReason::joined);
    }
    out.canonical = is_canonical(ref);
    if (out.canonical && (joins || canonical_.size() == 1)) out.segments = segments();
    return out;
  }

  Result<EraRecord> open_era(const rules::Address& signer, libp2p::UnixTime now) {
    if (!eras.empty() && eras.back().signer == signer) return eras.back();
    EraRecord out;
    out.era = static_cast<Era>(eras.size() + 1);
    out.signer = signer;
    out.opened = now;
    eras.push_back(out);
    return out;
  }

  Result<MovedHead> move_head(const HeadMove& move) {
    if (!blocks_.contains(move.to.hash)) return libp2p::fail(Errc::mismatch, "it is not there");
    MovedHead out;
    out.from = *head();
    out.to = move.to;
    BlockRef at = move.to;
    while (!is_canonical(at) && blocks_.contains(at.parent_hash)) at = blocks_.at(at.parent_hash).ref;
    if (is_canonical(at)) out.fork = at.number;
    if (!out.fork && denied.contains(at.parent_hash)) return libp2p::fail(Errc::denied, "its lowest parent is denied");
    const auto top = segment_of(out.from);
    // A branch that meets the chain below the head's segment is not joined to it.
    const bool joined = out.fork && *out.fork >= top.lowest.number;
    if (move.joined && !joined) return libp2p::fail(Errc::mismatch, "the branch does not meet the head's segment");
    const auto& attestation = blocks_.at(move.to.hash).attestation;
    if (move.signed_in && (!attestation || attestation->era != *move.signed_in))
      return libp2p::fail(Errc::mismatch, "its signature is not stored");
    if (move.safe && out.fork && *out.fork < move.safe->number)
      return libp2p::fail(Errc::mismatch, "the branch forks below the safe block");
    const std::uint64_t goes_from = out.fork ? *out.fork + 1 : at.number;
    while (!canonical_.empty() && canonical_.rbegin()->first >= goes_from) {
      blocks_.at(canonical_.rbegin()->second).orphan = move.reason;
      canonical_.erase(std::prev(canonical_.end()));
      ++out.depth;
    }
    link_down(move.to, move.reason);
    out.segments = segments();
    return out;
  }

  Result<Descent> descend(const BlockRef& from) const {
    if (!blocks_.contains(from.hash)) return libp2p::fail(Errc::not_found, "it is not there");
    Descent out;
    out.lowest = from;
    while (true) {
      if (is_canonical(out.lowest) && !out.canonical) out.canonical = out.lowest.number;
      const auto parent = blocks_.find(out.lowest.parent_hash);
      if (parent == blocks_.end()) break;
      out.lowest = parent->second.ref;
    }
    out.is_base = is_base(out.lowest.hash);
    return out;
  }

  ChainView view(std::size_t window) const {
    ChainView out;
    out.head = head();
    for (const auto& [hash, known] : blocks_) out.recent.push_back(known);
    std::sort(out.recent.begin(), out.recent.end(),
              [](const auto& a, const auto& b) { return a.ref.number < b.ref.number; });
    if (out.head)
      std::erase_if(out.recent, [&](const auto& known) { return known.ref.number + window < out.head->number; });
    out.eras = eras;
    out.denied = {denied.begin(), denied.end()};
    if (!denied.empty()) out.denied_era = denied_era_;
    if (!out.head) out.begin = begin;
    if (out.head) out.segments = segments();
    return out;
  }

  std::optional<BlockRef> head() const {
    if (canonical_.empty()) return std::nullopt;
    return blocks_.at(canonical_.rbegin()->second).ref;
  }
  bool is_canonical(const BlockRef& ref) const {
    const auto found = canonical_.find(ref.number);
    return found != canonical_.end() && found->second == ref.hash;
  }
  bool has(const Hash& hash) const { return blocks_.contains(hash); }
  // As a store does for its budget; not of a canonical block.
  void remove(const Hash& hash) { blocks_.erase(hash); }
  const std::map<std::uint64_t, Hash>& canonical() const { return canonical_; }
  const std::map<Hash, KnownBlock>& blocks() const { return blocks_; }
  std::vector<EraRecord> eras;
  // As `opp2p db rewind --deny` does, of a block that is not canonical.
  void deny(const Hash& hash) {
    denied.insert(hash);
    denied_era_ = eras.empty() ? 0 : eras.back().era;
    blocks_.erase(hash);
  }
  std::set<Hash> denied;
  std::optional<KnownBlock> begin;  // of views of an empty store

  // The canonical chain is linked but at holes.
  void check() const {
    for (const auto& [number, hash] : canonical_) {
      const auto& known = blocks_.at(hash);
      OPP2P_CHECK(known.ref.number == number && !known.orphan, "a canonical block is no orphan", number);
      const auto below = canonical_.find(number - 1);
      if (below != canonical_.end() && below->second == known.ref.parent_hash) continue;
      OPP2P_CHECK(!blocks_.contains(known.ref.parent_hash) || is_base(hash),
                  "a canonical block whose parent is there stands on it", number);
    }
  }

 private:
  // Makes a block canonical, and those below it until one that is, or a missing one.
  void link_down(BlockRef at, OrphanReason reason) {
    while (!is_canonical(at)) {
      if (const auto other = canonical_.find(at.number); other != canonical_.end())
        blocks_.at(other->second).orphan = reason;
      canonical_[at.number] = at.hash;
      blocks_.at(at.hash).orphan.reset();
      const auto parent = blocks_.find(at.parent_hash);
      if (parent == blocks_.end()) return;
      at = parent->second.ref;
    }
  }
  // Nothing is known below it.
  bool is_base(const Hash& hash) const { return !canonical_.empty() && canonical_.begin()->second == hash; }
  std::vector<SegmentView> segments() const {
    std::vector<SegmentView> out{segment_of(*head())};
    for (auto below = canonical_.lower_bound(out.front().lowest.number); below != canonical_.begin();
         below = canonical_.lower_bound(out.front().lowest.number)) {
      --below;
      out.insert(out.begin(), segment_of(blocks_.at(below->second).ref));
    }
    return out;
  }
  SegmentView segment_of(const BlockRef& top) const {
    SegmentView out;
    out.highest = top.number;
    out.lowest = top;
    while (true) {
      const auto parent = blocks_.find(out.lowest.parent_hash);
      if (parent == blocks_.end() || !is_canonical(parent->second.ref)) break;
      out.lowest = parent->second.ref;
    }
    out.is_base = is_base(out.lowest.hash);
    return out;
  }

  Era denied_era_ = 0;
  std::map<Hash, KnownBlock> blocks_;
  std::map<std::uint64_t, Hash> canonical_;
};

class ChainWorld {
 public:
  explicit ChainWorld(UnsafeChainConfig config = {}, bool from_genesis = true)
      : config_(config), store_(from_genesis ? std::optional(genesis()) : std::nullopt) {
    now_.mono = libp2p::MonoTime(Seconds(1000));
    now_.wall = libp2p::from_unix_seconds(static_cast<std::int64_t>(kGenesisTime));
    restart();
  }
  static BlockRef genesis() {
    BlockRef out;
    out.hash = fuzzing::hash_of(0, 0);
    out.parent_hash.fill(0xee);
    return out;
  }

  UnsafeChain& chain() { return *chain_; }
  ModelStore& store() { return store_; }
  Now now() const { return now_; }
  std::uint64_t head() const { return chain_->stored_head() ? chain_->stored_head()->number : 0; }
  Hash head_hash() const { return chain_->stored_head()->hash; }

  void restart() {
    waiting_.clear();
    late_.clear();
    chain_ = std::make_unique<UnsafeChain>(config_, rollup_, store_.view(config_.tree.window), now_);
    pump();
  }

  Arrived signed_by(std::uint8_t signer, const Block& block, std::uint8_t peer = 1) {
    rules::Address address{};
    address[0] = signer;
    if (chain_->eras().empty()) rotate(signer);
    Attestation attestation;
    attestation.signer = address;
    attestation.era = chain_->era_of_signer(address);
    attestation.arrived = now_.wall;
    const auto out = chain_->on_signed(fuzzing::peer_named(peer), block, attestation, now_);
    pump();
    return out;
  }
  Arrived signed_block(std::uint64_t number, unsigned fork, unsigned parent_fork, std::uint8_t peer = 1) {
    return signed_by(1, block(number, fork, parent_fork), peer);
  }
  // Blocks first to last of one branch.
  void signed_run(std::uint64_t first, std::uint64_t last, unsigned fork) {
    for (std::uint64_t n = first; n <= last; ++n) signed_block(n, fork, fork);
  }
  Arrived fetched(const Block& block) {
    const auto out = chain_->on_fetched(fuzzing::peer_named(9), block, now_);
    pump();
    return out;
  }
  void rotate(std::uint8_t signer) {
    rules::Address address{};
    address[0] = signer;
    chain_->on_signer(address, now_);
    pump();
  }
  void sources(bool can_ask) {
    chain_->on_sources(can_ask, now_);
    pump();
  }
  // Time passes; timers fire when they are due.
  void wait(libp2p::Nanos duration) {
    const auto end = now_.mono + duration;
    while (true) {
      const auto next = chain_->next_deadline();
      if (!next || *next > end) break;
      advance_to(std::max(*next, now_.mono));
      chain_->on_timeout(now_);
      pump();
    }
    advance_to(end);
    chain_->on_timeout(now_);
    pump();
  }
  std::vector<Gap> gaps() const { return chain_->gaps(now_.mono); }

  // Carries out what the chain asks of the store; with held answers only when release() is called.
  void hold_answers() { held_ = true; }
  void release() {
    held_ = false;
    pump();
  }
  void fail_writes(std::size_t count) { failing_ = count; }
  // What lies below a block is read when it is asked for, and answered with answer_descents().
  bool answers_descents_late = false;
  void answer_descents() {
    answers_descents_late = false;
    for (auto& answer : std::exchange(late_, {})) answer();
    pump();
  }

  void pump() {
    while (true) {
      while (auto action = chain_->poll_action()) std::visit([this](auto& kind) { on(kind); }, *action);
      chain_->check();
      if (held_ || waiting_.empty()) return;
      auto answer = std::move(waiting_.front());
      waiting_.erase(waiting_.begin());
      answer();
    }
  }

  std::size_t traces(ChainTraceKind kind) const {
    const auto found = traces_.find(kind);
    return found == traces_.end() ? 0 : found->second;
  }
  std::vector<HeadMoved> moves;  // that reorganise
  std::vector<BlockKept> kept;
  std::vector<BlockNotKept> lost;
  std::vector<HoleChanged> holes;
  std::size_t views = 0;     // that were read
  std::size_t descents = 0;  // that were asked for
  ChainTrace last_trace;

 private:
  void advance_to(libp2p::MonoTime time) {
    now_.wall += time - now_.mono;
    now_.mono = time;
  }
  bool fails() {
    if (failing_ == 0) return false;
    --failing_;
    return true;
  }
  void on(KeepBlock& keep) {
    waiting_.emplace_back([this, keep] {
      Result<KeptBlock> outcome = libp2p::fail(Errc::io, "the disk is full");
      if (!fails()) outcome = store_.keep(keep.block, keep.attestation, keep.extends_head);
      chain_->on_kept(keep.id, outcome, now_);
    });
  }
  void on(StartAt& start) {
    waiting_.emplace_back([this, start] {
      Result<KeptBlock> outcome = libp2p::fail(Errc::io, "the disk is full");
      if (!fails()) outcome = store_.start_at(start.genesis.ref, start.genesis.timestamp);
      chain_->on_started(start.id, outcome, now_);
    });
  }
  void on(OpenEra& open) {
    waiting_.emplace_back([this, open] {
      Result<EraRecord> outcome = libp2p::fail(Errc::io, "the disk is full");
      if (!fails()) outcome = store_.open_era(open.era.signer, open.era.opened);
      chain_->on_era(open.id, outcome, now_);
    });
  }
  void on(MoveHead& move) {
    waiting_.emplace_back([this, move] {
      Result<MovedHead> outcome = libp2p::fail(Errc::io, "the disk is full");
      if (!fails()) outcome = store_.move_head(move.move);
      chain_->on_moved(move.id, outcome, now_);
    });
  }
  void on(Descend& descend) {
    ++descents;
    if (answers_descents_late) {
      late_.emplace_back(
          [this, id = descend.id, answer = store_.descend(descend.from)] { chain_->on_descended(id, answer, now_); });
      return;
    }
    waiting_.emplace_back([this, descend] { chain_->on_descended(descend.id, store_.descend(descend.from), now_); });
  }
  void on(LoadView& load) {
    ++views;
    waiting_.emplace_back([this, load] { chain_->on_view(store_.view(load.window), now_); });
  }
  void on(BlockKept& event) { kept.push_back(event); }
  void on(BlockNotKept& event) { lost.push_back(event); }
  void on(HeadMoved& event) {
    if (event.reorganises()) moves.push_back(event);
  }
  void on(HoleChanged& event) { holes.push_back(event); }
  void on(ChainTrace& trace) {
    ++traces_[trace.kind];
    last_trace = trace;
  }

  const UnsafeChainConfig config_;
  const chain::RollupConfig rollup_ = rollup();
  ModelStore store_;
  Now now_;
  std::unique_ptr<UnsafeChain> chain_;
  std::vector<std::function<void()>> waiting_, late_;
  bool held_ = false;
  std::size_t failing_ = 0;
  std::map<ChainTraceKind, std::size_t> traces_;
};

}  // namespace opstack::sync::testing_chain
