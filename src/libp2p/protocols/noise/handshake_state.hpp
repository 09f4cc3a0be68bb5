// The XX pattern of the Noise Protocol Framework with X25519, ChaCha20-Poly1305 and SHA-256, without anything of
// libp2p: three messages with a payload each, then two keys. A pure engine, owned by the handshake, used once. Keys
// come in, so that published vectors can be replayed. Bounds: a message is at most 65,535 bytes. Noise revision 34,
// sections 5 and 7.5.
#pragma once

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/crypto/hash.hpp"
#include "libp2p/crypto/x25519.hpp"

namespace libp2p::noise {

inline constexpr std::string_view kProtocolName = "Noise_XX_25519_ChaChaPoly_SHA256";
inline constexpr std::size_t kMaxMessage = 65535;

using Key = ByteArray<32>;

// What the handshake leaves behind: a key for each direction.
struct TransportKeys {
  Key send;
  Key receive;
};

class HandshakeState {
 public:
  HandshakeState(bool initiator, ByteView prologue, const crypto::X25519KeyPair& static_key,
                 const crypto::X25519KeyPair& ephemeral_key);
  ~HandshakeState();
  HandshakeState(const HandshakeState&) = delete;
  HandshakeState& operator=(const HandshakeState&) = delete;

  // True when the next message is ours to write; false when it is the peer's, or when all three have passed.
  bool writes_next() const { return !finished() && (step_ % 2 == 0) == initiator_; }
  bool finished() const { return step_ == 3; }

  // Errc::invalid_argument out of turn, too_large when the payload does not fit, malformed when the peer's key is of
  // low order.
  Result<Bytes> write_message(ByteView payload);
  // The payload. Errc::truncated or mismatch (forged or from another handshake); the handshake is over then.
  Result<Bytes> read_message(ByteView message);

  // Known after the message that carries it: the second for the initiator, the third for the responder.
  const Key& remote_static() const { return remote_static_; }
  // Valid when finished.
  const crypto::Hash256& handshake_hash() const { return hash_; }
  TransportKeys split() const;
  void check() const;

 private:
  void mix_hash(ByteView data);
  void mix_key(ByteView input);
  Result<void> mix_dh(const Key& secret, const Key& their_public);
  void encrypt_and_hash(Bytes& out, ByteView plain);
  Result<Bytes> decrypt_and_hash(ByteView sealed);
  // The DH results that follow the ephemeral and the static key of the current message.
  Result<void> mix_after_ephemeral();
  Result<void> mix_after_static();

  bool initiator_;
  bool has_key_ = false;
  int step_ = 0;  // messages that have passed
  crypto::X25519KeyPair static_;
  crypto::X25519KeyPair ephemeral_;
  Key remote_ephemeral_{};
  Key remote_static_{};
  crypto::Hash256 hash_{};
  Key chaining_key_{};
  Key cipher_key_{};
  std::uint64_t nonce_ = 0;
};

// Overwrites secrets before their memory is given back, in a way that the compiler keeps.
void wipe(MutableBytes secret);

}  // namespace libp2p::noise
