#include "network/swarm.hpp"

#include <algorithm>

#include "network/dial_target.hpp"

namespace libp2p::network {

namespace {

Error limit_error(std::string_view what, std::size_t value, std::string_view name) {
  return fail(Errc::exhausted, std::to_string(value) + " " + std::string(what) + " is the limit (" + std::string(name) + ")");
}

// What one machine can dial from: an IPv4 address, or the 64 bits of IPv6 that a subnet has in common.
Bytes address_block(const Multiaddr& remote) {
  constexpr std::size_t kPrefix = 8;  // bytes
  for (const auto& part : remote.components()) {
    if (part.protocol == multiformats::Protocol::ip4) return part.value;
    if (part.protocol == multiformats::Protocol::ip6) return {part.value.begin(), part.value.begin() + kPrefix};
  }
  return {};
}

}  // namespace

Swarm::Swarm(runtime::Runtime& runtime, const HostConfig& config, PeerId self, Gater& gater, HostCounters& counters,
             SwarmEvents& events)
    : runtime_(runtime),
      config_(config),
      self_(std::move(self)),
      gater_(gater),
      counters_(counters),
      events_(events),
      alive_(std::make_shared<bool>(true)) {
  auto credentials = noise::Credentials::make(config_.identity, runtime_.rng());
  if (!credentials) {
    throw std::invalid_argument("the host's identity cannot sign: " + credentials.error().message());
  }
  credentials_.emplace(std::move(*credentials));
}

Swarm::~Swarm() {
  *alive_ = false;
  waits_.clear();
}

Result<void> Swarm::listen(const Multiaddr& address) {
  OPP2P_TRY(const DialTarget target, dial_target(address));
  if (target.is_name) {
    return fail(Errc::unsupported, "'" + address.text() + "' cannot be listened on: give an IP address, not a name");
  }
  OPP2P_TRY(auto listener, runtime_.listen({target.host, target.port}, [this](std::unique_ptr<runtime::Socket> socket) {
    accept(std::move(socket));
  }));
  Multiaddr bound = to_multiaddr(listener->local());
  listeners_.push_back({std::move(listener), std::move(bound)});
  return {};
}

std::vector<Multiaddr> Swarm::listen_addresses() const {
  std::vector<Multiaddr> out;
  for (const auto& listening : listeners_) out.push_back(listening.address);
  return out;
}

bool Swarm::make_room(const Bytes* block) {
  const MonoTime now = runtime_.now().mono;
  for (auto& [id, entry] : connections_) {  // the oldest first
    Connection& connection = *entry.connection;
    if (entry.open || connection.direction() != Direction::inbound || connection.closing()) continue;
    if (block != nullptr && address_block(connection.remote()) != *block) continue;
    if (now - connection.opened() < config_.limits.pending_patience) return false;
    connection.close(Error(Errc::exhausted, "a newcomer needs the place of a handshake that does not end"), now);
    return true;
  }
  return false;
}

Result<void> Swarm::admit(const Multiaddr& remote) {
  const Limits& limits = config_.limits;
  const Bytes block = address_block(remote);
  const auto of_address = pending_by_address_.find(block);
  if (of_address != pending_by_address_.end() && of_address->second >= limits.pending_inbound_per_address) {
    if (!make_room(&block)) {
      ++counters_.refused_pending_inbound;
      return limit_error("half-open inbound connections from one address", limits.pending_inbound_per_address,
                         "Limits::pending_inbound_per_address");
    }
  } else if (pending_inbound_ >= limits.pending_inbound && !make_room(nullptr)) {
    ++counters_.refused_pending_inbound;
    return limit_error("half-open inbound connections", limits.pending_inbound, "Limits::pending_inbound");
  }
  if (inbound_count() >= limits.inbound_connections) {
    ++counters_.refused_inbound_connections;
    return limit_error("inbound connections", limits.inbound_connections, "Limits::inbound_connections");
  }
  auto allowed = gater_.intercept_accept(remote);
  if (!allowed) ++counters_.denied_by_gater;
  return allowed;
}

void Swarm::accept(std::unique_ptr<runtime::Socket> socket) {
  const Multiaddr remote = to_multiaddr(socket->remote());
  const auto admitted = admit(remote);
  if (!admitted) return events_.on_refused(remote, admitted.error());
  ++pending_inbound_;
  ++pending_by_address_[address_block(remote)];
  make(std::move(socket), Direction::inbound, remote, std::nullopt).start();
}

ConnectionId Swarm::adopt_outbound(std::unique_ptr<runtime::Socket> socket, const Multiaddr& remote,
                                   std::optional<PeerId> expected, HandshakeWait* wait) {
  ++pending_outbound_;
  Connection& connection = make(std::move(socket), Direction::outbound, remote, std::move(expected));
  const ConnectionId id = connection.id();
  waits_.emplace(id, wait);
  connection.start();
  return id;
}

Connection& Swarm::make(std::unique_ptr<runtime::Socket> socket, Direction direction, const Multiaddr& remote,
                        std::optional<PeerId> expected) {
  const Limits& limits = config_.limits;
  ConnectionConfig config;
  config.identity = &config_.identity;
  config.noise_credentials = &*credentials_;
  config.expected_peer = std::move(expected);
  config.accepts_protocol = [this](std::string_view protocol) { return events_.accepts_protocol(protocol); };
  config.list_protocols = [this] { return events_.list_protocols(); };
  config.limits.handshake_timeout = limits.handshake_timeout;
  config.limits.stream_negotiation_timeout = limits.negotiation_timeout;
  config.limits.muxer.max_inbound_streams = limits.streams_per_connection;
  config.limits.muxer.max_send_queue = limits.stream_send_queue;
  config.limits.muxer.send_low_water = limits.stream_send_queue / 4;
  config.limits.muxer.max_receive_memory = limits.connection_memory;
  const ConnectionId id = next_id_++;
  ConnectionPlan plan{id, direction, remote, to_multiaddr(socket->local())};
  ConnectionOwner& owner = *this;
  auto connection = std::make_unique<Connection>(runtime_, buffers_, owner, std::move(plan), std::move(socket),
                                                 std::move(config));
  Connection& made = *connection;
  connections_.emplace(id, Entry{std::move(connection), false});
  return made;
}

Result<void> Swarm::allow(Connection& connection) {
  const PeerId& peer = connection.peer();
  if (peer == self_) return fail(Errc::denied, "the peer at " + connection.remote().text() + " is this node itself");
  auto allowed = gater_.intercept_secured(connection.direction(), peer, connection.remote());
  if (allowed) allowed = gater_.intercept_upgraded(connection.direction(), peer, connection.remote());
  if (!allowed) {
    ++counters_.denied_by_gater;
    return allowed;
  }
  const auto known = peers_.find(peer);
  if (known != peers_.end() && known->second.size() >= config_.limits.connections_per_peer) {
    ++counters_.refused_connections_per_peer;
    return limit_error("connections to " + peer.to_base58(), config_.limits.connections_per_peer,
                       "Limits::connections_per_peer");
  }
  return {};
}

Result<void> Swarm::on_connection_ready(Connection& connection) {
  OPP2P_TRYV(allow(connection));
  Entry& entry = connections_.at(connection.id());
  entry.open = true;
  if (connection.direction() == Direction::inbound) {
    no_longer_pending(connection.remote());
    ++open_inbound_;
  } else {
    --pending_outbound_;
  }
  auto& of_peer = peers_[connection.peer()];
  of_peer.push_back(connection.id());
  events_.on_opened(info(connection), of_peer.size() == 1, connection.peer_key());
  tell_wait(connection.id(), connection.peer());
  return {};
}

void Swarm::no_longer_pending(const Multiaddr& remote) {
  --pending_inbound_;
  const auto of_address = pending_by_address_.find(address_block(remote));
  if (--of_address->second == 0) pending_by_address_.erase(of_address);
}

void Swarm::tell_wait(ConnectionId id, Result<PeerId> outcome) {
  const auto node = waits_.extract(id);
  if (!node) return;
  node.mapped()->outcome.emplace(std::move(outcome));
  node.mapped()->parking.wake(runtime::Wake::ok);
}

void Swarm::on_inbound_stream(Connection&, std::shared_ptr<StreamState> stream) {
  events_.on_inbound_stream(std::move(stream));
}

void Swarm::on_connection_closed(Connection& connection, const Error& why) {
  auto node = connections_.extract(connection.id());
  const bool was_open = node.mapped().open;
  const bool inbound = connection.direction() == Direction::inbound;
  ended_.push_back(std::move(node.mapped().connection));
  runtime_.post([this, alive = alive_] {
    if (*alive) ended_.clear();
  });
  if (was_open) {
    if (inbound) --open_inbound_;
    const auto of_peer = peers_.find(connection.peer());
    std::erase(of_peer->second, connection.id());
    const bool last = of_peer->second.empty();
    if (last) peers_.erase(of_peer);
    events_.on_closed(info(connection), why, last);
  } else if (inbound) {
    no_longer_pending(connection.remote());
    ++counters_.failed_handshakes;
    events_.on_refused(connection.remote(), why);
  } else {
    --pending_outbound_;
    tell_wait(connection.id(), why);
  }
  if (connections_.empty()) events_.on_empty();
}

std::vector<PeerId> Swarm::peers() const {
  std::vector<PeerId> out;
  out.reserve(peers_.size());
  for (const auto& [peer, ids] : peers_) out.push_back(peer);
  return out;
}

ConnectionInfo Swarm::info(const Connection& connection) const {
  ConnectionInfo out;
  out.id = connection.id();
  out.peer = connection.peer();
  out.direction = connection.direction();
  out.remote = connection.remote();
  out.local = connection.local();
  out.opened = connection.opened();
  out.streams = connection.streams();
  out.bytes_in = connection.bytes_in();
  out.bytes_out = connection.bytes_out();
  return out;
}

std::vector<ConnectionInfo> Swarm::connections() const {
  std::vector<ConnectionInfo> out;
  for (const auto& [id, entry] : connections_) {
    if (entry.open) out.push_back(info(*entry.connection));
  }
  return out;
}

std::vector<ConnectionInfo> Swarm::connections(const PeerId& peer) const {
  std::vector<ConnectionInfo> out;
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return out;
  for (const ConnectionId id : found->second) out.push_back(info(*connections_.at(id).connection));
  return out;
}

Connection* Swarm::usable(const PeerId& peer) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return nullptr;
  for (const ConnectionId id : found->second) {
    Connection* connection = connections_.at(id).connection.get();
    if (connection->usable()) return connection;
  }
  return nullptr;
}

void Swarm::close(ConnectionId id, const Error& why, MonoTime deadline) {
  const auto found = connections_.find(id);
  if (found != connections_.end()) found->second.connection->close(why, deadline);
}

bool Swarm::close_peer(const PeerId& peer, const Error& why, MonoTime deadline) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return false;
  for (const ConnectionId id : found->second) close(id, why, deadline);
  return true;
}

void Swarm::close_all(const Error& why, MonoTime deadline) {
  for (auto& [id, entry] : connections_) entry.connection->close(why, deadline);
}

}  // namespace libp2p::network
