// A peer id: the multihash of a peer's public key (specification peer-ids). A key of up to 42 bytes in protobuf form is
// contained in the id (identity multihash); of a longer key the id contains the SHA-256. A value of 45 bytes that
// allocates nothing; ordered and hashable. The empty id means "unknown".
#pragma once

#include <algorithm>
#include <compare>
#include <cstring>
#include <functional>
#include <optional>
#include <string>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/crypto/keys.hpp"

namespace libp2p::multiformats {

class PeerId {
 public:
  // Two bytes of head, and a key that the id contains.
  static constexpr std::size_t kMaxSize = 44;

  PeerId() = default;
  static PeerId from_public_key(const crypto::PublicKey& key);
  // Binary multihash, identity (any length up to 42 as the reference) or sha2-256 (32).
  static Result<PeerId> from_bytes(ByteView multihash);
  // "16Uiu2…", "12D3Koo…", "Qm…" (base58btc multihash) or a CIDv1 with the libp2p-key codec in any multibase.
  static Result<PeerId> from_text(std::string_view text);

  ByteView bytes() const { return {multihash_.data(), size_}; }
  std::string to_base58() const;
  std::string to_cid() const;  // CIDv1, libp2p-key, base32
  bool empty() const { return size_ == 0; }
  // The key itself when the id holds it whole.
  std::optional<crypto::PublicKey> public_key() const;
  bool matches(const crypto::PublicKey& key) const;

  // By the bytes, and of two that begin alike the shorter one first: zeros fill up the array, so all of it can be
  // compared.
  friend bool operator==(const PeerId& a, const PeerId& b) {
    std::uint64_t difference = a.size_ ^ b.size_;
    for (std::size_t at = 0; at < kWords; ++at) difference |= a.word(at) ^ b.word(at);
    return difference == 0;
  }
  friend std::strong_ordering operator<=>(const PeerId& a, const PeerId& b) {
    const int order = std::memcmp(a.multihash_.data(), b.multihash_.data(), kMaxSize);
    return order != 0 ? order <=> 0 : a.size_ <=> b.size_;
  }
  std::size_t hash() const { return std::hash<std::string_view>{}(as_text(bytes())); }

 private:
  friend struct PeerIdHash;
  static constexpr std::size_t kWords = (kMaxSize + 7) / 8;

  explicit PeerId(ByteView multihash);
  // The last one overlaps the one before it.
  std::uint64_t word(std::size_t number) const {
    std::uint64_t word = 0;
    std::memcpy(&word, multihash_.data() + std::min(8 * number, kMaxSize - sizeof word), sizeof word);
    return word;
  }

  ByteArray<kMaxSize> multihash_{};  // zero beyond size_
  std::uint8_t size_ = 0;
};

// Hash of a table whose keys come from the network: the secret keeps a peer from choosing where its id lands.
struct PeerIdHash {
  std::uint64_t secret = 0;

  std::size_t operator()(const PeerId& id) const {
    std::uint64_t mixed = secret ^ id.size_;
    for (std::size_t at = 0; at < PeerId::kWords; ++at) {
      mixed = (mixed ^ id.word(at)) * 0x9e3779b97f4a7c15ULL;
      mixed ^= mixed >> 32;
    }
    return static_cast<std::size_t>(mixed);
  }
};

// The multihash that a peer id's text holds, not yet checked to be a peer id's.
Result<Bytes> multihash_from_peer_text(std::string_view text);

}  // namespace libp2p::multiformats

namespace libp2p {
using multiformats::PeerId;
using multiformats::PeerIdHash;
}  // namespace libp2p

template <>
struct std::hash<libp2p::PeerId> {
  std::size_t operator()(const libp2p::PeerId& id) const noexcept { return id.hash(); }
};
