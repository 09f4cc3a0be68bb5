// The handshake of plaintext 2.0: both sides send an Exchange message at once and check the other's. It proves nothing:
// a peer may name any identity whose public key it knows, and nothing that follows is protected. A pure engine: bytes
// in, bytes out; owned by one connection until it is established. Bounds: a message has at most kMaxExchange bytes and
// is never buffered here. Specification: plaintext, section "Exchange".
#pragma once

#include <optional>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/crypto/keys.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/protocols/plaintext/exchange.hpp"

namespace libp2p::plaintext {

// The most bytes of a message, its length included, that may wait for the rest of it.
inline constexpr std::size_t kMaxUnread = 2 + kMaxExchange - 1;

class Handshake {
 public:
  // `ours` is framed_exchange() of our key. Another peer than the expected one is Errc::mismatch.
  Handshake(Bytes ours, std::optional<PeerId> expected_peer);

  // Takes the framed message at the front of `in` and answers its size; 0 when it is not whole, or when the handshake
  // is finished (what follows is data). An error ends it: malformed, truncated, too_large, unsupported (a type of key)
  // or mismatch (the id is not the key's, or is not the expected one).
  Result<std::size_t> on_bytes(ByteView in);
  // Our message, there from the start; leaves none.
  Bytes take_output();

  // True when the peer's message is there and right. Our own may still wait in the output.
  bool finished() const { return remote_key_.has_value(); }
  const crypto::PublicKey& remote_key() const {
    OPP2P_ASSERT(finished(), "the peer's key is known when its message is there");
    return *remote_key_;
  }
  const PeerId& remote_peer() const { return remote_peer_; }
  void check() const;

 private:
  Result<std::size_t> take(ByteView in);
  Result<void> judge(ByteView message);

  bool failed_ = false;
  Bytes out_;
  std::optional<PeerId> expected_peer_;
  std::optional<crypto::PublicKey> remote_key_;
  PeerId remote_peer_;
};

}  // namespace libp2p::plaintext
