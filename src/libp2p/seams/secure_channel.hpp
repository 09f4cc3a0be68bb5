// The security protocol of one connection: a handshake that proves the peer's identity, then sealing and opening of
// messages in place. The seam between the connection engine and Noise (TLS and plaintext take the same place). Owned by
// the connection engine; no thread; bounds are those of the protocol.
#pragma once

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/crypto/keys.hpp"

namespace libp2p {

class SecureChannel {
 public:
  virtual ~SecureChannel() = default;
  virtual std::string_view protocol() const = 0;

  // Takes at most one handshake message from the front; 0: it is not whole, or the handshake is over.
  virtual Result<std::size_t> on_handshake(ByteView in) = 0;
  // Bytes of the handshake that are to be sent; leaves none.
  virtual Bytes take_handshake_output() = 0;
  virtual bool established() const = 0;

  // Valid once established.
  virtual const crypto::PublicKey& remote_key() const = 0;
  // The muxer that the handshake settled; empty when it is still to be negotiated.
  virtual const std::string& early_muxer() const = 0;

  // A sealed message is header_size() bytes, then the plain text in place, then what else the protocol needs:
  // overhead() in all, for at most max_plain() bytes.
  virtual std::size_t header_size() const = 0;
  virtual std::size_t overhead() const = 0;
  virtual std::size_t max_plain() const = 0;
  // Seals the plain_size bytes that stand behind the header's room; answers the size of the sealed message.
  virtual Result<std::size_t> seal(MutableBytes message, std::size_t plain_size) = 0;

  struct Opened {
    std::size_t taken = 0;  // 0: the message at the front is not whole
    MutableBytes plain;     // inside the input
  };
  virtual Result<Opened> open(MutableBytes in) = 0;
};

}  // namespace libp2p
