#include "opstack/sync/engine/quarantine.hpp"

#include <algorithm>

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
  bytes_ -= size;
  if (!out.proven) {
    --unproven_;
    unproven_bytes_ -= size;
  }
  numbers_.erase(out.block.hash());
  blocks_.erase(found);
  return out;
}

void Quarantine::clear() {
  blocks_.clear();
  numbers_.clear();
  bytes_ = unproven_bytes_ = unproven_ = 0;
}

}  // namespace opstack::sync
