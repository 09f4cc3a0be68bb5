#include "libp2p/security/noise/security.hpp"

#include <utility>

#include "libp2p/security/noise/channel.hpp"

namespace libp2p::noise {
namespace {

Result<SecurityKind> make_kind(const crypto::PrivateKey& identity, Rng& rng) {
  OPP2P_TRY(Credentials made, Credentials::make(identity, rng));
  const auto credentials = std::make_shared<const Credentials>(std::move(made));
  return SecurityKind{kProtocolId,
                      [credentials](Role role, std::optional<PeerId> expected, const std::vector<std::string>& muxers,
                                    Rng& entropy) -> Result<std::unique_ptr<SecureChannel>> {
                        const bool initiator = role == Role::dialer;
                        return std::unique_ptr<SecureChannel>(std::make_unique<NoiseChannel>(
                            initiator, *credentials, muxers, std::move(expected), entropy));
                      }};
}

}  // namespace

SecurityFactory security() { return {kProtocolId, &make_kind}; }

}  // namespace libp2p::noise
