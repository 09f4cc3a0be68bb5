// The messages of the simulated network: data of any size that says which block it is, when it was made, by which of
// the chain's signers and for which fork, and whether it is valid; and what a node's rules make of it, by what the node
// believes of the chain. The tag stands for the sequencer's signature: hostile actors have no BlockMaker, and what they
// make up is rejected. Values; pure.
#pragma once

#include "libp2p/protocols/gossipsub/events.hpp"
#include "opstack/rules/reason.hpp"
#include "sim/gossip/names.hpp"

namespace opp2p::sim::gossip {

struct Block {
  std::uint64_t number = 0;
  UnixTime made{};
  std::uint8_t signer = 0;  // the chain's signers in the order of their rotation
  std::uint8_t fork = 0;    // the earliest fork whose rules it needs
};

// What a node goes by when it judges a block.
struct Beliefs {
  std::uint8_t signer = 0;
  std::optional<std::uint8_t> other_signer = std::nullopt;  // that is accepted too: op-node's grace
  std::uint8_t fork = 0xff;                                 // the newest that it knows
};

struct Judged {
  libp2p::gossipsub::ValidationResult verdict{};
  opstack::rules::Reason reason{};
};

inline constexpr std::size_t kLeastBlock = 64;
// op-node's bounds of a block's age.
inline constexpr Nanos kOldestBlock = Seconds(60);
inline constexpr Nanos kNewestBlock = Seconds(5);

class BlockMaker {
 public:
  explicit BlockMaker(std::uint64_t secret) : secret_(secret) {}

  // `size` bytes in all, kLeastBlock at least. The number is below 2^48.
  Bytes make(const Block& block, std::size_t size) const;
  // Nothing when the tag is not the sequencer's.
  std::optional<Block> read(ByteView data) const;
  // In op-node's order: the signature, the age, then the rules of forks.
  Judged judge(ByteView data, UnixTime now, const Beliefs& beliefs = {}) const;

 private:
  std::uint64_t tag_of(ByteView header, std::size_t size) const;
  std::uint64_t secret_;
};

// Looks like a block and is none: distinct for each `nonce`.
Bytes make_invalid_block(std::uint64_t nonce, std::size_t size);

}  // namespace opp2p::sim::gossip
