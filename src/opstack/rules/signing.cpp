#include "opstack/rules/signing.hpp"

namespace opstack::rules {

Hash payload_hash(ByteView body) { return libp2p::crypto::keccak256(body); }

Hash signing_hash(const chain::ChainId& chain_id, const Hash& payload_hash, const Hash& domain) {
  return libp2p::crypto::Keccak256().update(domain).update(chain_id.big_endian()).update(payload_hash).finish();
}

Signature sign_body(const Secret& secret, const chain::ChainId& chain_id, ByteView body) {
  return libp2p::crypto::secp256k1::sign(secret, signing_hash(chain_id, payload_hash(body)));
}

Result<Address> recover_signer(const chain::ChainId& chain_id, ByteView body, ByteView signature65) {
  return libp2p::crypto::secp256k1::recover_address(signing_hash(chain_id, payload_hash(body)), signature65);
}

}  // namespace opstack::rules
