// The cipher of an established Noise connection: each message is a 2-byte length, cipher text and a 16-byte tag, sealed
// and opened in place, so that payload is copied once at most between a stream and the socket. Owned by the connection;
// no thread, no buffer. Bounds: a message is at most 65,535 bytes after its length, and 2^64 - 1 messages pass in each
// direction. Specification: noise, sections "Wire Format" and "Encryption and I/O".
#pragma once

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/crypto/aead.hpp"
#include "libp2p/protocols/noise/handshake_state.hpp"

namespace libp2p::noise {

inline constexpr std::size_t kLengthSize = 2;
inline constexpr std::size_t kTagSize = crypto::ChaCha20Poly1305::kTagSize;
inline constexpr std::size_t kOverhead = kLengthSize + kTagSize;
inline constexpr std::size_t kMaxPlain = kMaxMessage - kTagSize;

class Transport {
 public:
  // The nonces to begin with are 0 except in a test of their end.
  explicit Transport(const TransportKeys& keys, std::uint64_t send_nonce = 0, std::uint64_t receive_nonce = 0);

  // `message` begins with kLengthSize bytes of room, then plain_size (at most kMaxPlain) bytes of plain text, then
  // kTagSize of room. Seals it in place and answers the bytes to send: plain_size + kOverhead. Errc::exhausted when the
  // nonces are used up: the connection must end.
  Result<std::size_t> seal_in_place(MutableBytes message, std::size_t plain_size);

  struct Opened {
    std::size_t taken = 0;  // 0: the message at the front is not whole yet
    MutableBytes plain;     // inside the input; may be empty although something was taken
  };
  // Opens the message at the front of `in` in place. Errc::malformed for one shorter than a tag, mismatch for a wrong
  // tag.
  Result<Opened> open_front(MutableBytes in);

  // Opens every whole message in `in`, calls sink(MutableBytes plain) -> Result<void> for each that is not empty, and
  // answers how many bytes were taken.
  template <class Sink>
  Result<std::size_t> open_all(MutableBytes in, Sink&& sink) {
    std::size_t taken = 0;
    while (true) {
      OPP2P_TRY(const Opened opened, open_front(in.subspan(taken)));
      if (opened.taken == 0) return taken;
      taken += opened.taken;
      if (!opened.plain.empty()) OPP2P_TRYV(sink(opened.plain));
    }
  }

 private:
  crypto::ChaCha20Poly1305 send_;
  crypto::ChaCha20Poly1305 receive_;
  std::uint64_t send_nonce_;
  std::uint64_t receive_nonce_;
};

}  // namespace libp2p::noise
