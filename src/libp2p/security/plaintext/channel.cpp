#include "libp2p/security/plaintext/channel.hpp"

#include <utility>

namespace libp2p::plaintext {

PlaintextChannel::PlaintextChannel(Bytes ours, std::optional<PeerId> expected_peer)
    : handshake_(std::move(ours), std::move(expected_peer)) {}

Result<std::size_t> PlaintextChannel::seal(MutableBytes message, std::size_t plain_size) {
  if (plain_size > message.size() || plain_size > kMaxPlain)
    return Error(Errc::invalid_argument, "a message of " + std::to_string(plain_size) + " bytes does not fit");
  return plain_size;
}

Result<SecureChannel::Opened> PlaintextChannel::open(MutableBytes in) { return Opened{in.size(), in, false}; }

}  // namespace libp2p::plaintext
