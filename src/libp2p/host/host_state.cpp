// The inside of Host: what connections, streams and dials do to it.
#include "libp2p/host/host_state.hpp"

#include <algorithm>

namespace libp2p {

using runtime::Task;

namespace {

constexpr Nanos kCollectEvery = std::chrono::minutes(5);

}  // namespace

Host::State::State(runtime::Runtime& rt, HostConfig host_config)
    : runtime(rt),
      config(std::move(host_config)),
      self(PeerId::from_public_key(config.identity.public_key())),
      gater(config.gater ? config.gater : std::make_shared<BasicGater>()),
      memory(config.limits.memory),
      peerstore(PeerstoreLimits(), &memory),
      manager(config.connection_manager) {
  trim_timer = runtime.make_timer([this] { trim(); });
  collect_timer = runtime.make_timer([this] { collect(); });
  collect_timer->arm(runtime.now().mono + kCollectEvery);
  emptied = std::make_unique<runtime::Event>(runtime);
  swarm = std::make_unique<Swarm>(runtime, config, self, *gater, memory, counters, *this);
  dialer = std::make_unique<Dialer>(runtime, config, *swarm, *gater, counters);
  dialer->on_resolved([this](const PeerId& peer, const std::vector<std::string>& ips) {
    const auto found = exempt_peers.find(peer);
    if (found == exempt_peers.end()) return;
    found->second.clear();
    for (const auto& ip : ips) {
      if (auto single = Cidr::from_text(ip)) found->second.push_back(std::move(*single));
    }
  });
  dialer->on_dial([this](const DialJob& job) {
    if (!job.outcome) return tell(DialStarted{job.peer, {job.addresses.begin(), job.addresses.end()}});
    if (!*job.outcome) tell(DialFailed{job.peer, job.outcome->error()});
  });
  scope = std::make_unique<runtime::TaskScope>(runtime);
}

Host::State::~State() {
  closing = true;
  events.close();
  scope.reset();
  dialer.reset();
  swarm.reset();
}

void Host::State::tell(HostEvent event, std::optional<HostEvent> next) {
  if (!events.has_listeners()) return;
  runtime.post([weak = self_weak, happened = events.mark(), event = std::move(event), next = std::move(next)] {
    const auto state = weak.lock();  // kept: a listener may destroy the host, and then the others hear nothing more
    if (!state) return;
    state->events.emit(event, happened);
    if (next) state->events.emit(*next, happened);
  });
}

void Host::State::on_protocols_changed() {
  if (std::exchange(change_posted, true)) return;
  runtime.post([weak = self_weak] {
    const auto state = weak.lock();
    if (!state) return;
    state->change_posted = false;
    state->tell(ProtocolsChanged());
  });
}

void Host::State::on_opened(const ConnectionInfo& info, bool first_of_peer, const crypto::PublicKey& key) {
  peerstore.pin(info.peer, swarm->address_blocks(info.peer));
  peerstore.set_key(info.peer, key);
  if (info.direction == Direction::outbound) {
    peerstore.add_dialled(info.peer, info.remote, runtime.now().mono);
  }
  if (peerstore.is_proven(info.peer)) manager.mark_proven(info.peer);
  if (info.direction == Direction::inbound && dialer) dialer->on_connected(info.peer);
  std::optional<HostEvent> next;
  if (first_of_peer) next = PeerConnected{info.peer, info.direction};
  tell(ConnectionOpened{info}, std::move(next));
  if (swarm->open_count() > config.connection_manager.high) trim_timer->arm(runtime.now().mono);
}

void Host::State::on_closed(const ConnectionInfo& info, const Error& why, bool last_of_peer) {
  peerstore.unpin(info.peer);
  if (last_of_peer) manager.on_peer_gone(info.peer);
  std::optional<HostEvent> next;
  if (last_of_peer) next = PeerDisconnected{info.peer};
  tell(ConnectionClosed{info, why}, std::move(next));
}

void Host::State::on_refused(const Multiaddr& remote, const Error& why) { tell(ConnectionRefused{remote, why}); }

void Host::State::on_inbound_stream(std::shared_ptr<StreamState> state) {
  Stream stream(std::move(state));
  const auto acceptor = acceptors.find(stream.protocol());
  if (closing || acceptor == acceptors.end()) return;  // the handle resets it
  scope->spawn(acceptor->second(std::move(stream)));
}

std::vector<std::string> Host::State::list_protocols() const {
  std::vector<std::string> out;
  for (const auto& [protocol, acceptor] : acceptors) out.push_back(protocol);
  return out;
}

void Host::State::trim() {
  const MonoTime now = runtime.now().mono;
  const auto open = swarm->connections();
  for (const auto id : manager.choose(open, [this](const Multiaddr& remote) { return address_blocks(remote); }, now)) {
    ++counters.trimmed;
    swarm->close(id,
                 fail(Errc::closed, "trimmed: more than " + std::to_string(config.connection_manager.high) +
                                        " connections (ConnectionManagerConfig::high, --p2p.peers.hi)"),
                 now + kCloseTime, CloseCode::garbage_collected);
  }
  const auto next = manager.next_check(open, now);
  if (next) trim_timer->arm(*next);
}

void Host::State::collect() {
  const MonoTime now = runtime.now().mono;
  peerstore.collect(now);
  collect_timer->arm(now + kCollectEvery);
}

Result<std::shared_ptr<StreamState>> Host::State::start_stream(const PeerId& peer, std::vector<std::string> protocols) {
  Connection* connection = swarm->usable(peer);
  if (connection == nullptr) return fail(Errc::not_found, "there is no connection to " + peer.to_base58());
  auto stream = connection->open_stream(std::move(protocols));
  if (!stream) return stream.error().within("opening a stream to " + peer.to_base58());
  return stream;
}

Task<Result<PeerId>> Host::State::connect_to(std::weak_ptr<State> weak, Multiaddr address) {
  std::shared_ptr<DialJob> job;
  {
    const auto state = weak.lock();
    if (!state || state->closing) co_return fail(Errc::closed, "the host is closed");
    const auto named = address.peer_id();
    PeerId peer = named ? *named : PeerId();
    if (peer == state->self) co_return fail(Errc::invalid_argument, "'" + address.text() + "' is this node itself");
    if (!peer.empty() && state->swarm->usable(peer) != nullptr) co_return peer;
    job = state->dialer->dial(peer, {address});
  }
  auto waiting = wait_for_dial(std::move(job));
  auto outcome = co_await waiting;
  co_return outcome;
}

Task<Result<PeerId>> Host::State::connect_peer(std::weak_ptr<State> weak, PeerId peer) {
  std::shared_ptr<DialJob> job;
  {
    const auto state = weak.lock();
    if (!state || state->closing) co_return fail(Errc::closed, "the host is closed");
    if (peer == state->self) co_return fail(Errc::invalid_argument, "a node cannot connect to itself");
    if (state->swarm->usable(peer) != nullptr) co_return peer;
    const auto addresses = state->peerstore.addresses(peer, state->runtime.now().mono);
    if (addresses.empty()) {
      co_return fail(Errc::not_found, "no address of " + peer.to_base58() + " is known; dial it with a multiaddr");
    }
    job = state->dialer->dial(peer, addresses);
  }
  auto waiting = wait_for_dial(std::move(job));
  auto outcome = co_await waiting;
  co_return outcome;
}

Task<Result<Stream>> Host::State::open(std::weak_ptr<State> weak, PeerId peer, std::vector<std::string> protocols) {
  if (protocols.empty()) co_return fail(Errc::invalid_argument, "a stream needs at least one protocol");
  const bool lazy = protocols.size() == 1;
  bool connected = false;
  {
    const auto state = weak.lock();
    if (!state || state->closing) co_return fail(Errc::closed, "the host is closed");
    connected = state->swarm->usable(peer) != nullptr;
  }
  if (!connected) {
    std::weak_ptr<State> again = weak;
    PeerId whom = peer;
    auto connecting = connect_peer(std::move(again), std::move(whom));
    auto outcome = co_await connecting;
    if (!outcome) co_return outcome.error();
  }
  std::shared_ptr<StreamState> stream;
  {
    const auto state = weak.lock();
    if (!state || state->closing) co_return fail(Errc::closed, "the host is closed");
    auto started = state->start_stream(peer, std::move(protocols));
    if (!started) co_return started.error();
    stream = std::move(*started);
  }
  Stream handle(stream);
  if (!lazy) {
    auto opening = wait_until_opened(stream);
    auto opened = co_await opening;
    if (!opened) co_return opened.error();
  }
  co_return handle;
}

namespace {

// An opening that a deadline may overtake.
struct Opening {
  explicit Opening(runtime::Runtime& runtime) : done(runtime) {}
  runtime::Event done;
  std::optional<Result<Stream>> outcome;
};

Task<void> keep_outcome(Task<Result<Stream>> opening, std::shared_ptr<Opening> kept) {
  auto outcome = co_await opening;
  kept->outcome.emplace(std::move(outcome));
  kept->done.signal();
}

}  // namespace

Task<Result<Stream>> Host::State::open_by(runtime::Runtime& runtime, Task<Result<Stream>> opening, MonoTime deadline,
                                          std::string what) {
  if (runtime.now().mono >= deadline) co_return fail(Errc::timed_out, what + " did not begin: its deadline is past");
  auto kept = std::make_shared<Opening>(runtime);
  runtime::TaskScope scope(
      runtime);  // what has not ended by the deadline ends with it: a dial is abandoned, a stream reset
  scope.spawn(keep_outcome(std::move(opening), kept));
  auto waiting = kept->done.wait_until(deadline);
  const auto woken = co_await waiting;
  if (!kept->outcome) {
    const bool late = woken.error() == Errc::timed_out;
    co_return late ? fail(Errc::timed_out, what + " did not end by its deadline") : woken.error().within(what);
  }
  if (!*kept->outcome) co_return kept->outcome->error();
  Stream stream = std::move(**kept->outcome);
  stream.set_read_deadline(deadline);
  stream.set_write_deadline(deadline);
  co_return stream;
}

Task<void> Host::State::close(std::weak_ptr<State> weak, Nanos limit) {
  MonoTime end;
  {
    const auto state = weak.lock();
    if (!state) co_return;
    end = state->runtime.now().mono + limit;
    state->closing = true;
    state->swarm->stop_listening();
    state->dialer->cancel();
    state->swarm->close_all(fail(Errc::closed, "the host is closing"), end);
  }
  // The event may have been signalled by an earlier emptiness.
  while (true) {
    auto state = weak.lock();
    if (!state) co_return;
    if (state->swarm->total_count() == 0) break;
    auto waiting = state->emptied->wait_until(end);
    state.reset();  // the host may be destroyed while this waits
    const auto done = co_await waiting;
    if (!done) break;  // at the deadline the connections close themselves
  }
  auto state = weak.lock();
  if (!state) co_return;
  auto closing_scope = state->scope->close_by(end + Millis(1));
  state.reset();
  const auto done = co_await closing_scope;
  (void)done;  // what did not end by itself is destroyed with the scope
  state = weak.lock();
  if (!state) co_return;
  state->scope = std::make_unique<runtime::TaskScope>(state->runtime);
}

AddressBlocks Host::State::address_blocks(const Multiaddr& remote) const {
  const auto ip = multiformats::ip_of(remote);
  if (!ip) return {};
  const auto covers = [&ip](const std::vector<Cidr>& exempt) {
    return std::any_of(exempt.begin(), exempt.end(), [&ip](const Cidr& block) { return block.contains(*ip); });
  };
  if (covers(config.limits.exempt)) return {};
  for (const auto& [peer, exempt] : exempt_peers) {
    if (covers(exempt)) return {};
  }
  return multiformats::address_blocks(remote);
}

Standing Host::State::standing(const PeerId& peer) const {
  if (manager.is_protected(peer)) return Standing::protected_peer;
  return manager.is_proven(peer) || manager.value(peer) > 0 || peerstore.is_proven(peer) ? Standing::proven
                                                                                         : Standing::unproven;
}

}  // namespace libp2p
