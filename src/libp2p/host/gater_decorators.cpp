#include "libp2p/host/gater_decorators.hpp"

#include <stdexcept>
#include <utility>

namespace libp2p {

GaterDecorator::GaterDecorator(std::shared_ptr<Gater> inner) : inner_(std::move(inner)) {
  if (inner_ == nullptr) throw std::invalid_argument("a gater decorator wraps no gater");
}

Result<void> GaterDecorator::intercept_peer_dial(const PeerId& peer) { return inner_->intercept_peer_dial(peer); }
Result<void> GaterDecorator::intercept_addr_dial(const PeerId& peer, const Multiaddr& address) {
  return inner_->intercept_addr_dial(peer, address);
}
Result<void> GaterDecorator::intercept_accept(const Multiaddr& remote) { return inner_->intercept_accept(remote); }
Result<void> GaterDecorator::intercept_secured(Direction direction, const PeerId& peer, const Multiaddr& remote) {
  return inner_->intercept_secured(direction, peer, remote);
}
Result<void> GaterDecorator::intercept_upgraded(Direction direction, const PeerId& peer, const Multiaddr& remote) {
  return inner_->intercept_upgraded(direction, peer, remote);
}
Result<void> GaterDecorator::permits(const PeerId& peer, const Multiaddr& remote) const {
  return inner_->permits(peer, remote);
}

std::string_view gater_hook_name(GaterHook hook) {
  constexpr std::string_view kNames[] = {"InterceptPeerDial", "InterceptAddrDial", "InterceptAccept",
                                         "InterceptSecured", "InterceptUpgraded"};
  return kNames[static_cast<std::size_t>(hook)];
}

MeteringGater::MeteringGater(std::shared_ptr<Gater> inner, Observer observer)
    : GaterDecorator(std::move(inner)), observer_(std::move(observer)) {
  if (!observer_) throw std::invalid_argument("the observer of a metering gater is an empty function");
}

Result<void> MeteringGater::told(GaterHook hook, const PeerId* peer, const Multiaddr* remote,
                                 Result<void> answer) const {
  observer_(GaterAnswer{hook, peer, remote, &answer});
  return answer;
}

Result<void> MeteringGater::intercept_peer_dial(const PeerId& peer) {
  return told(GaterHook::peer_dial, &peer, nullptr, inner().intercept_peer_dial(peer));
}
Result<void> MeteringGater::intercept_addr_dial(const PeerId& peer, const Multiaddr& address) {
  return told(GaterHook::addr_dial, &peer, &address, inner().intercept_addr_dial(peer, address));
}
Result<void> MeteringGater::intercept_accept(const Multiaddr& remote) {
  return told(GaterHook::accept, nullptr, &remote, inner().intercept_accept(remote));
}
Result<void> MeteringGater::intercept_secured(Direction direction, const PeerId& peer, const Multiaddr& remote) {
  return told(GaterHook::secured, &peer, &remote, inner().intercept_secured(direction, peer, remote));
}
Result<void> MeteringGater::intercept_upgraded(Direction direction, const PeerId& peer, const Multiaddr& remote) {
  return told(GaterHook::upgraded, &peer, &remote, inner().intercept_upgraded(direction, peer, remote));
}

}  // namespace libp2p
