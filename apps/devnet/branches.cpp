#include "apps/devnet/branches.hpp"

#include <algorithm>

namespace opp2p::devnet {

using opstack::testing::ChainBuilder;

Branches::Branches(const ChainBuilder& genesis) : builders_{genesis} {
  tip_.hash = libp2p::to_hex0x(genesis.head().payload.block_hash);
}

void Branches::add(const ChainBuilder& after) {
  const auto& block = after.head().payload;
  const auto hash = libp2p::to_hex0x(block.block_hash);
  const std::lock_guard lock(mutex_);
  made_[hash] = {block.block_number, libp2p::to_hex0x(block.parent_hash)};
  builders_.push_back(after);
  if (builders_.size() > kBuilders) builders_.pop_front();
  if (block.block_number > tip_.number) tip_ = {block.block_number, hash};
}

std::optional<ChainBuilder> Branches::builder_below_tip(std::uint64_t lower) const {
  const std::lock_guard lock(mutex_);
  auto hash = tip_.hash;
  for (; lower > 0; --lower) {
    const auto at = made_.find(hash);
    if (at == made_.end()) return std::nullopt;
    hash = at->second.parent;
  }
  const auto kept = std::find_if(builders_.begin(), builders_.end(), [&](const ChainBuilder& builder) {
    return libp2p::to_hex0x(builder.head().payload.block_hash) == hash;
  });
  return kept == builders_.end() ? std::nullopt : std::optional(*kept);
}

BlockId Branches::tip() const {
  const std::lock_guard lock(mutex_);
  return tip_;
}

std::vector<std::string> Branches::chain() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (auto at = made_.find(tip_.hash); at != made_.end(); at = made_.find(at->second.parent)) out.push_back(at->first);
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace opp2p::devnet
