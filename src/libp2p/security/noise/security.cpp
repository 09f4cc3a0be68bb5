#include "libp2p/security/noise/security.hpp"

#include <utility>

#include "libp2p/security/noise/channel.hpp"

namespace libp2p::noise {
namespace {

Result<SecurityKind> make_kind(const crypto::PrivateKey& identity, Rng& rng) {
  OPP2P_TRY(Credentials made, Credentials::make(identity, rng));
  const auto credentials = std::make_shared<const Credentials>(std::move(made));
  return SecurityKind{kProtocolId,
                      [credentials](ChannelStart start, Rng& entropy) -> Result<std::unique_ptr<SecureChannel>> {
                        const bool initiator = start.role == Role::dialer;
                        return std::unique_ptr<SecureChannel>(std::make_unique<NoiseChannel>(
                            initiator, *credentials, std::move(start.muxers), std::move(start.expected), entropy));
                      }};
}

}  // namespace

SecurityFactory security() { return {kProtocolId, &make_kind}; }

}  // namespace libp2p::noise
