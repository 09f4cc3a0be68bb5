// Multihash: <code varint> <length varint> <digest>.
#pragma once

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace libp2p::multiformats {

enum class HashCode : std::uint64_t { identity = 0x00, sha2_256 = 0x12, sha2_512 = 0x13, keccak_256 = 0x1b };

struct Multihash {
  std::uint64_t code;
  Bytes digest;
};

// The whole view must be one multihash. Any code is read; the length must match.
Result<Multihash> decode_multihash(ByteView in);
Bytes encode_multihash(std::uint64_t code, ByteView digest);
// Hashes `data` with one of HashCode; Errc::unsupported for others.
Result<Bytes> multihash_of(std::uint64_t code, ByteView data);

}  // namespace libp2p::multiformats
