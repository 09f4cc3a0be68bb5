#include "libp2p/services/static_peers/static_peers.hpp"

#include <algorithm>

#include "libp2p/base/peer_text.hpp"
#include "libp2p/host/peerstore.hpp"

namespace libp2p {

namespace {
constexpr const char* kTag = "static";
}

StaticPeers::StaticPeers(Host& host, StaticPeersConfig config) : host_(host), config_(config) {
  timer_ = host_.runtime().make_timer([this] { attempt_due(); });
  host_events_ = host_.subscribe([this](const HostEvent& event) {
    if (const auto* connected = std::get_if<PeerConnected>(&event)) on_peer_connected(connected->peer);
    if (const auto* gone = std::get_if<PeerDisconnected>(&event)) on_peer_disconnected(gone->peer);
  });
}

StaticPeers::~StaticPeers() {
  for (const auto& [id, peer] : peers_) {
    host_.unprotect(id, kTag);
    host_.stop_exempting(id);
    host_.peerstore().unpin(id);
  }
}

Result<bool> StaticPeers::add(const Multiaddr& address) {
  const auto id = address.peer_id();
  if (!id)
    return fail(Errc::invalid_argument,
                "the static peer '" + peer_text(address.text()) + "' needs a /p2p/ID at its end");
  if (*id == host_.id()) return false;
  OPP2P_TRYV(host_.can_dial(address));
  // Its addresses have no share in the limits of strangers; those of a name are known when it is dialled.
  host_.exempt(*id);
  if (const auto ip = multiformats::ip_of(address)) host_.exempt(*id, Cidr::single(*ip));
  const auto known = peers_.find(*id);
  if (known != peers_.end()) {
    auto& addresses = known->second.addresses;
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) addresses.push_back(address);
    return true;
  }
  Peer& peer = peers_[*id];
  peer.addresses.push_back(address);
  host_.protect(*id, kTag);
  host_.peerstore().pin(*id);
  if (!host_.connected(*id)) schedule(peer, Nanos(0));
  return true;
}

bool StaticPeers::remove(const PeerId& id) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return false;
  for (const auto& address : found->second.addresses) host_.peerstore().remove_address(id, address);
  host_.unprotect(id, kTag);
  host_.stop_exempting(id);
  host_.peerstore().unpin(id);
  peers_.erase(found);
  return true;
}

StaticPeerStatus StaticPeers::status_of(const PeerId& id, const Peer& peer) const {
  StaticPeerStatus out;
  out.peer = id;
  out.addresses = peer.addresses;
  out.connected = host_.connected(id);
  out.was_connected = peer.was_connected || out.connected;
  out.dialling = peer.dialling;
  out.next_attempt = peer.next_attempt;
  out.failures = peer.failures;
  out.last_error = peer.last_error;
  return out;
}

std::vector<StaticPeerStatus> StaticPeers::status() const {
  std::vector<StaticPeerStatus> out;
  for (const auto& [id, peer] : peers_) out.push_back(status_of(id, peer));
  return out;
}

Nanos StaticPeers::delay_after(unsigned failures) {
  Nanos delay = config_.first_delay;
  for (unsigned i = 1; i < failures && delay < config_.longest_delay; ++i) delay *= 2;
  delay = std::min(delay, config_.longest_delay);
  const double factor = 1 - config_.jitter + 2 * config_.jitter * host_.runtime().rng().next_unit();
  return Nanos(static_cast<std::int64_t>(static_cast<double>(delay.count()) * factor));
}

void StaticPeers::schedule(Peer& peer, Nanos delay) {
  peer.next_attempt = host_.runtime().now().mono + delay;
  arm();
}

void StaticPeers::arm() {
  std::optional<MonoTime> first;
  for (const auto& [id, peer] : peers_) {
    if (peer.next_attempt && (!first || *peer.next_attempt < *first)) first = peer.next_attempt;
  }
  if (first) {
    timer_->arm(*first);
  } else {
    timer_->disarm();
  }
}

void StaticPeers::attempt_due() {
  const MonoTime now = host_.runtime().now().mono;
  for (auto& [id, peer] : peers_) {
    if (!peer.next_attempt || *peer.next_attempt > now) continue;
    peer.next_attempt.reset();
    if (peer.dialling || host_.connected(id)) continue;
    peer.dialling = true;
    peer.scope = std::make_unique<runtime::TaskScope>(host_.runtime());
    peer.scope->spawn(dial(id));
  }
  arm();
}

runtime::Task<void> StaticPeers::dial(PeerId id) {
  {
    const auto found = peers_.find(id);
    if (found == peers_.end()) co_return;
    host_.peerstore().add_addresses(id, found->second.addresses, kStaticAddress, host_.runtime().now().mono);
    // Last: a listener may remove the peer.
    if (events_.has_listeners()) events_.emit(StaticDialStarted{status_of(id, found->second)});
  }
  PeerId target = id;
  auto connecting = host_.connect(std::move(target));
  const auto outcome = co_await connecting;
  const auto found = peers_.find(id);
  if (found == peers_.end()) co_return;
  Peer& peer = found->second;
  peer.dialling = false;
  if (host_.connected(id)) {
    peer.failures = 0;
    peer.last_error.clear();
    co_return;
  }
  ++peer.failures;
  const Error why = outcome ? fail(Errc::closed, "the connection ended at once") : outcome.error();
  peer.last_error = why.message();
  schedule(peer, delay_after(peer.failures));
  if (events_.has_listeners()) events_.emit(StaticDialFailed{status_of(id, peer), why});
}

void StaticPeers::on_peer_connected(const PeerId& id) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return;
  found->second.was_connected = true;
  found->second.failures = 0;
  found->second.last_error.clear();
}

void StaticPeers::on_peer_disconnected(const PeerId& id) {
  const auto found = peers_.find(id);
  if (found == peers_.end() || host_.connected(id)) return;
  // A dial that is under way schedules the next one itself.
  if (!found->second.dialling && !found->second.next_attempt) schedule(found->second, delay_after(1));
  if (events_.has_listeners()) events_.emit(StaticPeerLost{status_of(id, found->second)});
}

}  // namespace libp2p
