#include "network/host.hpp"

#include <algorithm>
#include <deque>
#include <map>

#include "network/connection_manager.hpp"
#include "network/dial_target.hpp"
#include "network/dialer.hpp"
#include "network/gater.hpp"
#include "network/peerstore.hpp"
#include "network/swarm.hpp"

namespace libp2p::network {

using runtime::Task;

namespace {

// How long a connection that is closed in order may take to send what is queued.
constexpr Nanos kCloseTime = Seconds(5);
constexpr Nanos kCollectEvery = std::chrono::minutes(5);

}  // namespace

class Host::State final : public SwarmEvents {
 public:
  State(runtime::Runtime& rt, HostConfig host_config);
  ~State() override;

  // --- SwarmEvents ---
  void on_opened(const ConnectionInfo& info, bool first_of_peer, const crypto::PublicKey& key) override;
  void on_closed(const ConnectionInfo& info, const Error& why, bool last_of_peer) override;
  void on_refused(const Multiaddr& remote, const Error& why) override;
  void on_empty() override { emptied->signal(); }
  void on_inbound_stream(std::shared_ptr<StreamState> stream) override;
  bool accepts_protocol(std::string_view protocol) const override { return acceptors.contains(protocol); }
  std::vector<std::string> list_protocols() const override;
  AddressBlocks address_blocks(const Multiaddr& remote) const override;
  Standing standing(const PeerId& peer) const override;

  static Task<Result<PeerId>> connect_to(std::weak_ptr<State> weak, Multiaddr address);
  static Task<Result<PeerId>> connect_peer(std::weak_ptr<State> weak, PeerId peer);
  static Task<Result<Stream>> open(std::weak_ptr<State> weak, PeerId peer, std::vector<std::string> protocols);
  static Task<void> close(std::weak_ptr<State> weak, Nanos limit);

  void notify(std::function<void(HostObserver&)> call);
  void trim();
  void collect();
  Result<std::shared_ptr<StreamState>> start_stream(const PeerId& peer, std::vector<std::string> protocols);

  runtime::Runtime& runtime;
  HostConfig config;
  PeerId self;
  std::shared_ptr<Gater> gater;
  MemoryAccount memory;
  Peerstore peerstore;
  ConnectionManager manager;
  std::map<PeerId, std::vector<Cidr>> exempt_peers;  // and the addresses that their names led to last
  HostCounters counters;
  std::map<std::string, StreamAcceptor, std::less<>> acceptors;
  std::vector<HostObserver*> observers;  // null: taken off, until the list is not being walked
  unsigned walking = 0;
  std::weak_ptr<State> self_weak;
  bool closing = false;
  std::unique_ptr<runtime::Timer> trim_timer;
  std::unique_ptr<runtime::Timer> collect_timer;
  std::unique_ptr<runtime::Event> emptied;  // signalled when the last connection has gone
  // In this order: the dialer uses the swarm, acceptors use both and go first.
  std::unique_ptr<Swarm> swarm;
  std::unique_ptr<Dialer> dialer;
  std::unique_ptr<runtime::TaskScope> scope;
};

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
  scope = std::make_unique<runtime::TaskScope>(runtime);
}

Host::State::~State() {
  closing = true;
  observers.clear();
  scope.reset();
  dialer.reset();
  swarm.reset();
}

