// secp256k1 as Ethereum and the OP Stack use it: 65-byte recoverable signatures over 32-byte digests, addresses, and
// the public key forms of 33 (compressed) and 65 (uncompressed) bytes. libp2p's DER signatures are in
// libp2p/crypto/keys.hpp.
#pragma once

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/rng.hpp"
#include "libp2p/crypto/hash.hpp"

namespace libp2p::crypto::secp256k1 {

using Secret = ByteArray<32>;
using Compressed = ByteArray<33>;
using Uncompressed = ByteArray<65>;
using Address = ByteArray<20>;
// r (32) s (32) v (1), v being the recovery id 0..3.
using Signature = ByteArray<65>;

// Errc::malformed for zero or a value not below the order of the group.
Result<Secret> parse_secret(ByteView raw);
Secret generate(Rng& rng);
Compressed public_key(const Secret& secret);
// From 33 or 65 bytes.
Result<Uncompressed> decompress(ByteView public_key);
Result<Compressed> compress(ByteView public_key);
// Last 20 bytes of keccak256 of the uncompressed key without its 0x04.
Address address(const Uncompressed& public_key);
Address address_of(const Secret& secret);

// RFC 6979 deterministic, low s, v in {0,1}.
Signature sign(const Secret& secret, const Hash256& digest);
// As geth's crypto.Ecrecover: high s is accepted, recovery ids 0..3, more is Errc::malformed.
Result<Uncompressed> recover(const Hash256& digest, ByteView signature65);
Result<Address> recover_address(const Hash256& digest, ByteView signature65);

}  // namespace libp2p::crypto::secp256k1
