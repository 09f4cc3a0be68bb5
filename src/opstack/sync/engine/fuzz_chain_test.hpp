// Blocks and peers of fuzz scripts: a block is known by its number and its fork, whatever else it says.
#pragma once

#include "opstack/sync/engine/names.hpp"

namespace opstack::sync::fuzzing {

inline Hash hash_of(std::uint64_t number, unsigned fork) {
  Hash hash{};
  libp2p::store_le64(hash.data(), number);
  hash[31] = static_cast<std::uint8_t>(fork);
  return hash;
}

// `size`: bytes of its body, which say nothing.
inline Block block_at(std::uint64_t number, unsigned fork, unsigned parent_fork, std::size_t size) {
  payload::Envelope envelope;
  envelope.payload.block_number = number;
  envelope.payload.block_hash = hash_of(number, fork);
  envelope.payload.parent_hash = hash_of(number - 1, parent_fork);
  return Block(payload::Version::v1, std::make_shared<const payload::Envelope>(std::move(envelope)),
               libp2p::share(libp2p::Bytes(size, 0)));
}

inline libp2p::PeerId peer_named(std::uint8_t n) {
  return libp2p::PeerId::from_bytes(libp2p::Bytes{0x00, 0x01, n}).value();
}

}  // namespace opstack::sync::fuzzing
