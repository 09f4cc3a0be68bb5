// A naive model of the block store's chain: all blocks in a map, everything else computed from scratch. The fuzz target
// compares the store with it.
#pragma once

#include <algorithm>
#include <map>
#include <set>

#include "opp2p/store/chain_writer.hpp"
#include "testing/fuzz_script.hpp"

namespace opp2p::testing_store {

using libp2p::fuzzing::require;

class ChainModel {
 public:
  struct Held {
    BlockRef ref;
    std::uint64_t cost = 0;
    std::optional<std::pair<UnixTime, OrphanReason>> orphan;
    std::optional<Attestation> attestation;
  };
  std::map<Hash, Held> blocks;
  std::map<std::uint64_t, Hash> canonical;
  std::set<Hash> denied;
  UnixTime now{};

  const Held* at(const BlockName& name) const {
    const auto found = blocks.find(name.hash);
    return found != blocks.end() && found->second.ref.number == name.number ? &found->second : nullptr;
  }
  bool is_canonical(const Held& held) const {
    const auto found = canonical.find(held.ref.number);
    return found != canonical.end() && found->second == held.ref.hash;
  }
  const Held* parent(const BlockRef& ref) const {
    return ref.number == 0 ? nullptr : at({ref.number - 1, ref.parent_hash});
  }
  std::optional<BlockRef> head() const {
    if (canonical.empty()) return std::nullopt;
    return blocks.at(canonical.rbegin()->second).ref;
  }
  bool is_lowest(const Held& held) const { return parent(held.ref) == nullptr; }

  // `path`: the blocks of the branch that are not canonical, from the top. Answers the canonical block below them.
  const Held* descend(const Held* from, std::vector<Hash>& path) const {
    while (from != nullptr && !is_canonical(*from)) {
      path.push_back(from->ref.hash);
      from = parent(from->ref);
    }
    return from;
  }
  void make_canonical(const std::vector<Hash>& path, OrphanReason displaced) {
    for (const Hash& hash : path) {
      Held& held = blocks.at(hash);
      if (const auto other = canonical.find(held.ref.number); other != canonical.end())
        blocks.at(other->second).orphan = {now, displaced};
      canonical[held.ref.number] = hash;
      held.orphan.reset();
    }
  }

  // Since when the newest orphan is stored that stands on this block.
  std::optional<UnixTime> since_above(const BlockRef& ref) const {
    std::optional<UnixTime> out;
    for (const auto& [hash, held] : blocks)
      if (held.orphan && held.ref.number > 0 && held.ref.number - 1 == ref.number && held.ref.parent_hash == ref.hash)
        out = std::max(out.value_or(held.orphan->first), held.orphan->first);
    return out;
  }

  // What keep() answers: an error's kind, or nothing.
  std::optional<Errc> keep(const StoredBlock& block, const std::optional<Attestation>& attestation, bool extends_head,
                           KeptBlock& out) {
    if (denied.contains(block.hash)) return Errc::denied;
    const auto top = head();
    const bool is_next = !top || (block.number == top->number + 1 && block.parent_hash == top->hash);
    const auto known = blocks.find(block.hash);
    out = {};
    out.was_there = known != blocks.end();
    if (out.was_there && known->second.ref.number != block.number) return Errc::mismatch;
    const BlockRef ref = out.was_there ? known->second.ref : block.ref();
    out.parent_there = parent(ref) != nullptr;
    const bool on_chain = out.was_there && is_canonical(known->second);
    if (extends_head && !on_chain && !is_next) return Errc::mismatch;
    bool joins = false;  // a canonical block waits for it
    if (!out.was_there) {
      const auto above = canonical.find(block.number + 1);
      joins = above != canonical.end() && blocks.at(above->second).ref.parent_hash == block.hash;
    }
    out.canonical = on_chain || joins || extends_head;
    std::vector<Hash> path;
    if (out.canonical && !on_chain) {
      (void)descend(parent(ref), path);
      path.insert(path.begin(), block.hash);
    }
    Held& held = blocks[block.hash];
    if (held.orphan && held.orphan->second == OrphanReason::rewound) held.orphan = {now, OrphanReason::waiting};
    if (!out.was_there) {
      held.ref = ref;
      held.cost = cost_of(block);
      held.orphan = {since_above(ref).value_or(now), OrphanReason::waiting};
    }
    if (attestation && (!held.attestation || held.attestation->era < attestation->era)) held.attestation = attestation;
    make_canonical(path, OrphanReason::joined);
    return std::nullopt;
  }

