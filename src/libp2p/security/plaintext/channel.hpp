// Plaintext 2.0 as a secure channel that secures nothing: after the handshake a message is its plain text, and what
// arrives is handed on as it is. For tests and closed networks; a host offers it only when it is told to. Owned by the
// connection engine, on its thread, without IO. Bounds: it buffers nothing; the part of an Exchange message (8 KiB) may
// wait unread with the driver during the handshake, and nothing after it. Specification: plaintext.
#pragma once

#include <optional>
#include <string>

#include "libp2p/protocols/plaintext/handshake.hpp"
#include "libp2p/seams/secure_channel.hpp"

namespace libp2p::plaintext {

class PlaintextChannel final : public SecureChannel {
 public:
  // There is no limit to a message. This much at a time, as with the protocols that have one, so that the muxer is
  // asked as often.
  static constexpr std::size_t kMaxPlain = 64 * 1024;

  // `ours` is framed_exchange() of our key.
  PlaintextChannel(Bytes ours, std::optional<PeerId> expected_peer);

  std::string_view protocol() const override { return kProtocolId; }
  Result<std::size_t> on_handshake(ByteView in) override { return handshake_.on_bytes(in); }
  Bytes take_handshake_output() override { return handshake_.take_output(); }
  bool established() const override { return handshake_.finished(); }
  const crypto::PublicKey& remote_key() const override { return handshake_.remote_key(); }
  const std::string& early_muxer() const override { return no_muxer_; }
  std::size_t header_size() const override { return 0; }
  std::size_t overhead() const override { return 0; }
  std::size_t max_plain() const override { return kMaxPlain; }
  std::size_t max_unread() const override { return kMaxUnread; }
  Result<std::size_t> seal(MutableBytes message, std::size_t plain_size) override;
  Result<Opened> open(MutableBytes in) override;
  void check() const override { handshake_.check(); }

 private:
  Handshake handshake_;
  std::string no_muxer_;
};

}  // namespace libp2p::plaintext
