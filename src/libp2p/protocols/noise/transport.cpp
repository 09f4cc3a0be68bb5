#include "libp2p/protocols/noise/transport.hpp"

#include <limits>

#include "libp2p/base/assert.hpp"

namespace libp2p::noise {
namespace {

// Noise reserves the last nonce (section 5.1).
constexpr std::uint64_t kNonceEnd = std::numeric_limits<std::uint64_t>::max();

Error nonces_used_up() { return {Errc::exhausted, "the Noise nonces of this connection are used up; it must end"}; }

}  // namespace

Transport::Transport(const TransportKeys& keys, std::uint64_t send_nonce, std::uint64_t receive_nonce)
    : send_(keys.send), receive_(keys.receive), send_nonce_(send_nonce), receive_nonce_(receive_nonce) {}

Result<std::size_t> Transport::seal_in_place(MutableBytes message, std::size_t plain_size) {
  if (plain_size > kMaxPlain || message.size() < plain_size + kOverhead)
    return Error(Errc::invalid_argument, "a Noise message holds 65,519 bytes, in a buffer of 18 more");
  if (send_nonce_ == kNonceEnd) return nonces_used_up();
  store_be16(message.data(), static_cast<std::uint16_t>(plain_size + kTagSize));
  const auto body = message.subspan(kLengthSize, plain_size + kTagSize);
  OPP2P_ASSERT(body.size() <= kMaxMessage, "the length of a message has two bytes", body);
  send_.seal(send_nonce_++, {}, body.first(plain_size), body);
  return plain_size + kOverhead;
}

Result<Transport::Opened> Transport::open_front(MutableBytes in) {
  if (in.size() < kLengthSize) return Opened{};
  const std::size_t length = load_be16(in.data());
  if (length < kTagSize)
    return Error(Errc::malformed, "Noise message of " + std::to_string(length) + " bytes has no tag");
  if (in.size() < kLengthSize + length) return Opened{};
  OPP2P_ASSERT(length <= kMaxMessage, "the length of a message has two bytes", length);
  if (receive_nonce_ == kNonceEnd) return nonces_used_up();
  const auto sealed = in.subspan(kLengthSize, length);
  const auto plain = sealed.first(length - kTagSize);
  auto opened = receive_.open(receive_nonce_, {}, sealed, plain);
  if (!opened) return std::move(opened).error().within("opening a Noise message");
  ++receive_nonce_;
  OPP2P_ASSERT(plain.size() + kOverhead == kLengthSize + length, "a message is its plain text and the overhead", plain,
               length);
  return Opened{kLengthSize + length, plain};
}

}  // namespace libp2p::noise
