#include "libp2p/host/swarm.hpp"

#include <algorithm>
#include <stdexcept>

#include "libp2p/base/assert.hpp"
#include "libp2p/connection/upgraded_transport.hpp"
#include "libp2p/host/dial_target.hpp"
#include "libp2p/host/limit_error.hpp"

namespace libp2p {

Swarm::Swarm(runtime::Runtime& runtime, const HostConfig& config, PeerId self, Gater& gater, MemoryAccount& memory,
             HostCounters& counters, SwarmEvents& events, const SwarmPolicy& policy)
    : runtime_(runtime),
      config_(config),
      self_(std::move(self)),
      gater_(gater),
      counters_(counters),
      events_(events),
      policy_(policy),
      admission_(runtime, config, gater, policy, connections_, counters),
      unread_(runtime, memory, connections_, counters) {
  auto kinds = ConnectionKinds::make(config_.securities, config_.muxers, config_.identity, runtime_.rng());
  if (!kinds) throw std::invalid_argument("a host cannot be made of this configuration: " + kinds.error().message());
  kinds_ = std::move(*kinds);
  for (const auto& make : config_.transports) {
    AnyTransport made;
    if (make) made = make(runtime_);
    if (std::visit([](const auto& transport) { return transport == nullptr; }, made))
      throw std::invalid_argument(
          "a host cannot be made of this configuration: HostConfig::transports has one that is empty");
    add_transport(std::move(made));
  }
}

Swarm::~Swarm() { life_.end(); }

void Swarm::add_transport(AnyTransport transport) {
  if (auto* whole = std::get_if<std::unique_ptr<Transport>>(&transport)) {
    transports_.push_back(std::move(*whole));
    return;
  }
  auto& sockets = std::get<std::unique_ptr<SocketTransport>>(transport);
  UpgradeSetup setup{runtime_, buffers_,
                     [this](std::optional<PeerId> expected) { return config_for(std::move(expected)); }};
  transports_.push_back(std::make_unique<UpgradedTransport>(std::move(sockets), std::move(setup)));
}

Result<void> Swarm::listen(const Multiaddr& address) {
  OPP2P_TRY(const DialTarget target, dial_target(address));
  const auto takes = [&target](const auto& transport) { return transport->can_listen(target.address); };
  const auto found = std::find_if(transports_.begin(), transports_.end(), takes);
  if (found == transports_.end()) return not_usable(address, why_not(target.address));
  if (target.name) {
    return fail(Errc::unsupported, "'" + address.text() + "' cannot be listened on: give an IP address, not a name");
  }
  OPP2P_TRY(auto listening, (*found)->listen(target.address, *this));
  listeners_.push_back(std::move(listening));
  return {};
}

Transport* Swarm::dialler_of(const Multiaddr& address) const {
  const auto takes = [&address](const auto& transport) { return transport->can_dial(address); };
  const auto found = std::find_if(transports_.begin(), transports_.end(), takes);
  return found == transports_.end() ? nullptr : found->get();
}

std::string Swarm::why_not(const Multiaddr& address) const {
  if (transports_.empty()) return "this host has no transport (HostConfig::transports)";
  if (transports_.size() == 1) return transports_.front()->why_not(address);
  std::string out;
  for (const auto& transport : transports_) {
    if (!out.empty()) out.append("; ");
    out.append(transport->name()).append(": ").append(transport->why_not(address));
  }
  return out;
}

std::vector<Multiaddr> Swarm::listen_addresses() const {
  std::vector<Multiaddr> out;
  for (const auto& listening : listeners_) out.push_back(listening->address());
  return out;
}

Result<ConnectionId> Swarm::admit(Direction direction, const Multiaddr& /*local*/, const Multiaddr& remote) {
  if (direction == Direction::inbound) {
    if (auto allowed = admission_.let_in(remote); !allowed) {
      events_.on_refused(remote, allowed.error());
      return std::move(allowed).error();
    }
  }
  return next_id_++;
}

void Swarm::on_half_open(std::unique_ptr<Connection> connection) {
  Connection& made = *connection;
  SwarmEntry entry;
  entry.connection = std::move(connection);
  const auto [place, fresh] = connections_.emplace(made.id(), std::move(entry));
  OPP2P_ASSERT(fresh, "an id is given to one connection", made.id());
  if (made.direction() == Direction::inbound) {
    admission_.on_half_open(place->second);
  } else {
    ++pending_outbound_;
  }
  made.start();
}

ConnectionConfig Swarm::config_for(std::optional<PeerId> expected) {
  const Limits& limits = config_.limits;
  ConnectionConfig config;
  config.kinds = kinds_;
  config.expected_peer = std::move(expected);
  config.accepts_protocol = [this](std::string_view protocol) { return policy_.accepts_protocol(protocol); };
  config.list_protocols = [this] { return policy_.list_protocols(); };
  config.may_grow = [this](std::size_t bytes) { return unread_.may_grow(bytes); };
  config.limits.handshake_timeout = limits.handshake_timeout;
  config.limits.stream_negotiation_timeout = limits.negotiation_timeout;
  config.limits.streams.max_inbound_streams = limits.streams_per_connection;
  config.limits.streams.max_send_queue = limits.stream_send_queue;
  config.limits.streams.send_low_water = limits.stream_send_queue / 4;
  config.limits.streams.max_receive_memory = limits.connection_memory;
  return config;
}

Result<void> Swarm::allow(Connection& connection) {
  const PeerId& peer = connection.peer();
  if (peer == self_)
    return fail(Errc::denied, "the peer at " + connection.facts().remote.text() + " is this node itself");
  auto allowed = gater_.intercept_secured(connection.direction(), peer, connection.facts().remote);
  if (allowed) allowed = gater_.intercept_upgraded(connection.direction(), peer, connection.facts().remote);
  // The hooks let some things pass that a rule would close at once: whom a dial without a peer's id has reached.
  if (allowed) allowed = gater_.permits(peer, connection.facts().remote);
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
  SwarmEntry& entry = connections_.at(connection.id());
  OPP2P_ASSERT(!entry.open, "a connection becomes ready once", connection.id());
  if (connection.direction() == Direction::inbound) {
    OPP2P_TRYV(admission_.open(entry));
  } else {
    OPP2P_ASSERT(pending_outbound_ > 0, "an outbound connection that becomes ready was half-open", connection.id());
    entry.blocks = policy_.address_blocks(connection.facts().remote);
    --pending_outbound_;
  }
  entry.open = true;
  auto& of_peer = peers_[connection.peer()];
  of_peer.push_back(connection.id());
  events_.on_opened(info(connection), of_peer.size() == 1, connection.peer_key());
  return {};
}

Nanos Swarm::handshake_delay(Connection& connection) {
  if (connection.direction() == Direction::outbound) return Nanos(0);
  return admission_.handshake_delay(connections_.at(connection.id()));
}

void Swarm::on_inbound_stream(Connection&, std::shared_ptr<StreamState> stream) {
  events_.on_inbound_stream(std::move(stream));
}

void Swarm::on_closed(Connection& connection, const Error& why) {
  auto node = connections_.extract(connection.id());
  OPP2P_ASSERT(!node.empty(), "a connection ends once, after it was half-open", connection.id());
  const bool was_open = node.mapped().open;
  admission_.on_closed(node.mapped());
  ended_.push_back(std::move(node.mapped().connection));
  runtime_.post(life_.guard([this] { ended_.clear(); }));
  if (was_open) {
    const auto of_peer = peers_.find(connection.peer());
    OPP2P_ASSERT(of_peer != peers_.end(), "the peer of an open connection is connected", connection.id());
    std::erase(of_peer->second, connection.id());
    const bool last = of_peer->second.empty();
    if (last) peers_.erase(of_peer);
    events_.on_closed(info(connection), why, last);
  } else if (connection.direction() == Direction::inbound) {
    ++counters_.failed_handshakes;
    events_.on_refused(connection.facts().remote, why);
  } else {
    OPP2P_ASSERT(pending_outbound_ > 0, "an outbound connection that did not become ready was half-open",
                 connection.id());
    --pending_outbound_;
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
  return found == peers_.end() ? AddressBlocks::unknown() : connections_.at(found->second.front()).blocks;
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

std::size_t Swarm::close_not_permitted() {
  const MonoTime now = runtime_.now().mono;
  std::size_t closed = 0;
  for (auto& [id, entry] : connections_) {
    Connection& connection = *entry.connection;
    const bool is_dialled = !entry.open && connection.direction() == Direction::outbound;
    if (connection.closing() || is_dialled) continue;
    const PeerId peer = entry.open ? connection.peer() : PeerId();
    auto permitted = gater_.permits(peer, connection.facts().remote);
    if (permitted) continue;
    ++counters_.closed_by_gater;
    ++closed;
    connection.close(std::move(permitted).error(), entry.open ? now + kGatedCloseTime : now, CloseCode::gated);
  }
  return closed;
}

void Swarm::close_all(const Error& why, MonoTime deadline) {
  for (auto& [id, entry] : connections_) entry.connection->close(why, deadline);
}

}  // namespace libp2p
