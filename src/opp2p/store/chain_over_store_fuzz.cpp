// A script of what a node lives through over its store (chain_over_store_test.hpp): signed blocks on four branches and
// runs of them, of three signers, blocks that a source brings, waiting, restarts and writes that fail, with a budget
// and without one, over a store that answers at once or as late as a database does. The invariants of the chain are
// checked after each event, so its head's segment in memory is its component. At the end the disk works, silence falls
// and two hours pass. Then nothing waits, the tables of the store agree, and memory and disk agree on the head and on
// the segments; without a budget the head is the best of all signed blocks that are stored, by era, height and the
// lower hash.
#include "opp2p/store/chain_over_store_test.hpp"
#include "opstack/sync/engine/chain_branches_test.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace opp2p;
using namespace opp2p::testing_over_store;
using libp2p::fuzzing::require;

using opstack::sync::testing_chain::kHeights;
using opstack::sync::testing_chain::on_branch;

class Run {
 public:
  // By the first byte: most scripts have a budget of a few dozen blocks, and half of them a slow store.
  explicit Run(std::uint8_t first)
      : budget_(first % 8 < 3 ? 0 : 25'000 + first % 8 * 8000), is_slow_(first >= 128), world_(budget_) {
    if (is_slow_) world_.lag(first);
    world_.rotate(1);
  }

  void step(std::uint8_t what, std::uint8_t value) {
    if (is_slow_) world_.work(value % 24);
    switch (what % 16) {
      case 7: extend_head(value % 16); break;
      case 8: fetch(value); break;
      case 9: fetch(value); break;
      case 10: world_.wait(Seconds(value % 64)); break;
      case 11: world_.sources(value % 2 == 0); break;
      case 12:
        if (value % 4 == 0) rotate(static_cast<std::uint8_t>(1 + value / 4 % 3));
        break;
      case 13:
        if (value % 8 == 0) restart();
        break;
      case 14: fail(value % 4); break;
      case 15: run_of(1 + value % kHeights, 1 + what / 16 % 12, value / 64); break;
      default: sign(value / 40, on_branch(1 + value % kHeights, what % 4));
    }
  }

  void end() {
    fail(0);
    world_.wait(Seconds(3600));
    world_.wait(Seconds(3600));
    if (budget_ != 0) extend_head(1);
    world_.settle();
    require(world_.chain().waiting_blocks() == 0);
    require(world_.defect().empty());
    const auto view = world_.store().view(4096).value();
    require(view.head == world_.chain().head() && view.head == world_.chain().stored_head());
    require(world_.segments_in_memory() == world_.segments_on_disk());
    if (budget_ != 0) return;
    const KnownBlock* best = nullptr;
    for (const auto& known : view.recent)
      if (known.attestation && (best == nullptr || is_better(known, *best))) best = &known;
    require(best == nullptr || best->ref == *view.head);
  }

 private:
  static bool is_better(const KnownBlock& a, const KnownBlock& b) {
    if (a.attestation->era != b.attestation->era) return a.attestation->era > b.attestation->era;
    if (a.ref.number != b.ref.number) return a.ref.number > b.ref.number;
    return a.ref.hash < b.ref.hash;
  }

  // Gossip brings no block that is older than the store: the chain does not grow downwards again where it was pruned.
  void sign(std::uint8_t signer, const Block& block) {
    if (budget_ != 0 && block.number() < lowest()) return;
    world_.signed_by(static_cast<std::uint8_t>(1 + signer % 3), block);
  }
  std::uint64_t lowest() {
    const auto& lower = world_.chain().lower_segments();
    return (lower.empty() ? world_.chain().segment() : lower.front()).lowest.number;
  }
  void run_of(std::uint64_t first, std::uint64_t length, unsigned branch) {
    for (std::uint64_t n = first; n < first + length && n <= kHeights; ++n) sign(0, on_branch(n, branch));
  }
  // So the chain grows beyond the branches, and is told with its next write what the budget took.
  void extend_head(unsigned times) {
    for (; times > 0 && world_.chain().head(); --times) {
      const auto& head = *world_.chain().head();
      const std::uint8_t parent = head.hash[31];
      const Block next = block(head.number + 1, parent < kExtensions ? extension() : parent, parent);
      extensions_.insert_or_assign(next.hash(), next);
      world_.signed_by(world_.chain().eras().back().signer[0], next);
    }
  }
  // A branch that no other block is on.
  unsigned extension() {
    next_extension_ = next_extension_ == 255 ? kExtensions : next_extension_ + 1;
    return next_extension_;
  }
  // What a source would bring for one of the gaps.
  void fetch(std::uint8_t value) {
    const auto gaps = world_.gaps();
    if (gaps.empty()) return;
    const auto& gap = gaps[value % gaps.size()];
    if (const auto found = extensions_.find(gap.child.parent_hash); found != extensions_.end()) {
      world_.fetched(found->second);
      return;
    }
    for (unsigned branch = 0; branch < 4; ++branch) {
      const Block wanted = on_branch(gap.child.number - 1, branch);
      if (wanted.hash() != gap.child.parent_hash) continue;
      world_.fetched(wanted);
      return;
    }
  }
  void fail(std::size_t writes) {
    if (is_slow_)
      world_.fail_commits(writes);
    else
      world_.disk().fail_writes(writes);
  }
  void rotate(std::uint8_t signer) {
    fail(0);
    world_.rotate(signer);
  }
  void restart() {
    fail(0);
    world_.restart();
    if (world_.chain().eras().empty()) rotate(1);  // a crash came before the first one was stored
  }

  const std::uint64_t budget_;
  const bool is_slow_;
  static constexpr unsigned kExtensions = 16;
  unsigned next_extension_ = kExtensions;
  std::map<Hash, Block> extensions_;
  ChainOverStore world_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Run run(data[0]);
  for (std::size_t at = 1; at + 1 < size && at < 800; at += 2) run.step(data[at], data[at + 1]);
  run.end();
  return 0;
}
