// The one message of plaintext 2.0: a peer's id and its public key. A codec without state; any thread. Bounds: what is
// read is at most as long as its input; the framed message is bounded by kMaxExchange. Specification: plaintext,
// sections "Messages" and "Message Framing".
#pragma once

#include <string_view>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/crypto/keys.hpp"

namespace libp2p::plaintext {

inline constexpr std::string_view kProtocolId = "/plaintext/2.0.0";
// Far above what an honest peer sends (an RSA key of 8,192 bits takes 1.1 KiB), far below the 64 KiB that go-libp2p
// takes.
inline constexpr std::size_t kMaxExchange = 8192;

struct Exchange {
  Bytes id;          // a binary multihash
  Bytes public_key;  // a PublicKey message

  friend bool operator==(const Exchange&, const Exchange&) = default;
};

// Fields in the order of their numbers, both present.
Bytes encode_exchange(const Exchange& exchange);
// Errc::malformed for what is no protobuf message. Unknown fields are skipped. Neither the id nor the key is checked;
// one that is missing is empty.
Result<Exchange> decode_exchange(ByteView message);

// What the owner of a key sends: the message with its length in front.
Bytes framed_exchange(const crypto::PublicKey& key);

}  // namespace libp2p::plaintext
