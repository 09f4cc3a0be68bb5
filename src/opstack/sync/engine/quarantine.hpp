// Blocks that came from peers and that nothing vouches for yet: the block above them has not come. Each stands under
// the gap that it was asked for, its number and its hash. Of one gap at most kPerHeight blocks wait at a height, so
// over all gaps as many branches can wait there as there are gaps.
//
// Owner: SyncScheduler. Thread: its. Bounds: bytes (Block::memory_bytes) and items. On overflow the lowest block of the
// least urgent gap goes, be it the one that was just put in: gaps fill from the top downwards, so that it is needed
// last. Blocks of unproven peers have a quarter of both: beyond it such a block is not taken, so that strangers cannot
// push out what proven peers sent.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <vector>

#include "opstack/sync/engine/sync_events.hpp"

namespace opstack::sync {

struct Quarantined {
  PeerId peer;
  GapId gap = 0;  // for which it was asked, or which wants it since
  Block block;
  std::string broken_rule;  // as in Answer
  std::string wrong_time;
  bool proven = true;  // the peer was, when the block came
};

class Quarantine {
 public:
  static constexpr std::size_t kPerHeight = 2;  // of one gap

  struct Key {
    GapId gap = 0;
    std::uint64_t number = 0;
    Hash hash{};
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  Quarantine(std::size_t max_bytes, std::size_t max_items) : max_bytes_(max_bytes), max_items_(max_items) {}

  // False when the gap has that block already (the first one is kept), or kPerHeight of that number, or there is no
  // room for one of an unproven peer. `urgent` are the gaps, the most urgent first. `dropped` gets the blocks that had
  // to go; the new one, where it is not taken for want of room.
  bool insert(Quarantined entry, const std::vector<GapId>& urgent, std::vector<Key>& dropped);
  // Drops the lowest block of the least urgent gap that has one.
  std::optional<Key> drop_one(const std::vector<GapId>& urgent);
  const Quarantined* find(const Key& key) const;
  std::optional<Quarantined> take(const Key& key);
  // Whether a block of that number waits for the gap, and all blocks that do: of a number, of all numbers.
  bool contains(GapId gap, std::uint64_t number) const;
  std::vector<Key> at(GapId gap, std::uint64_t number) const;
  std::vector<Key> of(GapId gap) const;

  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return blocks_.size(); }
  const std::map<Key, Quarantined>& blocks() const { return blocks_; }
  void check() const;

 private:
  std::size_t max_bytes_;
  std::size_t max_items_;
  std::size_t bytes_ = 0;
  std::size_t unproven_bytes_ = 0;
  std::size_t unproven_ = 0;
  std::map<Key, Quarantined> blocks_;
};

}  // namespace opstack::sync
