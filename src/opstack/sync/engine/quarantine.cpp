#include "opstack/sync/engine/quarantine.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace opstack::sync {

bool Quarantine::insert(Quarantined entry, const std::vector<GapId>& urgent, std::vector<Key>& dropped) {
  const Key key{entry.gap, entry.block.number(), entry.block.hash()};
  if (blocks_.contains(key) || at(key.gap, key.number).size() >= kPerHeight) return false;
  const std::size_t size = entry.block.memory_bytes();
  if (!entry.proven) {
    if (unproven_ + 1 > std::max<std::size_t>(1, max_items_ / 4) || unproven_bytes_ + size > max_bytes_ / 4) {
      dropped.push_back(key);
      return false;
    }
    ++unproven_;
    unproven_bytes_ += size;
  }
  bytes_ += size;
  blocks_.emplace(key, std::move(entry));
  while (bytes_ > max_bytes_ || blocks_.size() > max_items_) {
    const auto gone = drop_one(urgent);
    OPP2P_ASSERT(gone, "a block in the quarantine is one of a gap", bytes_, blocks_);
    dropped.push_back(*gone);
  }
  OPP2P_ASSERT(bytes_ <= max_bytes_ && blocks_.size() <= max_items_, "the quarantine is bounded in bytes and items",
               bytes_, blocks_);
  return true;
}

std::optional<Quarantine::Key> Quarantine::drop_one(const std::vector<GapId>& urgent) {
  for (auto gap = urgent.rbegin(); gap != urgent.rend(); ++gap) {
    const auto lowest = blocks_.lower_bound(Key{*gap, 0, {}});
    if (lowest == blocks_.end() || lowest->first.gap != *gap) continue;
    const Key key = lowest->first;
    take(key);
    return key;
  }
  return std::nullopt;
}

const Quarantined* Quarantine::find(const Key& key) const {
  const auto found = blocks_.find(key);
  return found == blocks_.end() ? nullptr : &found->second;
}

std::optional<Quarantined> Quarantine::take(const Key& key) {
  const auto found = blocks_.find(key);
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
  blocks_.erase(found);
  return out;
}

bool Quarantine::contains(GapId gap, std::uint64_t number) const {
  const auto found = blocks_.lower_bound(Key{gap, number, {}});
  return found != blocks_.end() && found->first.gap == gap && found->first.number == number;
}

std::vector<Quarantine::Key> Quarantine::at(GapId gap, std::uint64_t number) const {
  std::vector<Key> out;
  for (auto block = blocks_.lower_bound(Key{gap, number, {}});
       block != blocks_.end() && block->first.gap == gap && block->first.number == number; ++block)
    out.push_back(block->first);
  return out;
}

std::vector<Quarantine::Key> Quarantine::of(GapId gap) const {
  std::vector<Key> out;
  for (auto block = blocks_.lower_bound(Key{gap, 0, {}}); block != blocks_.end() && block->first.gap == gap; ++block)
    out.push_back(block->first);
  return out;
}

void Quarantine::check() const {
  std::size_t bytes = 0, unproven = 0, unproven_bytes = 0;
  for (const auto& [key, entry] : blocks_) {
    OPP2P_CHECK(entry.gap == key.gap && entry.block.number() == key.number && entry.block.hash() == key.hash,
                "a block stands under its gap, number and hash", key.number);
    OPP2P_CHECK(at(key.gap, key.number).size() <= kPerHeight, "few blocks of a gap wait at one height", key.number);
    const std::size_t size = entry.block.memory_bytes();
    bytes += size;
    unproven += entry.proven ? 0 : 1;
    unproven_bytes += entry.proven ? 0 : size;
  }
  OPP2P_CHECK(bytes == bytes_ && bytes <= max_bytes_ && blocks_.size() <= max_items_,
              "the quarantine is bounded in bytes and items", bytes, bytes_, blocks_);
  OPP2P_CHECK(unproven == unproven_ && unproven <= std::max<std::size_t>(1, max_items_ / 4) &&
                  unproven_bytes == unproven_bytes_ && unproven_bytes <= max_bytes_ / 4,
              "unproven peers have a quarter of the quarantine", unproven, unproven_, unproven_bytes, unproven_bytes_);
}

}  // namespace opstack::sync
