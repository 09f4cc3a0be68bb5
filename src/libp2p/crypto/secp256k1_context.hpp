// The one libsecp256k1 context of the process: immutable after its construction, shared by all threads. For the sources
// of this folder only; others use libp2p/crypto/secp256k1.hpp.
#pragma once

struct secp256k1_context_struct;

namespace libp2p::crypto::secp256k1 {

const secp256k1_context_struct* context();

}  // namespace libp2p::crypto::secp256k1
