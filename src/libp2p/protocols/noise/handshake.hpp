// The handshake of libp2p-noise: three framed messages that prove to each side the other's identity key and carry the
// extensions. A pure engine: bytes in, bytes out; owned by one connection until it is established. Extensions of the
// peer can be read only after its signature has been verified. Bounds: kMaxHandshakeMessage bytes a message, never
// buffered here. Specification: noise, sections "Static Key Authentication" and "Handshake Pattern".
#pragma once

#include <optional>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/rng.hpp"
#include "libp2p/crypto/keys.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/protocols/noise/handshake_state.hpp"
#include "libp2p/protocols/noise/payload.hpp"

namespace libp2p::noise {

inline constexpr std::string_view kProtocolId = "/noise";
// Far above what an honest peer sends (an RSA key of 8,192 bits and its signature take 2.2 KiB), far below what the
// length allows.
inline constexpr std::size_t kMaxHandshakeMessage = 8192;

// A static key with the identity's signature over it. Made for one connection or shared by all of a host: the
// specification leaves the choice, and sharing saves a key generation and a signature a connection. Never stored.
class Credentials {
 public:
  // Fails only when the identity key cannot sign.
  static Result<Credentials> make(const crypto::PrivateKey& identity, Rng& rng);
  static Result<Credentials> make(const crypto::PrivateKey& identity, const crypto::X25519KeyPair& static_key);

  const crypto::X25519KeyPair& static_key() const { return static_key_; }
  const Bytes& identity_key() const { return identity_key_; }
  const Bytes& signature() const { return signature_; }

 private:
  Credentials(const crypto::X25519KeyPair& static_key, Bytes identity_key, Bytes signature)
      : static_key_(static_key), identity_key_(std::move(identity_key)), signature_(std::move(signature)) {}
  crypto::X25519KeyPair static_key_;
  Bytes identity_key_;
  Bytes signature_;
};

struct HandshakeOptions {
  Bytes prologue;
  Extensions extensions;                // ours
  std::optional<PeerId> expected_peer;  // another identity is Errc::mismatch
};

class Handshake {
 public:
  Handshake(bool initiator, const Credentials& credentials, HandshakeOptions options, Rng& rng);
  // With a chosen ephemeral key: for vectors.
  Handshake(bool initiator, const Credentials& credentials, HandshakeOptions options,
            const crypto::X25519KeyPair& ephemeral_key);

  // Takes the framed message at the front of `in` and answers its size; 0 when it is not whole, or when the handshake
  // is finished (what follows is sealed). An error ends it: malformed, truncated, too_large, mismatch (a tag, the
  // signature, or another peer than expected).
  Result<std::size_t> on_bytes(ByteView in);
  // Framed bytes to send; take_output leaves none.
  bool has_output() const { return !out_.empty(); }
  Bytes take_output();

  // True when the peer is verified and both keys are known. The initiator's last message may still wait in the output.
  bool finished() const { return verified_ && state_.finished(); }
  const crypto::PublicKey& remote_key() const {
    OPP2P_ASSERT(verified_, "the peer's key is known once its signature is verified");
    return *remote_key_;
  }
  const PeerId& remote_peer() const { return remote_peer_; }
  const Extensions& remote_extensions() const { return remote_extensions_; }
  const crypto::Hash256& handshake_hash() const { return state_.handshake_hash(); }
  TransportKeys split() const {
    OPP2P_ASSERT(finished() && !failed_, "the keys are given to who has verified the peer");
    return state_.split();
  }
  void check() const;

 private:
  Result<void> on_message(ByteView message);
  Result<void> write(ByteView payload);
  Result<void> verify(ByteView payload);

  bool initiator_;
  bool failed_ = false;
  bool verified_ = false;
  HandshakeOptions options_;
  Bytes payload_;  // ours, encoded
  HandshakeState state_;
  Bytes out_;
  std::optional<crypto::PublicKey> remote_key_;
  PeerId remote_peer_;
  Extensions remote_extensions_;
};

// The muxer that both sides offered in their extensions: the first of the initiator's that the responder has too.
// Empty: they must negotiate. (Specification connections, "Inlining muxer negotiation".)
std::string choose_muxer(const Extensions& initiator, const Extensions& responder);

}  // namespace libp2p::noise
