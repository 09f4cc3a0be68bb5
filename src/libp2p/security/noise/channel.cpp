#include "libp2p/security/noise/channel.hpp"

#include <utility>

namespace libp2p::noise {

NoiseChannel::NoiseChannel(bool initiator, const Credentials& credentials, std::vector<std::string> muxers,
                           std::optional<PeerId> expected_peer, Rng& rng)
    : initiator_(initiator), offered_{{}, std::move(muxers)} {
  HandshakeOptions options{{}, offered_, std::move(expected_peer)};
  handshake_ = std::make_unique<Handshake>(initiator, credentials, std::move(options), rng);
}

Result<std::size_t> NoiseChannel::on_handshake(ByteView in) {
  if (!handshake_) return std::size_t{0};
  OPP2P_TRY(const std::size_t taken, handshake_->on_bytes(in));
  if (handshake_->finished()) establish();
  return taken;
}

void NoiseChannel::check() const {
  OPP2P_CHECK((handshake_ == nullptr) == transport_.has_value(), "a channel has a handshake or a cipher");
  OPP2P_CHECK(transport_.has_value() == remote_key_.has_value(), "the peer's key is known once it is established");
  OPP2P_CHECK(established() || (last_output_.empty() && early_muxer_.empty()), "nothing is settled before",
              early_muxer_);
  if (handshake_) handshake_->check();
}

void NoiseChannel::establish() {
  OPP2P_ASSERT(!transport_, "a channel is established once");
  auto keys = handshake_->split();
  transport_.emplace(keys);
  wipe(keys.send);
  wipe(keys.receive);
  remote_key_ = handshake_->remote_key();
  const auto& theirs = handshake_->remote_extensions();
  early_muxer_ = initiator_ ? choose_muxer(offered_, theirs) : choose_muxer(theirs, offered_);
  last_output_ = handshake_->take_output();
  handshake_.reset();
  offered_ = {};
}

Bytes NoiseChannel::take_handshake_output() {
  return handshake_ ? handshake_->take_output() : std::exchange(last_output_, {});
}

Result<std::size_t> NoiseChannel::seal(MutableBytes message, std::size_t plain_size) {
  OPP2P_ASSERT(established(), "nothing is sealed before the channel is established");
  return transport_->seal_in_place(message, plain_size);
}

Result<SecureChannel::Opened> NoiseChannel::open(MutableBytes in) {
  OPP2P_ASSERT(established(), "nothing is opened before the channel is established");
  OPP2P_TRY(const auto opened, transport_->open_front(in));
  return Opened{opened.taken, opened.plain};
}

}  // namespace libp2p::noise
