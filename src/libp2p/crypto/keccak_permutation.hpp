// Keccak-f[1600] (FIPS 202, section 3) on one state of 25 words, in place, and absorbing with the rate of Keccak-256.
// Pure; thread: any.
#pragma once

#include "libp2p/crypto/hash.hpp"

namespace libp2p::crypto::keccak {

// Takes in `blocks` blocks of Keccak256::kRate bytes each: the quickest that this processor has.
void absorb_blocks(std::uint64_t* state, const std::uint8_t* data, std::size_t blocks);
void permute_state(std::uint64_t* state);
// Those for every processor, which the others must agree with.
void absorb_blocks_portably(std::uint64_t* state, const std::uint8_t* data, std::size_t blocks);
void permute_state_portably(std::uint64_t* state);

}  // namespace libp2p::crypto::keccak
