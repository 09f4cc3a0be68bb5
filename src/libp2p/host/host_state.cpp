#include "libp2p/host/host_state.hpp"

#include <utility>

#include "libp2p/host/blocking_gater.hpp"

namespace libp2p {

HostState::HostState(runtime::Runtime& rt, HostConfig host_config)
    : runtime(rt),
      config(std::move(host_config)),
      self(PeerId::from_public_key(config.identity.public_key())),
      gater(config.gater ? config.gater : std::make_shared<BlockingGater>()),
      memory(config.limits.memory),
      peerstore(PeerstoreLimits(), &memory),
      manager(config.connection_manager),
      exemptions(config.limits.exempt),
      observers(rt),
      emptied(rt) {
  SwarmEvents& events = *this;
  const SwarmPolicy& policy = *this;
  swarm = std::make_unique<Swarm>(runtime, config, self, *gater, memory, counters, events, policy);
  dialer = std::make_unique<Dialer>(runtime, config, *swarm, *gater, counters);
  dialer->on_resolved(
      [this](const PeerId& peer, const std::vector<std::string>& ips) { exemptions.on_resolved(peer, ips); });
  dialer->on_dial([this](const DialJob& job) { on_dial(job); });
  jobs = std::make_unique<HostJobs>(runtime, config, *swarm, manager, peerstore, policy, counters);
  scope = std::make_unique<runtime::TaskScope>(runtime);
  stricter_ = gater->stricter().subscribe([this](const GaterStricter&) { on_stricter(); });
}

HostState::~HostState() {
  life.end();
  closing = true;
  observers.close();
  scope.reset();
  jobs.reset();
  dialer.reset();
  swarm.reset();
}

// Once for all rules of one turn, and outside of what made the gater change its mind.
void HostState::on_stricter() {
  if (closing || std::exchange(recheck_posted_, true)) return;
  runtime.post(life.guard([this] {
    recheck_posted_ = false;
    (void)recheck_gater();
  }));
}

std::size_t HostState::recheck_gater() {
  const std::size_t dials = dialer->end_not_permitted();
  return dials + swarm->close_not_permitted();
}

void HostState::on_dial(const DialJob& job) {
  if (!job.outcome) return observers.tell(DialStarted{job.peer, {job.addresses.begin(), job.addresses.end()}});
  if (!*job.outcome) observers.tell(DialFailed{job.peer, job.outcome->error()});
}

void HostState::on_opened(const ConnectionInfo& info, bool first_of_peer, const crypto::PublicKey& key) {
  peerstore.pin(info.peer, swarm->address_blocks(info.peer));
  peerstore.set_key(info.peer, key);
  if (info.direction == Direction::outbound) {
    peerstore.add_dialled(info.peer, info.remote, runtime.now().mono);
  }
  if (peerstore.is_proven(info.peer)) manager.mark_proven(info.peer);
  if (info.direction == Direction::inbound && dialer) dialer->on_connected(info.peer);
  std::optional<HostEvent> next;
  if (first_of_peer) next = PeerConnected{info.peer, info.direction};
  observers.tell(ConnectionOpened{info}, std::move(next));
  jobs->on_opened();
}

void HostState::on_closed(const ConnectionInfo& info, const Error& why, bool last_of_peer) {
  peerstore.unpin(info.peer);
  if (last_of_peer) manager.on_peer_gone(info.peer);
  std::optional<HostEvent> next;
  if (last_of_peer) next = PeerDisconnected{info.peer};
  observers.tell(ConnectionClosed{info, why}, std::move(next));
}

void HostState::on_refused(const Multiaddr& remote, const Error& why) {
  observers.tell(ConnectionRefused{remote, why});
}

void HostState::on_inbound_stream(std::shared_ptr<StreamState> state) {
  Stream stream(std::move(state));
  const StreamAcceptor* const acceptor = acceptors.find(stream.protocol());
  if (closing || acceptor == nullptr) return;  // the handle resets it
  scope->spawn((*acceptor)(std::move(stream)));
}

Standing HostState::standing(const PeerId& peer) const {
  if (manager.is_protected(peer)) return Standing::protected_peer;
  return manager.is_proven(peer) || manager.value(peer) > 0 || peerstore.is_proven(peer) ? Standing::proven
                                                                                         : Standing::unproven;
}

Result<std::shared_ptr<StreamState>> HostState::start_stream(const PeerId& peer, std::vector<std::string> protocols) {
  Connection* connection = swarm->usable(peer);
  if (connection == nullptr) return fail(Errc::not_found, "there is no connection to " + peer.to_base58());
  auto stream = connection->open_stream(std::move(protocols));
  if (!stream) return stream.error().within("opening a stream to " + peer.to_base58());
  return stream;
}

}  // namespace libp2p
