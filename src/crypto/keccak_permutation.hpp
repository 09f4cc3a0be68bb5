// Keccak-f[1600] (FIPS 202, section 3) on one state of 25 words, in place. Pure; thread: any.
#pragma once

#include <cstdint>

namespace libp2p::crypto::keccak {

// The quickest that this processor has.
void permute_state(std::uint64_t* state);
// The one for every processor, which the other must agree with.
void permute_state_portably(std::uint64_t* state);

}  // namespace libp2p::crypto::keccak
