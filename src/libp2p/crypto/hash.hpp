// Digests and constructions on them: SHA-256, SHA-512, Keccak-256 (Ethereum's, not SHA-3), HMAC and HKDF. The functions
// hash one view. The classes take a message in parts.
#pragma once

#include <memory>

#include "libp2p/base/bytes.hpp"

namespace libp2p::crypto {

using Hash256 = ByteArray<32>;

Hash256 sha256(ByteView data);
ByteArray<64> sha512(ByteView data);
Hash256 keccak256(ByteView data);

// SHA-256 of a message that arrives in parts. The context is kept and reused after finish().
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  Sha256& update(ByteView data);
  Hash256 finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// Keccak-256 of a message that arrives in parts. A plain value: no allocation, may be copied midway.
class Keccak256 {
 public:
  static constexpr std::size_t kRate = 136;  // bytes that a permutation takes in

  Keccak256& update(ByteView data);
  Hash256 finish();

 private:
  friend struct KeccakLanes;
  void absorb_part(ByteView part);

  std::uint64_t state_[25] = {};
  std::size_t filled_ = 0;
};

Hash256 hmac_sha256(ByteView key, ByteView data);
// RFC 5869 with SHA-256: out.size() bytes, at most 255 * 32.
void hkdf_sha256(ByteView salt, ByteView input_key, ByteView info, MutableBytes out);

}  // namespace libp2p::crypto
