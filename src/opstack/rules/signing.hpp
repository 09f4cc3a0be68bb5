// The sequencer's signature over a block: what is signed, signing and recovering. Pure; safe on any thread.
// Source: op-node surface, 5.3; specs/protocol/rollup-node-p2p.md, "Block signatures".
#pragma once

#include <tuple>

#include "libp2p/crypto/secp256k1.hpp"
#include "opstack/chain/chain_id.hpp"
#include "opstack/payload/payload.hpp"

namespace opstack::rules {

using libp2p::ByteView;
using libp2p::Result;
using libp2p::crypto::secp256k1::Address;
using libp2p::crypto::secp256k1::Secret;
using libp2p::crypto::secp256k1::Signature;
using payload::Hash;

// A message has them before its body.
inline constexpr std::size_t kSignatureSize = std::tuple_size_v<Signature>;

// Blocks are the zero domain.
inline constexpr Hash kBlockDomain{};

// keccak256 of the body as it is sent (decompressed, without its signature).
Hash payload_hash(ByteView body);
// keccak256(domain || chain id, 32 bytes big-endian || payload hash)
Hash signing_hash(const chain::ChainId& chain_id, const Hash& payload_hash, const Hash& domain = kBlockDomain);

Signature sign_body(const Secret& secret, const chain::ChainId& chain_id, ByteView body);
// Whose signature it is. Errc::malformed when nobody's; there is no rule against a high s (op-node surface, 5.3).
Result<Address> recover_signer(const chain::ChainId& chain_id, ByteView body, ByteView signature65);

}  // namespace opstack::rules