  std::optional<Errc> move_head(const HeadMove& move, MovedHead& out) {
    const Held* target = at({move.to.number, move.to.hash});
    if (target == nullptr) return Errc::mismatch;
    std::vector<Hash> path;
    const Held* fork = descend(target, path);
    if (fork == nullptr && denied.contains(blocks.at(path.back()).ref.parent_hash)) return Errc::denied;
    if (move.joined && fork == nullptr) return Errc::mismatch;
    if (move.signed_in && (!target->attestation || target->attestation->era != *move.signed_in)) return Errc::mismatch;
    if (move.safe) {
      if (target->ref.number < move.safe->number) return Errc::mismatch;
      for (const Hash& hash : path)
        if (blocks.at(hash).ref.number == move.safe->number && hash != move.safe->hash) return Errc::mismatch;
      const auto there = canonical.find(move.safe->number);
      if (fork != nullptr && move.safe->number <= fork->ref.number && there != canonical.end() &&
          there->second != move.safe->hash)
        return Errc::mismatch;
    }
    out.from = head().value_or(BlockRef{});
    out.to = target->ref;
    out.fork = fork == nullptr ? std::nullopt : std::optional(fork->ref.number);
    const auto first = canonical.lower_bound(fork == nullptr ? blocks.at(path.back()).ref.number : *out.fork + 1);
    out.depth = 0;
    for (auto at = first; at != canonical.end(); ++at, ++out.depth) blocks.at(at->second).orphan = {now, move.reason};
    canonical.erase(first, canonical.end());
    make_canonical(path, move.reason);
    return std::nullopt;
  }

  std::vector<SegmentView> segments() const {
    std::vector<SegmentView> out;
    for (const auto& [number, hash] : canonical) {
      const Held& held = blocks.at(hash);
      if (is_lowest(held)) out.push_back({held.ref, number, out.empty()});
      out.back().highest = number;
    }
    return out;
  }

  // What view() has beside the canonical blocks: the newest orphans that no rewind made.
  std::set<Hash> candidates(std::size_t most) const {
    std::set<Hash> out;
    const auto aged = orphans();
    for (auto at = aged.rbegin(); at != aged.rend() && out.size() < most; ++at)
      if (blocks.at(*at).orphan->second != OrphanReason::rewound) out.insert(*at);
    return out;
  }

  // Orphans from the oldest on.
  std::vector<Hash> orphans() const {
    std::vector<std::pair<std::pair<UnixTime, BlockName>, Hash>> aged;
    for (const auto& [hash, held] : blocks)
      if (held.orphan) aged.push_back({{held.orphan->first, {held.ref.number, hash}}, hash});
    std::sort(aged.begin(), aged.end());
    std::vector<Hash> out;
    for (const auto& each : aged) out.push_back(each.second);
    return out;
  }
  ChainCosts costs() const {
    ChainCosts out;
    for (const auto& [hash, held] : blocks) (held.orphan ? out.others : out.canonical) += held.cost;
    return out;
  }

  void enforce(std::uint64_t budget) {
    for (const Hash& hash : orphans()) {
      const bool old = blocks.at(hash).orphan->first <= now - ChainWriter::kOrphanLife;
      if (old || (budget != 0 && costs().others > orphan_share(budget))) blocks.erase(hash);
    }
    while (budget != 0 && canonical.size() > 1 && costs().canonical > chain_share(budget)) {
      blocks.erase(canonical.begin()->second);
      canonical.erase(canonical.begin());
    }
  }
};

}  // namespace opp2p::testing_store
