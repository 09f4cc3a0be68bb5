// Plays a script of what a node asks of its store on a store and on the naive model (chain_model_test.hpp): blocks of
// four branches that fork and join anywhere, moves of the head, rewinds, denials, time that passes, and a budget. After
// each step the tables of the store agree with each other, and its answers with the model (for all blocks after each
// eighth).
#pragma once

#include "opp2p/store/block_store.hpp"
#include "opp2p/store/chain_model_test.hpp"

namespace opp2p::testing_store {

inline constexpr std::uint64_t kNumbers = 24;
inline constexpr std::uint8_t kForks = 4;

inline Hash played_hash(std::uint64_t number, std::uint8_t fork) {
  Hash out{};
  libp2p::store_be64(out.data(), number * 0x9e3779b97f4a7c15u);
  out[31] = fork;
  return out;
}

// Fork f leaves the branch below it at number 4 * f and at every eighth number.
inline StoredBlock played_block(std::uint64_t number, std::uint8_t fork) {
  StoredBlock out;
  out.number = number;
  out.hash = played_hash(number, fork);
  const bool leaves = fork > 0 && number % 8 == 4 % (fork + 1U);
  out.parent_hash = number == 0 ? Hash{} : played_hash(number - 1, static_cast<std::uint8_t>(fork - (leaves ? 1 : 0)));
  out.timestamp = 1000 + 2 * number;
  out.version = Version::v2;
  out.body = libp2p::share(Bytes(100 + 900 * fork + 40 * number, static_cast<std::uint8_t>(number)));
  return out;
}

// The store that is played on, and how its callbacks are run.
struct Played {
  std::unique_ptr<BlockStore> store;
  std::uint64_t budget = 0;
  std::function<void()> run_one;
  std::function<void(Played&)> reopen;
};

class ChainMachine {
 public:
  using Clock = std::function<UnixTime()>;
  explicit ChainMachine(const std::function<Played(Clock)>& open)
      : played_(open([this] { return model_.now; })), budget_(played_.budget) {
    model_.now = libp2p::from_unix_seconds(1000);
    for (std::uint8_t signer = 1; signer <= kEras; ++signer) {
      opstack::rules::Address address{};
      address[0] = signer;
      require(wait<EraRecord>([&](auto done) { store().open_era(address, model_.now, done); }).has_value());
    }
  }

  void step(libp2p::fuzzing::Script& script) {
    const std::uint8_t what = script.next() % 16;
    const std::uint64_t number = script.next() % kNumbers;
    const auto fork = static_cast<std::uint8_t>(script.next() % kForks);
    if (what < 6)
      keep(played_block(number, fork), false, what % 2 == 0);
    else if (what < 9)
      extend(fork);
    else if (what < 11)
      fill();
    else if (what < 14)
      move(number, fork, what != 13, script.next());
    else if (what == 14)
      rewind(number, script.next());
    else if (number % 4 == 0)
      played_.reopen(played_);
    else
      model_.now += std::chrono::minutes(number * number * 4);
    compare();
    compare_blocks(number, number + 1);
    if (++steps_ % 8 == 0 || script.done()) {
      compare_blocks(0, kNumbers);
      compare_ranges();
    }
  }

 private:
  static constexpr Era kEras = 3;
  using Script = libp2p::fuzzing::Script;
  template <class T>
  Result<T> wait(const std::function<void(BlockStore::Done<T>)>& start) {
    std::optional<Result<T>> out;
    start([&](Result<T> answer) { out = std::move(answer); });
    require(!out);  // never within the call
    played_.run_one();
    require(out.has_value());
    return *out;
  }

