#include "opstack/sync/engine/quarantine.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace opstack::sync {

bool Quarantine::insert(Quarantined entry, std::vector<std::uint64_t>& dropped) {
  const std::uint64_t number = entry.block.number();
  if (blocks_.contains(number) || numbers_.contains(entry.block.hash())) return false;
  const std::size_t size = entry.block.memory_bytes();
  if (!entry.proven) {
    if (unproven_ + 1 > std::max<std::size_t>(1, max_items_ / 4) || unproven_bytes_ + size > max_bytes_ / 4) {
      dropped.push_back(number);
      return false;
    }
    ++unproven_;
    unproven_bytes_ += size;
  }
  bytes_ += size;
  numbers_.emplace(entry.block.hash(), number);
  blocks_.emplace(number, std::move(entry));
  while (bytes_ > max_bytes_ || blocks_.size() > max_items_) {
    const std::uint64_t highest = blocks_.rbegin()->first;
    take(highest);
    dropped.push_back(highest);
  }
  OPP2P_ASSERT(bytes_ <= max_bytes_ && blocks_.size() <= max_items_, "the quarantine is bounded in bytes and items",
               bytes_, blocks_);
  return true;
}

const Quarantined* Quarantine::at(std::uint64_t number) const {
  const auto found = blocks_.find(number);
  return found == blocks_.end() ? nullptr : &found->second;
}

std::optional<Quarantined> Quarantine::take(std::uint64_t number) {
  const auto found = blocks_.find(number);
  if (found == blocks_.end()) return std::nullopt;
  Quarantined out = std::move(found->second);
  const std::size_t size = out.block.memory_bytes();
  OPP2P_ASSERT(bytes_ >= size, "the quarantine counts the bytes of each block", bytes_, size);
  bytes_ -= size;
  if (!out.proven) {
    OPP2P_ASSERT(unproven_ > 0 && unproven_bytes_ >= size, "blocks of unproven peers are counted", unproven_,
                 unproven_bytes_, size);
    --unproven_;
    unproven_bytes_ -= size;
  }
  numbers_.erase(out.block.hash());
  blocks_.erase(found);
  return out;
}

void Quarantine::check() const {
  std::size_t bytes = 0, unproven = 0, unproven_bytes = 0;
  for (const auto& [number, entry] : blocks_) {
    const auto known = numbers_.find(entry.block.hash());
    OPP2P_CHECK(entry.block.number() == number && known != numbers_.end() && known->second == number,
                "a block is found by number and by hash", number);
    const std::size_t size = entry.block.memory_bytes();
    bytes += size;
    unproven += entry.proven ? 0 : 1;
    unproven_bytes += entry.proven ? 0 : size;
  }
  OPP2P_CHECK(numbers_.size() == blocks_.size(), "each block has one number", numbers_, blocks_);
  OPP2P_CHECK(bytes == bytes_ && bytes <= max_bytes_ && blocks_.size() <= max_items_,
              "the quarantine is bounded in bytes and items", bytes, bytes_, blocks_);
  OPP2P_CHECK(unproven == unproven_ && unproven <= std::max<std::size_t>(1, max_items_ / 4) &&
                  unproven_bytes == unproven_bytes_ && unproven_bytes <= max_bytes_ / 4,
              "unproven peers have a quarter of the quarantine", unproven, unproven_, unproven_bytes, unproven_bytes_);
}

void Quarantine::clear() {
  blocks_.clear();
  numbers_.clear();
  bytes_ = unproven_bytes_ = unproven_ = 0;
}

}  // namespace opstack::sync
