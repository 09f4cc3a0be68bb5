// Noise as a secure channel. It owns the handshake until the peer is verified and the transport cipher afterwards.
// Owned by the connection engine, on its thread, without IO. Bounds: one message of the handshake or of the transport
// is read at once. Specification: noise.
#pragma once

#include <memory>
#include <optional>

#include "libp2p/protocols/noise/handshake.hpp"
#include "libp2p/protocols/noise/transport.hpp"
#include "libp2p/seams/secure_channel.hpp"

namespace libp2p::noise {

class NoiseChannel final : public SecureChannel {
 public:
  // `muxers` are offered in the handshake, in order of preference.
  NoiseChannel(bool initiator, const Credentials& credentials, std::vector<std::string> muxers,
               std::optional<PeerId> expected_peer, Rng& rng);

  std::string_view protocol() const override { return kProtocolId; }
  Result<std::size_t> on_handshake(ByteView in) override;
  Bytes take_handshake_output() override;
  bool established() const override { return transport_.has_value(); }
  const crypto::PublicKey& remote_key() const override {
    OPP2P_ASSERT(established(), "the peer's key is known once the channel is established");
    return *remote_key_;
  }
  const std::string& early_muxer() const override { return early_muxer_; }
  std::size_t header_size() const override { return kLengthSize; }
  std::size_t overhead() const override { return kOverhead; }
  std::size_t max_plain() const override { return kMaxPlain; }
  std::size_t max_unread() const override { return kLengthSize + kMaxMessage - 1; }
  Result<std::size_t> seal(MutableBytes message, std::size_t plain_size) override;
  Result<Opened> open(MutableBytes in) override;
  void check() const override;

 private:
  void establish();

  bool initiator_;
  Extensions offered_;
  std::unique_ptr<Handshake> handshake_;  // null once established
  Bytes last_output_;                     // what the handshake left to be sent
  std::optional<Transport> transport_;
  std::optional<crypto::PublicKey> remote_key_;
  std::string early_muxer_;
};

}  // namespace libp2p::noise
