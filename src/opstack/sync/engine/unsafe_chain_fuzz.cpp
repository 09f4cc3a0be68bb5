// A script of signed blocks on four branches in any order, of three signers, of blocks that a source brings and that
// the operator denies, of waiting, restarts, full disks and late answers. What must hold after each step: the
// invariants of the chain, of its tree and of the store; the head is never left for a lower block of the same era. At
// the end silence falls: then the head is the best of all signed blocks that are stored, by era, height and the lower
// hash.
#include <algorithm>
#include <map>
#include <optional>

#include "opstack/sync/engine/chain_branches_test.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace opstack::sync;
using namespace opstack::sync::testing_chain;
using libp2p::fuzzing::require;

class Run {
 public:
  explicit Run(bool from_genesis) : world_(config(), from_genesis) {}

  void step(std::uint8_t what, std::uint8_t value) {
    switch (what % 16) {
      case 8: fetch(value); break;
      case 9: fetch(value); break;
      case 10: world_.wait(libp2p::Millis(400) * value); break;
      case 11: world_.sources(value % 2 == 0); break;
      case 12:
        if (value % 4 == 0) world_.rotate(1 + value % 3);
        if (value % 32 == 1) deny(on_branch(1 + value % kHeights, value / 64));
        break;
      case 13:
        if (value % 8 == 0) restart();
        break;
      case 14: world_.fail_writes(value % 4); break;
      case 15:
        if (value % 2 == 0)
          world_.hold_answers();
        else
          world_.release();
        break;
      default: sign(1 + value % 3, on_branch(1 + (value / 3 + what * 11) % kHeights, what % 4), value % 5);
    }
    settle();
  }

  void end() {
    world_.fail_writes(0);
    world_.release();
    world_.wait(libp2p::Seconds(3600));
    settle();
    require(world_.chain().waiting_blocks() == 0);
    const KnownBlock* best = nullptr;
    for (const auto& [hash, known] : world_.store().blocks()) {
      if (!known.attestation || is_denied(known)) continue;
      // Of the era of a denial only what is joined counts; then this is left to the other requirements.
      if (!world_.store().denied.empty()) return;
      if (best == nullptr || is_better(known, *best)) best = &known;
    }
    if (best == nullptr) return;
    const auto head = world_.store().head();
    require(head && head->hash == best->ref.hash);
    require(world_.chain().stored_head() == head);
    restart();
    require(world_.chain().stored_head()->hash == best->ref.hash);
  }

 private:
  static UnsafeChainConfig config() {
    UnsafeChainConfig out;
    out.max_bytes = 30'000;
    return out;
  }
  static bool is_better(const KnownBlock& a, const KnownBlock& b) {
    if (a.attestation->era != b.attestation->era) return a.attestation->era > b.attestation->era;
    if (a.ref.number != b.ref.number) return a.ref.number > b.ref.number;
    return a.ref.hash < b.ref.hash;
  }

  void sign(std::uint8_t signer, const Block& block, std::uint8_t peer) {
    const auto arrived = world_.signed_by(signer, block, peer);
    if (arrived.arrival == Arrival::evidence || arrived.arrival == Arrival::overflow) return;
    libp2p::ByteArray<20> address{};
    address[0] = signer;
    const Era era = world_.chain().era_of_signer(address);
    signed_in_.try_emplace(block.hash(), Eras{era, era}).first->second.last = era;
  }

  // What a source would bring for one of the gaps.
  void fetch(std::uint8_t value) {
    const auto gaps = world_.gaps();
    if (gaps.empty()) return;
    const auto& gap = gaps[value % gaps.size()];
    const std::uint64_t number = gap.child.number - 1;
    for (unsigned branch = 0; branch < 4; ++branch) {
      const Block wanted = on_branch(number, branch);
      if (wanted.hash() == gap.child.parent_hash) {
        world_.fetched(wanted);
        return;
      }
    }
  }
  // As `opp2p db rewind --deny` does, but of a block that is not on the chain.
  void deny(const Block& block) {
    world_.fail_writes(0);
    world_.release();
    if (world_.store().is_canonical(block.ref())) return;
    for (auto at = world_.store().head(); at && at->number > 0;) {
      if (at->parent_hash == block.hash()) return;  // nor below its hole
      const auto below = world_.store().blocks().find(at->parent_hash);
      at = below == world_.store().blocks().end() ? std::nullopt : std::optional(below->second.ref);
    }
    world_.store().deny(block.hash());
    restart();
  }
  // Whether the operator has denied a block of its branch, as far as the store tells.
  bool is_denied(const KnownBlock& known) {
    const auto& denied = world_.store().denied;
    const auto& blocks = world_.store().blocks();
    for (auto at = blocks.find(known.ref.hash); at != blocks.end(); at = blocks.find(at->second.ref.parent_hash))
      if (denied.contains(at->second.ref.parent_hash)) return true;
    return false;
  }
  // The same as far as the script tells: the chain may have seen a block that the disk then refused.
  bool descends_from_denied(const BlockRef& ref) {
    for (unsigned branch = 0; branch < 4; ++branch) {
      if (on_branch(ref.number, branch).hash() != ref.hash) continue;
      for (std::uint64_t number = ref.number; number > 0; --number)
        if (world_.store().denied.contains(on_branch(number, branch).hash())) return true;
      return false;
    }
    return false;
  }
  void restart() {
    world_.fail_writes(0);
    world_.release();
    world_.restart();
  }

  void settle() {
    world_.chain().check();
    world_.store().check();
    for (; moves_ < world_.moves.size(); ++moves_) {
      const auto& moved = world_.moves[moves_].moved;
      require(eras_of(moved.to).last > eras_of(moved.from).first || moved.to.number >= moved.from.number ||
              descends_from_denied(moved.from));
    }
  }
  // A move is seen when the disk answers. Until then the block may have been signed again, in a later era.
  struct Eras {
    Era first = 0, last = 0;
  };
  Eras eras_of(const BlockRef& ref) {
    const auto& blocks = world_.store().blocks();
    for (auto at = blocks.find(ref.hash); at != blocks.end(); at = blocks.find(at->second.ref.parent_hash)) {
      const auto known = signed_in_.find(at->first);
      const auto& stored = at->second.attestation;
      if (known != signed_in_.end())
        return stored ? Eras{std::min(stored->era, known->second.first), std::max(stored->era, known->second.last)}
                      : known->second;
      if (stored) return {stored->era, stored->era};
    }
    return {};
  }

  ChainWorld world_;
  std::map<Hash, Eras> signed_in_;  // of all signed blocks that count; that of a stored one may not be stored yet
  std::size_t moves_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Run run(data[0] % 4 != 0);
  for (std::size_t at = 1; at + 1 < size && at < 2000; at += 2) run.step(data[at], data[at + 1]);
  run.end();
  return 0;
}
