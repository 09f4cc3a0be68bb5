#include "libp2p/host/host.hpp"

#include <algorithm>

#include "libp2p/host/address_scope.hpp"
#include "libp2p/host/dial_target.hpp"
#include "libp2p/host/host_calls.hpp"
#include "libp2p/host/host_state.hpp"

namespace libp2p {

using runtime::Task;

Host::Host(runtime::Runtime& runtime, HostConfig config)
    : state_(std::make_unique<HostState>(runtime, std::move(config))) {}
Host::~Host() = default;

runtime::Runtime& Host::runtime() { return state_->runtime; }
const PeerId& Host::id() const { return state_->self; }
const crypto::PrivateKey& Host::identity() const { return state_->config.identity; }
const HostConfig& Host::config() const { return state_->config; }

// ---- where it can be reached ----

Result<void> Host::listen(const Multiaddr& address) {
  if (state_->closing) return fail(Errc::closed, "the host is closed");
  OPP2P_TRYV(state_->swarm->listen(address));
  state_->observers.tell(AddressesChanged());
  return {};
}

std::vector<Multiaddr> Host::listen_addresses() const {
  const std::vector<Multiaddr> bound = bound_addresses();
  const auto is_any = [](const Multiaddr& address) { return reach_of(address) == Reach::unspecified; };
  if (std::none_of(bound.begin(), bound.end(), is_any)) return bound;
  std::vector<Multiaddr> own;
  const auto ips = state_->runtime.interface_ips();
  if (!ips) return bound;
  for (const auto& ip : *ips) {
    if (auto one = ip_address(ip)) own.push_back(std::move(*one));  // else nobody could dial it
  }
  return own.empty() ? bound : specified(bound, own);
}

std::vector<Multiaddr> Host::bound_addresses() const { return state_->swarm->listen_addresses(); }

Result<void> Host::can_dial(const Multiaddr& address) const {
  OPP2P_TRY(const DialTarget target, dial_target(address));
  if (state_->swarm->dialler_of(target.address) != nullptr) return {};
  return not_usable(address, state_->swarm->why_not(target.address));
}

// ---- what it speaks ----

void Host::set_stream_handler(std::string protocol, StreamAcceptor acceptor) {
  if (state_->acceptors.set(std::move(protocol), std::move(acceptor))) state_->observers.on_protocols_changed();
}
void Host::remove_stream_handler(std::string_view protocol) {
  if (state_->acceptors.remove(protocol)) state_->observers.on_protocols_changed();
}
std::vector<std::string> Host::protocols() const { return state_->acceptors.protocols(); }

// ---- connections ----

Task<Result<PeerId>> Host::connect(Multiaddr address) { return connect_to(HostLink(*state_), std::move(address)); }
Task<Result<PeerId>> Host::connect(PeerId peer) { return connect_peer(HostLink(*state_), std::move(peer)); }
bool Host::disconnect(const PeerId& peer, std::string_view why) {
  const MonoTime deadline = state_->runtime.now().mono + Swarm::kCloseTime;
  return state_->swarm->close_peer(peer, fail(Errc::closed, std::string(why)), deadline);
}
bool Host::connected(const PeerId& peer) const { return state_->swarm->connected(peer); }
std::vector<PeerId> Host::connected_peers() const { return state_->swarm->peers(); }
std::vector<ConnectionInfo> Host::connections() const { return state_->swarm->connections(); }
std::vector<ConnectionInfo> Host::connections(const PeerId& peer) const { return state_->swarm->connections(peer); }

// ---- streams ----

Task<Result<Stream>> Host::open_stream(PeerId peer, ProtocolName protocol, std::optional<MonoTime> deadline) {
  std::vector<std::string> protocols;
  protocols.emplace_back(protocol.text());
  return open(std::move(peer), std::move(protocols), deadline);
}
Task<Result<Stream>> Host::open(PeerId peer, std::vector<std::string> protocols, std::optional<MonoTime> deadline) {
  HostLink link(*state_);
  if (!deadline) return libp2p::open_stream(std::move(link), std::move(peer), std::move(protocols));
  std::string what = "opening a stream to " + peer.to_base58();
  auto opening = libp2p::open_stream(std::move(link), std::move(peer), std::move(protocols));
  return open_by(state_->runtime, std::move(opening), *deadline, std::move(what));
}

// ---- what a peer's place is worth ----

void Host::protect(const PeerId& peer, std::string tag) { state_->manager.protect(peer, std::move(tag)); }
bool Host::unprotect(const PeerId& peer, std::string_view tag) { return state_->manager.unprotect(peer, tag); }
bool Host::is_protected(const PeerId& peer) const { return state_->manager.is_protected(peer); }
bool Host::is_spared(const PeerId& peer) const { return state_->manager.is_spared(peer); }
void Host::spare(const PeerId& peer, std::string tag) {
  if (connected(peer)) state_->manager.spare(peer, std::move(tag));
}
void Host::stop_sparing(const PeerId& peer, std::string_view tag) { state_->manager.stop_sparing(peer, tag); }
void Host::set_value(const PeerId& peer, std::string tag, int value) {
  if (connected(peer)) state_->manager.set_value(peer, std::move(tag), value);
}
void Host::mark_proven(const PeerId& peer) {
  if (peer == state_->self || state_->manager.is_proven(peer)) return;
  if (connected(peer)) state_->manager.mark_proven(peer);
  state_->peerstore.mark_proven(peer);  // also of a peer that is gone before its block has been judged
}
bool Host::is_proven(const PeerId& peer) const {
  return state_->manager.is_proven(peer) || state_->peerstore.is_proven(peer);
}

// ---- shares of bounded pools ----

AddressBlocks Host::address_blocks(const PeerId& peer) const { return state_->swarm->address_blocks(peer); }
AddressBlocks Host::address_blocks(const Multiaddr& remote) const { return state_->exemptions.blocks_of(remote); }
void Host::exempt(const Cidr& addresses) { state_->exemptions.add(addresses); }
void Host::exempt(const PeerId& peer) { state_->exemptions.add(peer); }
void Host::exempt(const PeerId& peer, const Cidr& address) { state_->exemptions.add(peer, address); }
void Host::stop_exempting(const PeerId& peer) { state_->exemptions.remove(peer); }
MemoryAccount& Host::memory() { return state_->memory; }

void Host::check() const {
  state_->swarm->check();
  state_->dialer->check();
  state_->peerstore.check();
  state_->manager.check([this](const PeerId& peer) { return state_->swarm->connected(peer); });
  state_->observers.check();
}

Peerstore& Host::peerstore() { return state_->peerstore; }
Gater& Host::gater() { return *state_->gater; }
std::size_t Host::recheck_gater() { return state_->recheck_gater(); }
const HostCounters& Host::counters() const { return state_->counters; }

// ---- what happens ----

Subscription Host::subscribe(std::function<void(const HostEvent&)> listener) {
  return state_->observers.subscribe(std::move(listener));
}
void Host::report_identified(const PeerId& peer, std::vector<std::string> protocols) {
  state_->peerstore.set_protocols(peer, protocols);
  state_->observers.tell(PeerIdentified{peer, std::move(protocols)});
}

Task<void> Host::close(Nanos limit) { return close_host(HostLink(*state_), limit); }

}  // namespace libp2p
