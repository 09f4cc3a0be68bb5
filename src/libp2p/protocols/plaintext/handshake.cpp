#include "libp2p/protocols/plaintext/handshake.hpp"

#include <string>
#include <utility>

#include "libp2p/multiformats/varint.hpp"

namespace libp2p::plaintext {
namespace {

constexpr std::size_t kMaxLengthSize = 2;
static_assert(kMaxExchange >= 1U << 7 && kMaxExchange < 1U << 14, "its length takes two bytes");

Error too_large(const std::string& size) {
  return {Errc::too_large,
          "the Exchange message has " + size + " bytes, at most " + std::to_string(kMaxExchange) + " are taken"};
}

}  // namespace

Handshake::Handshake(Bytes ours, std::optional<PeerId> expected_peer)
    : out_(std::move(ours)), expected_peer_(std::move(expected_peer)) {}

Bytes Handshake::take_output() { return std::exchange(out_, {}); }

Result<std::size_t> Handshake::on_bytes(ByteView in) {
  if (failed_) return Error(Errc::closed, "the plaintext handshake has failed before");
  if (finished()) return std::size_t{0};
  auto taken = take(in);
  if (taken) return taken;
  failed_ = true;
  return std::move(taken).error().within("plaintext handshake");
}

Result<std::size_t> Handshake::take(ByteView in) {
  const auto length = multiformats::read_varint(in);
  if (!length) {
    if (length.error().code() != Errc::truncated) return length.error().within("the length of the Exchange message");
    if (in.size() < kMaxLengthSize) return std::size_t{0};
    return too_large("more than " + std::to_string(kMaxExchange));  // whatever its other bytes are
  }
  if (length->value > kMaxExchange) return too_large(std::to_string(length->value));
  if (in.size() - length->size < length->value) return std::size_t{0};
  const auto size = static_cast<std::size_t>(length->value);
  OPP2P_TRYV(judge(in.subspan(length->size, size)));
  return length->size + size;
}

void Handshake::check() const {
  OPP2P_CHECK(!(failed_ && finished()), "a handshake fails or finishes");
  OPP2P_CHECK(finished() != remote_peer_.empty(), "the peer is known when its message is there", remote_peer_);
  OPP2P_CHECK(!finished() || remote_peer_.matches(*remote_key_), "the peer is who its key says", remote_peer_);
  OPP2P_CHECK(!finished() || !expected_peer_ || *expected_peer_ == remote_peer_, "the peer is the expected one",
              remote_peer_);
}

Result<void> Handshake::judge(ByteView message) {
  OPP2P_TRY(const auto exchange, decode_exchange(message));
  if (exchange.id.empty()) return Error(Errc::malformed, "the Exchange message has no peer id");
  if (exchange.public_key.empty()) return Error(Errc::malformed, "the Exchange message has no public key");
  auto key = crypto::PublicKey::from_protobuf(exchange.public_key);
  if (!key) return std::move(key).error().within("the peer's public key");
  auto peer = PeerId::from_bytes(exchange.id);
  if (!peer) return std::move(peer).error().within("the peer's id");
  const auto derived = PeerId::from_public_key(*key);
  if (*peer != derived)
    return Error(Errc::mismatch,
                 "the peer calls itself " + peer->to_base58() + ", and its key is that of " + derived.to_base58());
  if (expected_peer_ && *expected_peer_ != *peer)
    return Error(Errc::mismatch, "the peer is " + peer->to_base58() + ", expected was " + expected_peer_->to_base58());
  remote_key_ = *std::move(key);
  remote_peer_ = *std::move(peer);
  return {};
}

}  // namespace libp2p::plaintext
