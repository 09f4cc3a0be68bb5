#include "libp2p/security/plaintext/security.hpp"

#include <utility>

#include "libp2p/security/plaintext/channel.hpp"

namespace libp2p::plaintext {
namespace {

Result<SecurityKind> make_kind(const crypto::PrivateKey& identity, Rng&) {
  Bytes ours = framed_exchange(identity.public_key());
  return SecurityKind{
      kProtocolId, [ours = std::move(ours)](ChannelStart start, Rng&) -> Result<std::unique_ptr<SecureChannel>> {
        return std::unique_ptr<SecureChannel>(std::make_unique<PlaintextChannel>(ours, std::move(start.expected)));
      }};
}

}  // namespace

SecurityFactory security() { return {kProtocolId, &make_kind}; }

}  // namespace libp2p::plaintext
