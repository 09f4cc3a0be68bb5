#include "libp2p/protocols/noise/handshake.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/protocols/noise/transport.hpp"

namespace libp2p::noise {
namespace {

constexpr std::string_view kSignatureDomain = "noise-libp2p-static-key:";

Bytes signed_message(ByteView static_public_key) {
  Bytes message = to_bytes(kSignatureDomain);
  append(message, static_public_key);
  return message;
}

}  // namespace

Result<Credentials> Credentials::make(const crypto::PrivateKey& identity, Rng& rng) {
  return make(identity, crypto::X25519KeyPair::generate(rng));
}

Result<Credentials> Credentials::make(const crypto::PrivateKey& identity, const crypto::X25519KeyPair& static_key) {
  OPP2P_TRY(Bytes signature, identity.sign(signed_message(static_key.public_key)));
  return Credentials(static_key, identity.public_key().to_protobuf(), std::move(signature));
}

Handshake::Handshake(bool initiator, const Credentials& credentials, HandshakeOptions options, Rng& rng)
    : Handshake(initiator, credentials, std::move(options), crypto::X25519KeyPair::generate(rng)) {}

Handshake::Handshake(bool initiator, const Credentials& credentials, HandshakeOptions options,
                     const crypto::X25519KeyPair& ephemeral_key)
    : initiator_(initiator),
      options_(std::move(options)),
      payload_(encode_payload({credentials.identity_key(), credentials.signature(), options_.extensions})),
      state_(initiator, options_.prologue, credentials.static_key(), ephemeral_key) {
  // The first message is not secret: it carries no payload. Writing it mixes no key, so it cannot fail.
  if (initiator_) failed_ = !write({});
}

Bytes Handshake::take_output() { return std::exchange(out_, {}); }

Result<std::size_t> Handshake::on_bytes(ByteView in) {
  if (failed_) return Error(Errc::closed, "the Noise handshake has failed before");
  if (state_.finished() || in.size() < kLengthSize) return std::size_t{0};
  const std::size_t length = load_be16(in.data());
  if (length > kMaxHandshakeMessage) {
    failed_ = true;
    return Error(Errc::too_large, "Noise handshake message of " + std::to_string(length) + " bytes, at most " +
                                      std::to_string(kMaxHandshakeMessage) + " are taken");
  }
  if (in.size() < kLengthSize + length) return std::size_t{0};
  if (auto done = on_message(in.subspan(kLengthSize, length)); !done) {
    failed_ = true;
    return std::move(done).error().within("Noise handshake");
  }
  return kLengthSize + length;
}

Result<void> Handshake::on_message(ByteView message) {
  OPP2P_TRY(const Bytes payload, state_.read_message(message));
  // Whatever a peer puts into its first message is not authenticated and is left aside.
  const bool carries_identity = initiator_ || state_.finished();
  if (carries_identity) OPP2P_TRYV(verify(payload));
  if (state_.writes_next()) OPP2P_TRYV(write(payload_));
  return {};
}

Result<void> Handshake::write(ByteView payload) {
  OPP2P_TRY(const Bytes message, state_.write_message(payload));
  OPP2P_ASSERT(message.size() <= kMaxMessage, "the length of a message has two bytes", message);
  const std::size_t start = out_.size();
  out_.resize(start + kLengthSize);
  store_be16(out_.data() + start, static_cast<std::uint16_t>(message.size()));
  append(out_, message);
  return {};
}

Result<void> Handshake::verify(ByteView payload) {
  OPP2P_TRY(auto decoded, decode_payload(payload));
  auto key = crypto::PublicKey::from_protobuf(decoded.identity_key);
  if (!key) return std::move(key).error().within("the peer's identity key");
  auto valid = key->verify(signed_message(state_.remote_static()), decoded.identity_signature);
  if (!valid) return std::move(valid).error().within("the signature of the peer's identity over its static key");
  auto peer = PeerId::from_public_key(*key);
  if (options_.expected_peer && *options_.expected_peer != peer)
    return Error(Errc::mismatch,
                 "the peer is " + peer.to_base58() + ", expected was " + options_.expected_peer->to_base58());
  OPP2P_ASSERT(!verified_, "the peer's identity is verified once");
  remote_key_ = *std::move(key);
  remote_peer_ = std::move(peer);
  remote_extensions_ = std::move(decoded.extensions);
  verified_ = true;
  return {};
}

void Handshake::check() const {
  state_.check();
  OPP2P_CHECK(verified_ == remote_key_.has_value(), "the peer's key is known once its signature is verified");
  OPP2P_CHECK(verified_ || (remote_peer_.empty() && remote_extensions_.empty()),
              "extensions of the peer are read only after its signature has been verified");
  OPP2P_CHECK(!verified_ || !options_.expected_peer || *options_.expected_peer == remote_peer_,
              "the peer is the expected one", remote_peer_);
  OPP2P_CHECK(failed_ || !state_.finished() || verified_, "no handshake ends without a verified peer");
}

std::string choose_muxer(const Extensions& initiator, const Extensions& responder) {
  for (const auto& muxer : initiator.stream_muxers)
    if (std::find(responder.stream_muxers.begin(), responder.stream_muxers.end(), muxer) !=
        responder.stream_muxers.end())
      return muxer;
  return {};
}

}  // namespace libp2p::noise
