#include "libp2p/multiformats/peer_id.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/crypto/hash.hpp"
#include "libp2p/multiformats/multibase.hpp"
#include "libp2p/multiformats/multihash.hpp"
#include "libp2p/multiformats/varint.hpp"

namespace libp2p::multiformats {
namespace {

constexpr std::size_t kMaxInlineKey = PeerId::kMaxSize - 2;
constexpr std::uint64_t kCidVersion = 1;
constexpr std::uint64_t kLibp2pKeyCodec = 0x72;
// Longer texts cannot be a peer id in any base (base 2 of the longest takes 369 characters).
constexpr std::size_t kMaxText = 512;

constexpr auto code_of(HashCode code) { return static_cast<std::uint64_t>(code); }

}  // namespace

PeerId::PeerId(ByteView multihash) : size_(static_cast<std::uint8_t>(multihash.size())) {
  OPP2P_ASSERT(multihash.size() <= kMaxSize, "a peer id is never longer than an inlined key makes it", multihash);
  std::copy(multihash.begin(), multihash.end(), multihash_.begin());
}

PeerId PeerId::from_public_key(const crypto::PublicKey& key) {
  const auto message = key.to_protobuf();
  if (message.size() <= kMaxInlineKey) return PeerId(encode_multihash(code_of(HashCode::identity), message));
  return PeerId(encode_multihash(code_of(HashCode::sha2_256), crypto::sha256(message)));
}

Result<PeerId> PeerId::from_bytes(ByteView multihash) {
  // Before the digest is copied: no peer id is longer than the two bytes of head and an inlined key.
  if (multihash.size() > kMaxSize)
    return fail(Errc::malformed, "a peer id has at most 44 bytes, not " + std::to_string(multihash.size()));
  OPP2P_TRY(const auto parts, decode_multihash(multihash));
  if (parts.code == code_of(HashCode::sha2_256) ? parts.digest.size() != 32 : parts.code != code_of(HashCode::identity))
    return fail(Errc::malformed, "a peer id is an identity or a sha2-256 multihash, not code " +
                                     std::to_string(parts.code) + " with " + std::to_string(parts.digest.size()) +
                                     " bytes");
  return PeerId(multihash);
}

Result<Bytes> multihash_from_peer_text(std::string_view text) {
  // As the reference: what begins so is a bare multihash, anything else must name its base.
  if (text.starts_with("Qm") || text.starts_with('1')) return from_base58(text);
  OPP2P_TRY(const auto decoded, decode_multibase(text));
  const ByteView cid = decoded.bytes;
  OPP2P_TRY(const auto version, read_varint(cid));
  if (version.value != kCidVersion) return fail(Errc::unsupported, "peer id is no CID of version 1");
  OPP2P_TRY(const auto codec, read_varint(cid.subspan(version.size)));
  if (codec.value != kLibp2pKeyCodec)
    return fail(Errc::unsupported,
                "CID has the codec " + std::to_string(codec.value) + ", a peer id has libp2p-key (114)");
  return to_bytes(cid.subspan(version.size + codec.size));
}

Result<PeerId> PeerId::from_text(std::string_view text) {
  if (text.size() > kMaxText) return fail(Errc::too_large, "peer id has more than 512 characters");
  OPP2P_TRY(const auto multihash, multihash_from_peer_text(text));
  return from_bytes(multihash);
}

std::string PeerId::to_base58() const { return multiformats::to_base58(bytes()); }

std::string PeerId::to_cid() const {
  Bytes cid;
  append_varint(cid, kCidVersion);
  append_varint(cid, kLibp2pKeyCodec);
  append(cid, bytes());
  return encode_multibase(Base::base32, cid);
}

std::optional<crypto::PublicKey> PeerId::public_key() const {
  if (empty() || multihash_[0] != 0) return std::nullopt;
  auto key = crypto::PublicKey::from_protobuf(bytes().subspan(2));
  if (!key) return std::nullopt;
  return std::move(*key);
}

bool PeerId::matches(const crypto::PublicKey& key) const { return !empty() && *this == from_public_key(key); }

}  // namespace libp2p::multiformats
