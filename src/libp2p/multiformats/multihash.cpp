#include "libp2p/multiformats/multihash.hpp"

#include "libp2p/crypto/hash.hpp"
#include "libp2p/multiformats/varint.hpp"

namespace libp2p::multiformats {

Result<Multihash> decode_multihash(ByteView in) {
  OPP2P_TRY(const auto code, read_varint(in));
  OPP2P_TRY(const auto length, read_varint(in.subspan(code.size)));
  const std::size_t header = code.size + length.size;
  const auto digest = in.subspan(header);
  if (length.value > digest.size())
    return Error::at(header, Errc::truncated,
                     "multihash says " + std::to_string(length.value) + " bytes of digest, " +
                         std::to_string(digest.size()) + " are there");
  if (length.value < digest.size())
    return Error::at(header + length.value, Errc::malformed, "bytes after the end of a multihash");
  return Multihash{code.value, to_bytes(digest)};
}

Bytes encode_multihash(std::uint64_t code, ByteView digest) {
  Bytes out;
  out.reserve(varint_size(code) + varint_size(digest.size()) + digest.size());
  append_varint(out, code);
  append_varint(out, digest.size());
  append(out, digest);
  return out;
}

Result<Bytes> multihash_of(std::uint64_t code, ByteView data) {
  switch (static_cast<HashCode>(code)) {
    case HashCode::identity: return encode_multihash(code, data);
    case HashCode::sha2_256: return encode_multihash(code, crypto::sha256(data));
    case HashCode::sha2_512: return encode_multihash(code, crypto::sha512(data));
    case HashCode::keccak_256: return encode_multihash(code, crypto::keccak256(data));
  }
  return fail(Errc::unsupported, "no hash function here has the multihash code " + std::to_string(code));
}

}  // namespace libp2p::multiformats
