#include "libp2p/host/swarm.hpp"

#include <algorithm>

#include "libp2p/host/dial_target.hpp"

namespace libp2p {

Error limit_error(std::string_view what, std::size_t value, std::string_view name) {
  return fail(Errc::exhausted, std::to_string(value) + " " + std::string(what) + " is the limit (" + std::string(name) + ")");
}

Swarm::Swarm(runtime::Runtime& runtime, const HostConfig& config, PeerId self, Gater& gater, MemoryAccount& memory,
             HostCounters& counters, SwarmEvents& events)
    : runtime_(runtime),
      config_(config),
      self_(std::move(self)),
      gater_(gater),
      memory_(memory),
      counters_(counters),
      events_(events),
      alive_(std::make_shared<bool>(true)),
      half_open_({.total = config.limits.pending_inbound}),
      inbound_({.narrow = config.limits.connections_per_address, .wide = config.limits.connections_per_ip6_48}),
      rates_(config.limits.address_rate, config.limits.ip6_48_rate),
      handshakes_(config.limits.handshakes.per_second, config.limits.handshakes.burst, runtime.now().mono) {
  auto kinds = ConnectionKinds::make(config_.securities, config_.muxers, config_.identity, runtime_.rng());
  if (!kinds) throw std::invalid_argument("a host cannot be made of this configuration: " + kinds.error().message());
  kinds_ = std::move(*kinds);
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

void Swarm::accept(std::unique_ptr<runtime::Socket> socket) {
  const Multiaddr remote = to_multiaddr(socket->remote());
  AddressBlocks blocks = events_.address_blocks(remote);
  const auto admitted = admit(remote, blocks);
  if (!admitted) return events_.on_refused(remote, admitted.error());
  Connection& connection = make(std::move(socket), Direction::inbound, remote, std::nullopt);
  half_open_.take(connection.id(), blocks, 1);
  inbound_.take(connection.id(), blocks, 1);
  connections_.at(connection.id()).blocks = std::move(blocks);
  connection.start();
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
  config.kinds = kinds_;
  config.expected_peer = std::move(expected);
  config.accepts_protocol = [this](std::string_view protocol) { return events_.accepts_protocol(protocol); };
  config.list_protocols = [this] { return events_.list_protocols(); };
  config.may_grow = [this](std::size_t bytes) { return may_grow(bytes); };
  config.limits.handshake_timeout = limits.handshake_timeout;
  config.limits.stream_negotiation_timeout = limits.negotiation_timeout;
  config.limits.streams.max_inbound_streams = limits.streams_per_connection;
  config.limits.streams.max_send_queue = limits.stream_send_queue;
  config.limits.streams.send_low_water = limits.stream_send_queue / 4;
  config.limits.streams.max_receive_memory = limits.connection_memory;
  const ConnectionId id = next_id_++;
  const Multiaddr local = to_multiaddr(socket->local());
  ConnectionOwner& owner = *this;
  auto connection = std::make_unique<SocketConnection>(runtime_, buffers_, owner, id, direction,
                                                       RawEnd{std::move(socket), local, remote}, std::move(config));
  Connection& made = *connection;
  connections_.emplace(id, Entry{std::move(connection), {}, false, std::nullopt});
  return made;
}

Result<void> Swarm::allow(Connection& connection) {
  const PeerId& peer = connection.peer();
  if (peer == self_) return fail(Errc::denied, "the peer at " + connection.facts().remote.text() + " is this node itself");
  auto allowed = gater_.intercept_secured(connection.direction(), peer, connection.facts().remote);
  if (allowed) allowed = gater_.intercept_upgraded(connection.direction(), peer, connection.facts().remote);
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

Result<void> Swarm::on_ready(Connection& connection) {
  OPP2P_TRYV(allow(connection));
  Entry& entry = connections_.at(connection.id());
  if (connection.direction() == Direction::inbound) {
    OPP2P_TRYV(take_open_place(entry));
    half_open_.give_all(connection.id());
  } else {
    entry.blocks = events_.address_blocks(connection.facts().remote);
    --pending_outbound_;
  }
  entry.open = true;
  auto& of_peer = peers_[connection.peer()];
  of_peer.push_back(connection.id());
  events_.on_opened(info(connection), of_peer.size() == 1, connection.peer_key());
  tell_wait(connection.id(), connection.peer());
  return {};
}

void Swarm::forget_wait(ConnectionId id) {
  if (!waits_.extract(id)) return;
  const auto found = connections_.find(id);
  if (found == connections_.end() || found->second.open) return;
  found->second.connection->close(fail(Errc::cancelled, "nobody waits for the dial any more"), runtime_.now().mono);
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

void Swarm::on_closed(Connection& connection, const Error& why) {
  auto node = connections_.extract(connection.id());
  const bool was_open = node.mapped().open;
  const bool inbound = connection.direction() == Direction::inbound;
  const auto handshake_due = node.mapped().handshake_due;
  if (handshake_due && *handshake_due > runtime_.now().mono) handshakes_.cancel(1);
  half_open_.give_all(connection.id());
  inbound_.give_all(connection.id());
  ended_.push_back(std::move(node.mapped().connection));
  runtime_.post([this, alive = alive_] {
    if (*alive) ended_.clear();
  });
  if (was_open) {
    const auto of_peer = peers_.find(connection.peer());
    std::erase(of_peer->second, connection.id());
    const bool last = of_peer->second.empty();
    if (last) peers_.erase(of_peer);
    events_.on_closed(info(connection), why, last);
  } else if (inbound) {
    ++counters_.failed_handshakes;
    events_.on_refused(connection.facts().remote, why);
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

AddressBlocks Swarm::address_blocks(const PeerId& peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? AddressBlocks{} : connections_.at(found->second.front()).blocks;
}

ConnectionInfo Swarm::info(const Connection& connection) const {
  ConnectionInfo out;
  out.id = connection.id();
  out.peer = connection.peer();
  out.direction = connection.direction();
  out.remote = connection.facts().remote;
  out.local = connection.facts().local;
  out.opened = connection.facts().opened;
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

void Swarm::close(ConnectionId id, const Error& why, MonoTime deadline, CloseCode code) {
  const auto found = connections_.find(id);
  if (found != connections_.end()) found->second.connection->close(why, deadline, code);
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

}  // namespace libp2p