  void keep(const StoredBlock& block, bool extends_head, bool has_signature) {
    std::optional<Attestation> attestation;
    if (has_signature) {
      attestation.emplace();
      attestation->arrived = libp2p::from_unix_seconds(++signatures_);
      attestation->era = std::min<Era>(kEras, static_cast<Era>(signatures_ / 16));
    }
    const auto found = wait<KeptBlock>([&](auto done) { store().keep(block, attestation, extends_head, done); });
    KeptBlock expected;
    const auto before = model_.segments();
    const auto refused = model_.keep(block, attestation, extends_head, expected);
    const auto segments = model_.segments();
    prune();
    if (!refused && !extends_head && !model_.blocks.contains(block.hash)) {
      require(!found && found.error() == Errc::exhausted);
      return;
    }
    require(found.has_value() == !refused && (found || found.error() == *refused));
    if (!found) return;
    require(found->was_there == expected.was_there && found->parent_there == expected.parent_there &&
            found->canonical == expected.canonical);
    // Told where others changed than the head's upper end.
    require(found->segments.empty() ? same_lower_ends(before, segments) : same(found->segments, segments));
    compare_pruned(found->pruned);
  }

  void compare_pruned(const std::shared_ptr<const Pruned>& pruned) {
    if (!pruned) return;
    require(pruned->canonical.empty() || !pruned->segments.empty());
    if (!pruned->segments.empty()) require(same(pruned->segments, model_.segments()));
  }
  static bool same_lower_ends(std::vector<SegmentView> a, std::vector<SegmentView> b) {
    if (!a.empty() && !b.empty()) a.back().highest = b.back().highest;
    return same(a, b);
  }
  static bool same(const std::vector<SegmentView>& a, const std::vector<SegmentView>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
      return one.lowest == other.lowest && one.highest == other.highest && one.is_base == other.is_base;
    });
  }

  void extend(std::uint8_t fork) {
    const auto head = model_.head();
    if (head && head->number + 1 >= kNumbers) return;
    keep(played_block(head ? head->number + 1 : 3, fork), true, true);
  }

  // What the highest hole waits for.
  void fill() {
    const auto segments = model_.segments();
    if (segments.size() < 2) return;
    const auto& lowest = segments.back().lowest;
    for (std::uint8_t fork = 0; fork < kForks; ++fork)
      if (lowest.number > 0 && played_hash(lowest.number - 1, fork) == lowest.parent_hash)
        keep(played_block(lowest.number - 1, fork), false, false);
  }

  void move(std::uint64_t number, std::uint8_t fork, bool joined, std::uint8_t more) {
    HeadMove asked;
    asked.to = played_block(number, fork).ref();
    asked.joined = joined;
    asked.reason = joined ? OrphanReason::reorganised : OrphanReason::segment;
    if (more % 8 == 1) asked.signed_in = more / 8 % 4;
    if (more % 4 == 0) asked.safe = played_block(more / 4 % kNumbers, more % 3).ref();
    const auto found = wait<MovedHead>([&](auto done) { store().move_head(asked, done); });
    MovedHead expected;
    const auto refused = model_.move_head(asked, expected);
    require(found.has_value() == !refused && (found || found.error() == *refused));
    const auto segments = model_.segments();
    prune();
    if (found) compare_pruned(found->pruned);
    if (!found) return;
    require(found->from == expected.from && found->to == expected.to && found->fork == expected.fork &&
            found->depth == expected.depth);
    require(same(found->segments, segments));
    require(found->segments.back().highest == asked.to.number);
  }

  void rewind(std::uint64_t to, std::uint8_t more) {
    std::optional<Hash> deny;
    if (more % 8 == 0) deny = played_hash(more / 8 % kNumbers, more % kForks);
    // The one that would be the next, or a later one.
    if (more % 8 == 1) deny = store().by_number(to + 1 + more % 3).value().value_or(StoredBlock()).hash;
    const auto found = wait<Rewound>([&](auto done) { store().rewind(to, deny, done); });
    const auto there = model_.canonical.find(to);
    if (there == model_.canonical.end()) {
      require(!found && found.error() == Errc::not_found);
      prune();
      return;
    }
    if (deny) {
      const auto held = model_.blocks.find(*deny);
      if (held != model_.blocks.end() && model_.is_canonical(held->second) && held->second.ref.number <= to) {
        require(!found && found.error() == Errc::invalid_argument);
        prune();
        return;
      }
    }
    HeadMove asked;
    asked.to = model_.blocks.at(there->second).ref;
    asked.reason = OrphanReason::rewound;
    MovedHead expected;
    require(!model_.move_head(asked, expected));
    if (deny) {
      model_.denied.insert(*deny);
      model_.blocks.erase(*deny);
    }
    prune();
    require(found && found->from == expected.from && found->to == expected.to && found->orphaned == expected.depth);
  }

  void prune() { model_.enforce(budget_); }

  void compare() {
    const auto checked = store().check(CheckDepth{}).value();
    if (checked.defect_count > 0) std::fprintf(stderr, "%s\n", checked.defects.front().c_str());
    require(checked.defect_count == 0);
    const auto view = store().view(8).value();
    require(view.head == model_.head());
    require(view.denied.size() == model_.denied.size());
    std::set<Hash> candidates;
    for (const auto& known : view.recent)
      if (known.orphan) candidates.insert(known.ref.hash);
    require(candidates == model_.candidates(8));
    require(same(view.segments, model_.segments()));
    const auto summary = store().summary().value();
    require(summary.blocks == model_.canonical.size() && summary.orphans == model_.orphans().size());
  }

  void compare_blocks(std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t number = from; number < to; ++number) {
      const auto block = store().by_number(number).value();
      const auto there = model_.canonical.find(number);
      require(block.has_value() == (there != model_.canonical.end()) && (!block || block->hash == there->second));
      for (std::uint8_t fork = 0; fork < kForks; ++fork) compare_block(number, fork);
    }
  }

  void compare_block(std::uint64_t number, std::uint8_t fork) {
    const StoredBlock block = played_block(number, fork);
    const auto found = store().by_hash(block.hash).value();
    const auto* held = model_.at({number, block.hash});
    require(found.has_value() == (held != nullptr));
    const auto down = store().descend(block.ref());
    require(down.has_value() == (held != nullptr));
    if (held == nullptr) return;
    require(found->block.body == block.body && found->attestation == held->attestation);
    require(found->orphan == (held->orphan ? std::optional(held->orphan->second) : std::nullopt));
    require(found->orphaned == (held->orphan ? std::optional(held->orphan->first) : std::nullopt));
    std::vector<Hash> path;
    const auto* end = model_.descend(held, path);
    require(down->canonical == (end == nullptr ? std::nullopt : std::optional(end->ref.number)));
    const auto* lowest = held;
    while (const auto* below = model_.parent(lowest->ref)) lowest = below;
    require(down->lowest == lowest->ref);
    require(down->is_base == (!model_.canonical.empty() && model_.canonical.begin()->second == lowest->ref.hash));
  }

  void compare_ranges() {
    for (std::uint64_t from = 0; from < kNumbers; from += 5) {
      std::vector<Hash> found;
      require(store()
                  .for_each(from, UINT64_MAX,
                            [&](const StoredBlock& block) {
                              found.push_back(block.hash);
                              return true;
                            })
                  .has_value());
      std::vector<Hash> expected;
      auto at = model_.canonical.lower_bound(from);
      const bool in_hole = at != model_.canonical.end() && at->first != from && at != model_.canonical.begin();
      for (; !in_hole && at != model_.canonical.end(); ++at) {
        const auto& ref = model_.blocks.at(at->second).ref;
        if (!expected.empty() && ref.parent_hash != expected.back()) break;
        expected.push_back(ref.hash);
      }
      require(found == expected);
    }
  }

  BlockStore& store() { return *played_.store; }

  ChainModel model_;
  Played played_;
  const std::uint64_t budget_;
  std::int64_t signatures_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace opp2p::testing_store
