// Accounts of one bounded pool that strangers fill: how much each holder has of it, and each block of addresses. The
// bound of the whole then falls on whoever fills it and not on whoever comes next: a holder, and all holders behind one
// block of addresses together, have a share that they cannot exceed; and when the pool is full, the largest holder can
// be found and made to go. It counts; the owner decides who goes. An amount is bytes or items, as the owner likes.
//
// Owner: whoever owns the pool. Thread: its. Bounds: a row for each holder that has something. Key is ordered, so that
// iteration is the same in every run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/bytes.hpp"

namespace libp2p {

// The blocks of addresses that one party can be expected to own whole: narrow is an IPv4 address (/32) or a /56 of
// IPv6, wide a /48 of IPv6 and empty for IPv4. libp2p/multiformats/address_blocks.hpp makes them.
struct AddressBlocks {
  Bytes narrow;
  Bytes wide;

  // Has no share, so that no share bounds it: loopback, exempt addresses, the memory transport, a party within the
  // program.
  static AddressBlocks exempt() { return {}; }
  // Of whoever has no known address: one block, of a length that no other has, which all of them share.
  static AddressBlocks unknown() { return {Bytes{0}, {}}; }
  bool is_exempt() const { return narrow.empty(); }
  friend bool operator==(const AddressBlocks&, const AddressBlocks&) = default;
};

// The order of blocks in tables. As text, because g++ 12 warns of the comparison of byte vectors.
struct BlockOrder {
  bool operator()(const Bytes& a, const Bytes& b) const { return as_text(a) < as_text(b); }
};

struct ShareLimits {
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  std::size_t total = kNone;
  std::size_t holder = kNone;
  std::size_t narrow = kNone;  // all holders of one narrow block of addresses
  std::size_t wide = kNone;    // all holders of one wide block
};

// Which limit an amount would exceed, the narrowest first.
enum class ShareFull : std::uint8_t { none, holder, narrow, wide, total };

template <class Key>
class SharePool {
 public:
  struct Holding {
    std::size_t amount = 0;
    AddressBlocks blocks;
  };

  explicit SharePool(ShareLimits limits) : limits_(limits) {}

  // What stands against `amount` more for the holder; ShareFull::none when it may be taken.
  ShareFull check(const Key& holder, const AddressBlocks& blocks, std::size_t amount) const {
    if (exceeds(held(holder), amount, limits_.holder)) return ShareFull::holder;
    if (!blocks.narrow.empty() && exceeds(held_by(blocks.narrow), amount, limits_.narrow)) return ShareFull::narrow;
    if (!blocks.wide.empty() && exceeds(held_by(blocks.wide), amount, limits_.wide)) return ShareFull::wide;
    if (exceeds(used_, amount, limits_.total)) return ShareFull::total;
    return ShareFull::none;
  }

  // Counts `amount` as the holder's, whatever the limits say. A holder keeps the blocks that it came with for as long
  // as it holds anything.
  void take(const Key& holder, const AddressBlocks& blocks, std::size_t amount) {
    if (amount == 0) return;
    OPP2P_ASSERT(amount <= ShareLimits::kNone - used_, "what a pool holds can be counted", amount, used_);
    auto at = holders_.find(holder);
    if (at == holders_.end()) at = holders_.emplace(holder, Holding{0, blocks}).first;
    Holding& holding = at->second;
    holding.amount += amount;
    used_ += amount;
    for (const Bytes* block : {&holding.blocks.narrow, &holding.blocks.wide}) {
      if (!block->empty()) by_block_[*block] += amount;
    }
  }

  // Takes it when no limit stands against it.
  ShareFull try_take(const Key& holder, const AddressBlocks& blocks, std::size_t amount) {
    const ShareFull full = check(holder, blocks, amount);
    if (full == ShareFull::none) take(holder, blocks, amount);
    return full;
  }

  // Gives back at most what the holder has.
  void give(const Key& holder, std::size_t amount) {
    const auto found = holders_.find(holder);
    if (found == holders_.end()) return;
    Holding& holding = found->second;
    amount = std::min(amount, holding.amount);
    OPP2P_ASSERT(amount <= used_, "a pool holds what its holders have", amount, used_);
    for (const Bytes* block : {&holding.blocks.narrow, &holding.blocks.wide}) {
      if (block->empty()) continue;
      const auto of_block = by_block_.find(*block);
      OPP2P_ASSERT(of_block != by_block_.end() && of_block->second >= amount,
                   "a block of addresses has what its holders have", *block, amount);
      if ((of_block->second -= amount) == 0) by_block_.erase(of_block);
    }
    used_ -= amount;
    if ((holding.amount -= amount) == 0) holders_.erase(found);
  }
  void give_all(const Key& holder) { give(holder, held(holder)); }

  std::size_t used() const { return used_; }
  std::size_t held(const Key& holder) const {
    const auto found = holders_.find(holder);
    return found == holders_.end() ? 0 : found->second.amount;
  }
  std::size_t held_by(const Bytes& block) const {
    const auto found = by_block_.find(block);
    return found == by_block_.end() ? 0 : found->second;
  }
  // Those that hold something, in the order of their keys.
  const std::map<Key, Holding>& holders() const { return holders_; }
  const ShareLimits& limits() const { return limits_; }

  // take() exceeds any limit, so the limits are for the owner to check.
  void check() const {
    std::size_t used = 0;
    std::map<Bytes, std::size_t, BlockOrder> by_block;
    for (const auto& [holder, holding] : holders_) {
      OPP2P_CHECK(holding.amount > 0, "a pool has rows only for those that hold something", holders_);
      OPP2P_CHECK(holding.blocks.wide.empty() ||
                      (!holding.blocks.narrow.empty() && holding.blocks.narrow.size() != holding.blocks.wide.size()),
                  "a wide block of addresses has narrow ones inside, of another length", holding.blocks.narrow,
                  holding.blocks.wide);
      used += holding.amount;
      for (const Bytes* block : {&holding.blocks.narrow, &holding.blocks.wide}) {
        if (!block->empty()) by_block[*block] += holding.amount;
      }
    }
    OPP2P_CHECK(used == used_, "a pool holds what its holders have", used, used_);
    OPP2P_CHECK(by_block == by_block_, "each block of addresses has what its holders have", by_block, by_block_);
  }

 private:
  static bool exceeds(std::size_t held, std::size_t more, std::size_t limit) {
    return limit != ShareLimits::kNone && (more > limit || held > limit - more);
  }

  ShareLimits limits_;
  std::size_t used_ = 0;
  std::map<Key, Holding> holders_;
  std::map<Bytes, std::size_t, BlockOrder> by_block_;  // narrow and wide ones differ in length, so they share the table
};

}  // namespace libp2p
