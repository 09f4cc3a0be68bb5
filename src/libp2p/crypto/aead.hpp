// ChaCha20-Poly1305 (RFC 8439) with one key. The cipher context is kept between messages. Nonces have the form of the
// Noise protocol: 32 zero bits, then a 64-bit little-endian counter (Noise, sections 5.1 and 12.3).
#pragma once

#include <memory>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace libp2p::crypto {

class ChaCha20Poly1305 {
 public:
  static constexpr std::size_t kKeySize = 32;
  static constexpr std::size_t kTagSize = 16;

  explicit ChaCha20Poly1305(const ByteArray<kKeySize>& key);
  ~ChaCha20Poly1305();
  ChaCha20Poly1305(ChaCha20Poly1305&&) noexcept;
  ChaCha20Poly1305& operator=(ChaCha20Poly1305&&) noexcept;

  // Encrypts `plain` into `out` and puts the tag behind it: out must hold plain.size() + 16 bytes. `out` may begin
  // where `plain` does (in place) but may not overlap it otherwise.
  void seal(std::uint64_t nonce, ByteView associated, ByteView plain, MutableBytes out);

  // Decrypts `sealed` (cipher text and tag) into `out`, which must hold sealed.size() - 16 bytes and may begin where
  // `sealed` does. A wrong tag is Errc::mismatch; `out` is then undefined. Returns the number of plain bytes.
  Result<std::size_t> open(std::uint64_t nonce, ByteView associated, ByteView sealed, MutableBytes out);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace libp2p::crypto