void Host::State::notify(std::function<void(HostObserver&)> call) {
  if (observers.empty()) return;
  runtime.post([weak = self_weak, call = std::move(call)] {
    // An observer may destroy the host, take itself off or add others: the state is kept, and later ones are not told.
    const auto state = weak.lock();
    if (!state) return;
    const std::size_t count = state->observers.size();
    ++state->walking;
    for (std::size_t i = 0; i < std::min(count, state->observers.size()); ++i) {
      if (state->observers[i] != nullptr) call(*state->observers[i]);
    }
    if (--state->walking == 0) std::erase(state->observers, nullptr);
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
  notify([info, first_of_peer](HostObserver& observer) {
    observer.on_connection_opened(info);
    if (first_of_peer) observer.on_peer_connected(info.peer, info.direction);
  });
  if (swarm->open_count() > config.connection_manager.high) trim_timer->arm(runtime.now().mono);
}

void Host::State::on_closed(const ConnectionInfo& info, const Error& why, bool last_of_peer) {
  peerstore.unpin(info.peer);
  if (last_of_peer) manager.on_peer_gone(info.peer);
  notify([info, why, last_of_peer](HostObserver& observer) {
    observer.on_connection_closed(info, why);
    if (last_of_peer) observer.on_peer_disconnected(info.peer);
  });
}

void Host::State::on_refused(const Multiaddr& remote, const Error& why) {
  notify([remote, why](HostObserver& observer) { observer.on_connection_refused(remote, why); });
}

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
    swarm->close(id, fail(Errc::closed, "trimmed: more than " + std::to_string(config.connection_manager.high) + " connections"),
                 now + kCloseTime);
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

// ---- Host ----

Host::Host(runtime::Runtime& runtime, HostConfig config) : state_(std::make_shared<State>(runtime, std::move(config))) {
  state_->self_weak = state_;
}
Host::~Host() {
  // Somebody further up the stack may hold the state for a moment longer.
  state_->closing = true;
  state_->observers.clear();
}

runtime::Runtime& Host::runtime() { return state_->runtime; }
const PeerId& Host::id() const { return state_->self; }
const crypto::PrivateKey& Host::identity() const { return state_->config.identity; }
const HostConfig& Host::config() const { return state_->config; }

Result<void> Host::listen(const Multiaddr& address) {
  if (state_->closing) return fail(Errc::closed, "the host is closed");
  return state_->swarm->listen(address);
}
std::vector<Multiaddr> Host::listen_addresses() const { return state_->swarm->listen_addresses(); }

void Host::set_stream_handler(std::string protocol, StreamAcceptor acceptor) {
  state_->acceptors.insert_or_assign(std::move(protocol), std::move(acceptor));
}
void Host::remove_stream_handler(std::string_view protocol) {
  const auto found = state_->acceptors.find(protocol);
  if (found != state_->acceptors.end()) state_->acceptors.erase(found);
}
std::vector<std::string> Host::protocols() const { return state_->list_protocols(); }

Task<Result<PeerId>> Host::connect(Multiaddr address) {
  std::weak_ptr<State> weak = state_;
  return State::connect_to(std::move(weak), std::move(address));
}
Task<Result<PeerId>> Host::connect(PeerId peer) {
  std::weak_ptr<State> weak = state_;
  return State::connect_peer(std::move(weak), std::move(peer));
}
bool Host::disconnect(const PeerId& peer, std::string_view why) {
  return state_->swarm->close_peer(peer, fail(Errc::closed, std::string(why)), state_->runtime.now().mono + kCloseTime);
}
Task<Result<Stream>> Host::open_stream(PeerId peer, std::vector<std::string> protocols) {
  std::weak_ptr<State> weak = state_;
  return State::open(std::move(weak), std::move(peer), std::move(protocols));
}

bool Host::connected(const PeerId& peer) const { return state_->swarm->connected(peer); }
std::vector<PeerId> Host::connected_peers() const { return state_->swarm->peers(); }
std::vector<ConnectionInfo> Host::connections() const { return state_->swarm->connections(); }
std::vector<ConnectionInfo> Host::connections(const PeerId& peer) const { return state_->swarm->connections(peer); }

void Host::protect(const PeerId& peer, std::string tag) { state_->manager.protect(peer, std::move(tag)); }
bool Host::unprotect(const PeerId& peer, std::string_view tag) { return state_->manager.unprotect(peer, tag); }
bool Host::is_protected(const PeerId& peer) const { return state_->manager.is_spared(peer); }
void Host::spare(const PeerId& peer, std::string tag) {
  if (connected(peer)) state_->manager.spare(peer, std::move(tag));
}
void Host::stop_sparing(const PeerId& peer, std::string_view tag) { state_->manager.stop_sparing(peer, tag); }
void Host::set_value(const PeerId& peer, std::string tag, int value) {
  if (connected(peer)) state_->manager.set_value(peer, std::move(tag), value);
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

AddressBlocks Host::address_blocks(const Multiaddr& remote) const { return state_->address_blocks(remote); }
AddressBlocks Host::address_blocks(const PeerId& peer) const { return state_->swarm->address_blocks(peer); }
void Host::exempt(const Cidr& addresses) {
  auto& exempt = state_->config.limits.exempt;
  if (std::find(exempt.begin(), exempt.end(), addresses) == exempt.end()) exempt.push_back(addresses);
}
void Host::exempt(const PeerId& peer) { state_->exempt_peers.try_emplace(peer); }
void Host::stop_exempting(const PeerId& peer) { state_->exempt_peers.erase(peer); }
void Host::mark_proven(const PeerId& peer) {
  if (peer == state_->self || state_->manager.is_proven(peer)) return;
  if (connected(peer)) state_->manager.mark_proven(peer);
  state_->peerstore.mark_proven(peer);  // also of a peer that is gone before its block has been judged
}
bool Host::is_proven(const PeerId& peer) const {
  return state_->manager.is_proven(peer) || state_->peerstore.is_proven(peer);
}
MemoryAccount& Host::memory() { return state_->memory; }

Peerstore& Host::peerstore() { return state_->peerstore; }
Gater& Host::gater() { return *state_->gater; }
const HostCounters& Host::counters() const { return state_->counters; }

void Host::add_observer(HostObserver* observer) { state_->observers.push_back(observer); }
void Host::remove_observer(HostObserver* observer) {
  std::replace(state_->observers.begin(), state_->observers.end(), observer, static_cast<HostObserver*>(nullptr));
}
void Host::report_identified(const PeerId& peer, std::vector<std::string> protocols) {
  state_->peerstore.set_protocols(peer, protocols);
  state_->notify([peer, protocols = std::move(protocols)](HostObserver& observer) {
    observer.on_peer_identified(peer, protocols);
  });
}

Task<void> Host::close(Nanos limit) {
  std::weak_ptr<State> weak = state_;
  return State::close(std::move(weak), limit);
}

}  // namespace libp2p::network
