// A script of blocks in any order on two forks, and rewinds. What must hold after each: what is appended is one chain
// of parents, the queue is above the head and within its bound, and the gap lies between the two.
#include <cstdlib>
#include <map>

#include "opstack/sync/engine/fuzz_chain_test.hpp"
#include "opstack/sync/engine/unsafe_chain.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace opstack::sync;
using namespace opstack::sync::fuzzing;
using libp2p::fuzzing::require;

constexpr std::size_t kMaxBytes = 20'000;

struct Machine {
  explicit Machine(bool anchored)
      : chain(config(), anchored ? std::nullopt : std::optional(block_at(10, 0, 0, 1).ref())) {
    if (!anchored) kept[10] = block_at(10, 0, 0, 1).ref();
  }
  static UnsafeChainConfig config() {
    UnsafeChainConfig out;
    out.max_bytes = kMaxBytes;
    return out;
  }

  void settle() {
    for (int actions = 0; auto action = chain.poll_action(); ++actions) {
      require(actions < 10'000);
      const auto* append = std::get_if<AppendBlock>(&*action);
      if (append == nullptr) continue;
      const BlockRef block = append->block.ref();
      if (!kept.empty())
        require(block.number == kept.rbegin()->first + 1 && block.parent_hash == kept.rbegin()->second.hash);
      kept[block.number] = block;
    }
    chain.check();
    require(chain.head().has_value() == !kept.empty());
    if (kept.empty()) return;
    require(chain.head()->hash == kept.rbegin()->second.hash);
    require(chain.queued_bytes() <= kMaxBytes && (chain.queued_bytes() == 0) == (chain.queued() == 0));
    const auto gap = chain.gap();
    require(gap && gap->start == *chain.head() && gap->end.has_value() == (chain.queued() > 0));
    if (gap->end) require(gap->end->number > gap->start.number + 1);
  }

  void step(std::uint8_t what, std::uint8_t value) {
    if (what % 16 == 15 && !kept.empty()) {
      const auto to = std::next(kept.begin(), value % static_cast<std::ptrdiff_t>(kept.size()));
      kept.erase(std::next(to), kept.end());
      chain.rewind(to->second);
    } else {
      const unsigned parent = what % 32 == 14 ? 1 : 0;
      (void)chain.on_block(peer, block_at(1 + value % 40, what % 8 == 7 ? 1 : 0, parent, 1 + what * 20U));
    }
    settle();
  }

  PeerId peer = PeerId::from_bytes(Bytes{0x00, 0x01, 0x07}).value();
  UnsafeChain chain;
  std::map<std::uint64_t, BlockRef> kept;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Machine machine(data[0] % 2 == 0);
  for (std::size_t at = 1; at + 1 < size && at < 4000; at += 2) machine.step(data[at], data[at + 1]);
  return 0;
}
