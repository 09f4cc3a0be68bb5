// The blocks that the producers of a devnet have published, on all branches, and the builders that go on from the last
// of them. Which branch counts follows the rule of the nodes: the highest tip, and of equal ones the first.
// Owner: the stage. Thread: any. Bounds: the ids of all blocks; builders after the last kBuilders blocks.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "apps/devnet/node_row.hpp"
#include "opstack/testing/chain_builder.hpp"

namespace opp2p::devnet {

class Branches {
 public:
  static constexpr std::size_t kBuilders = 8;

  explicit Branches(const opstack::testing::ChainBuilder& genesis);

  // A block was published; `after` has it as its head.
  void add(const opstack::testing::ChainBuilder& after);
  // A builder whose head is `lower` blocks below the tip. Nothing when it is no longer kept.
  std::optional<opstack::testing::ChainBuilder> builder_below_tip(std::uint64_t lower) const;

  BlockId tip() const;
  // The hashes of the tip's branch, from block 1 on.
  std::vector<std::string> chain() const;

 private:
  struct Made {
    std::uint64_t number = 0;
    std::string parent;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Made> made_;  // by hash, without genesis
  std::deque<opstack::testing::ChainBuilder> builders_;
  BlockId tip_;
};

}  // namespace opp2p::devnet
