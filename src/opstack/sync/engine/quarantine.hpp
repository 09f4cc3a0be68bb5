// Blocks that came from peers and that nothing vouches for yet: a trusted child has not been seen. Held by number, one
// a height, and by hash.
//
// Owner: SyncScheduler. Thread: its. Bounds: bytes (Block::memory_bytes) and items; on overflow the highest number
// goes, be it the one that was just put in, because what lies lowest is what the chain needs last to be fetched again.
// Blocks of unproven peers have a quarter of both: beyond it such a block is not taken, so that strangers cannot push
// out what proven peers sent.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "opstack/sync/engine/sync_events.hpp"

namespace opstack::sync {

struct Quarantined {
  PeerId peer;
  SegmentId segment = 0;  // for which range it was asked
  Block block;
  std::string broken_rule;  // Answer::broken_rule
  bool proven = true;       // the peer was, when the block came
};

class Quarantine {
 public:
  Quarantine(std::size_t max_bytes, std::size_t max_items) : max_bytes_(max_bytes), max_items_(max_items) {}

  // False when a block of that number or that hash is there already (the first is kept), or there is no room for one of
  // an unproven peer. `dropped` gets the numbers that had to go.
  bool insert(Quarantined entry, std::vector<std::uint64_t>& dropped);
  const Quarantined* at(std::uint64_t number) const;
  bool contains(const Hash& hash) const { return numbers_.contains(hash); }
  std::optional<Quarantined> take(std::uint64_t number);
  void clear();

  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return blocks_.size(); }
  void check() const;

 private:
  std::size_t max_bytes_;
  std::size_t max_items_;
  std::size_t bytes_ = 0;
  std::size_t unproven_bytes_ = 0;
  std::size_t unproven_ = 0;
  std::map<std::uint64_t, Quarantined> blocks_;
  std::map<Hash, std::uint64_t> numbers_;
};

}  // namespace opstack::sync
