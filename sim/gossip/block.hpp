// The messages of the simulated network: data of any size that says which block it is, when it was made, and whether it
// is valid; and what a node's rules make of it. The tag stands for the sequencer's signature: hostile actors have no
// BlockMaker, and what they make up is rejected. Values; pure.
#pragma once

#include "libp2p/protocols/gossipsub/events.hpp"
#include "sim/gossip/names.hpp"

namespace opp2p::sim::gossip {

struct Block {
  std::uint64_t number = 0;
  UnixTime made{};
};

inline constexpr std::size_t kLeastBlock = 64;
// op-node's bounds of a block's age.
inline constexpr Nanos kOldestBlock = Seconds(60);
inline constexpr Nanos kNewestBlock = Seconds(5);

class BlockMaker {
 public:
  explicit BlockMaker(std::uint64_t secret) : secret_(secret) {}

  // `size` bytes in all, kLeastBlock at least.
  Bytes make(std::uint64_t number, UnixTime made, std::size_t size) const;
  // Nothing when the tag is not the sequencer's.
  std::optional<Block> read(ByteView data) const;
  libp2p::gossipsub::ValidationResult judge(ByteView data, UnixTime now) const;

 private:
  std::uint64_t tag_of(ByteView header, std::size_t size) const;
  std::uint64_t secret_;
};

// Looks like a block and is none: distinct for each `nonce`.
Bytes make_invalid_block(std::uint64_t nonce, std::size_t size);

}  // namespace opp2p::sim::gossip
