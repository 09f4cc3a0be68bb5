// The libp2p payload of Noise handshake messages: identity key, its signature over the static key, and extensions. A
// codec without state. Bounds: what is read is at most as long as its input, and at most kMaxMuxers and kMaxCerthashes
// entries are kept. Specification: noise, section "The libp2p Handshake Payload".
#pragma once

#include <string>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace libp2p::noise {

inline constexpr std::size_t kMaxMuxers = 16;
inline constexpr std::size_t kMaxCerthashes = 16;

struct Extensions {
  std::vector<Bytes> webtransport_certhashes;
  std::vector<std::string> stream_muxers;

  bool empty() const { return webtransport_certhashes.empty() && stream_muxers.empty(); }
  friend bool operator==(const Extensions&, const Extensions&) = default;
};

struct HandshakePayload {
  Bytes identity_key;        // a PublicKey message
  Bytes identity_signature;  // over "noise-libp2p-static-key:" and the static public key
  Extensions extensions;

  friend bool operator==(const HandshakePayload&, const HandshakePayload&) = default;
};

// Fields in the order of their numbers; the extensions are left out when there are none.
Bytes encode_payload(const HandshakePayload& payload);
// Errc::malformed for what is no protobuf message, exhausted for too many extension entries. Unknown fields are
// skipped.
Result<HandshakePayload> decode_payload(ByteView message);

}  // namespace libp2p::noise
