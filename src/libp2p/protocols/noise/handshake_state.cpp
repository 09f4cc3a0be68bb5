#include "libp2p/protocols/noise/handshake_state.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/crypto/aead.hpp"

namespace libp2p::noise {
namespace {

constexpr std::size_t kKey = 32;
constexpr std::size_t kTag = crypto::ChaCha20Poly1305::kTagSize;

Key take_key(ByteView from) {
  Key key;
  std::copy_n(from.begin(), kKey, key.begin());
  return key;
}

}  // namespace

void wipe(MutableBytes secret) {
  volatile std::uint8_t* p = secret.data();
  for (std::size_t i = 0; i < secret.size(); ++i) p[i] = 0;
}

HandshakeState::HandshakeState(bool initiator, ByteView prologue, const crypto::X25519KeyPair& static_key,
                               const crypto::X25519KeyPair& ephemeral_key)
    : initiator_(initiator), static_(static_key), ephemeral_(ephemeral_key) {
  // The protocol's name is exactly as long as the hash, so it is the first hash as it stands (section 5.2).
  static_assert(kProtocolName.size() == std::tuple_size_v<crypto::Hash256>);
  std::copy(kProtocolName.begin(), kProtocolName.end(), hash_.begin());
  chaining_key_ = hash_;
  mix_hash(prologue);
}

HandshakeState::~HandshakeState() {
  wipe(static_.secret);
  wipe(ephemeral_.secret);
  wipe(chaining_key_);
  wipe(cipher_key_);
}

void HandshakeState::mix_hash(ByteView data) {
  crypto::Sha256 sha;
  sha.update(hash_).update(data);
  hash_ = sha.finish();
}

void HandshakeState::mix_key(ByteView input) {
  ByteArray<64> out;
  crypto::hkdf_sha256(chaining_key_, input, {}, out);
  std::copy_n(out.begin(), kKey, chaining_key_.begin());
  std::copy_n(out.begin() + kKey, kKey, cipher_key_.begin());
  wipe(out);
  has_key_ = true;
  nonce_ = 0;
}

Result<void> HandshakeState::mix_dh(const Key& secret, const Key& their_public) {
  OPP2P_TRY(auto shared, crypto::x25519(secret, their_public));
  mix_key(shared);
  wipe(shared);
  return {};
}

void HandshakeState::encrypt_and_hash(Bytes& out, ByteView plain) {
  const std::size_t start = out.size();
  if (!has_key_) {
    append(out, plain);
  } else {
    out.resize(start + plain.size() + kTag);
    crypto::ChaCha20Poly1305(cipher_key_).seal(nonce_++, hash_, plain, MutableBytes(out).subspan(start));
  }
  mix_hash(ByteView(out).subspan(start));
}

Result<Bytes> HandshakeState::decrypt_and_hash(ByteView sealed) {
  if (!has_key_) {
    mix_hash(sealed);
    return to_bytes(sealed);
  }
  if (sealed.size() < kTag) return Error(Errc::truncated, "Noise handshake message ends inside an authentication tag");
  Bytes plain(sealed.size() - kTag);
  OPP2P_TRYV(crypto::ChaCha20Poly1305(cipher_key_).open(nonce_++, hash_, sealed, plain));
  mix_hash(sealed);
  return plain;
}

// Section 7.5, the pattern XX: (1) -> e   (2) <- e, ee, s, es   (3) -> s, se
Result<void> HandshakeState::mix_after_ephemeral() {
  if (step_ == 1) return mix_dh(ephemeral_.secret, remote_ephemeral_);
  return {};
}

Result<void> HandshakeState::mix_after_static() {
  // "es" is the initiator's ephemeral with the responder's static key, "se" the other way round.
  OPP2P_ASSERT(has_key_ && (step_ == 1 || step_ == 2), "static keys pass in the second and third message, sealed",
               step_);
  const bool own_static = (step_ == 1) != initiator_;
  return own_static ? mix_dh(static_.secret, remote_ephemeral_) : mix_dh(ephemeral_.secret, remote_static_);
}

Result<Bytes> HandshakeState::write_message(ByteView payload) {
  if (!writes_next()) return Error(Errc::invalid_argument, "it is not our turn in the Noise handshake");
  if (payload.size() > kMaxMessage - 2 * kKey - 2 * kTag)
    return Error(Errc::too_large, "the payload of a Noise handshake message does not fit into 65,535 bytes");
  Bytes out;
  if (step_ < 2) {
    append(out, ephemeral_.public_key);
    mix_hash(ephemeral_.public_key);
    OPP2P_TRYV(mix_after_ephemeral());
  }
  if (step_ > 0) {
    encrypt_and_hash(out, static_.public_key);
    OPP2P_TRYV(mix_after_static());
  }
  encrypt_and_hash(out, payload);
  ++step_;
  OPP2P_ASSERT(step_ <= 3 && out.size() <= kMaxMessage, "the handshake is three messages within the bound", step_, out);
  return out;
}

Result<Bytes> HandshakeState::read_message(ByteView message) {
  if (finished() || writes_next()) return Error(Errc::invalid_argument, "no Noise handshake message is expected now");
  if (message.size() > kMaxMessage) return Error(Errc::too_large, "Noise handshake message above 65,535 bytes");
  if (step_ < 2) {
    if (message.size() < kKey) return Error(Errc::truncated, "Noise handshake message ends inside the ephemeral key");
    remote_ephemeral_ = take_key(message);
    mix_hash(message.first(kKey));
    message = message.subspan(kKey);
    OPP2P_TRYV(mix_after_ephemeral());
  }
  if (step_ > 0) {
    if (message.size() < kKey + kTag)
      return Error(Errc::truncated, "Noise handshake message ends inside the static key");
    OPP2P_TRY(const Bytes key, decrypt_and_hash(message.first(kKey + kTag)));
    remote_static_ = take_key(key);
    message = message.subspan(kKey + kTag);
    OPP2P_TRYV(mix_after_static());
  }
  OPP2P_TRY(Bytes payload, decrypt_and_hash(message));
  ++step_;
  OPP2P_ASSERT(step_ <= 3, "the handshake is three messages", step_);
  return payload;
}

void HandshakeState::check() const {
  OPP2P_CHECK(step_ >= 0 && step_ <= 3, "the handshake is three messages", step_);
  OPP2P_CHECK(step_ < 2 || has_key_, "everything from the second message on is sealed", step_);
  OPP2P_CHECK(nonce_ <= 2, "a key of the handshake seals two pieces at most", nonce_);
  OPP2P_CHECK(!(finished() && writes_next()), "nobody writes when all messages have passed", step_);
}

TransportKeys HandshakeState::split() const {
  OPP2P_ASSERT(finished(), "the keys are known when the handshake is finished", step_);
  ByteArray<64> out;
  crypto::hkdf_sha256(chaining_key_, {}, {}, out);
  TransportKeys keys;
  // The first key is for what the initiator sends (section 5.2, Split).
  std::copy_n(out.begin() + (initiator_ ? 0 : kKey), kKey, keys.send.begin());
  std::copy_n(out.begin() + (initiator_ ? kKey : 0), kKey, keys.receive.begin());
  wipe(out);
  return keys;
}

}  // namespace libp2p::noise
