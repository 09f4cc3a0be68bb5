#include "opp2p/observe/peer_log.hpp"

#include <algorithm>

#include "libp2p/base/peer_text.hpp"
#include "opstack/sync/wire/codec.hpp"

namespace opp2p {
using libp2p::Error;
using libp2p::PeerId;

namespace {

constexpr std::size_t kMaxChainText = 32;  // bytes of the chain that a peer names

// The chain that a peer serves blocks of, when it is not ours. One with reverse sync switched off does not say.
std::optional<std::string> other_chain(const std::vector<std::string>& protocols, std::uint64_t ours) {
  using opstack::sync::wire::protocol_id;
  const std::string our_protocol = protocol_id(std::to_string(ours));
  const std::string around = protocol_id("");
  const std::string_view begin = std::string_view(around).substr(0, around.rfind('/'));
  const std::string_view end = std::string_view(around).substr(begin.size());
  std::optional<std::string> found;
  for (const auto& protocol : protocols) {
    if (protocol == our_protocol) return std::nullopt;
    if (!found && protocol.size() > around.size() && protocol.starts_with(begin) && protocol.ends_with(end))
      found = libp2p::peer_text(protocol.substr(begin.size(), protocol.size() - around.size()), kMaxChainText);
  }
  return found;
}

}  // namespace

PeerLog::PeerLog(libp2p::runtime::Runtime& runtime, EventLog& events, const NodeView& view)
    : events_(events), view_(view), timer_(runtime.make_timer([this] {
        if (const auto count = refusals_.take(events_.now())) tell_refusals(*count);
      })) {}

PeerLog::~PeerLog() = default;

void PeerLog::on(const ListeningAt& event) {
  events_.log().info(Component::host, "started p2p host", {{"addr", event.address}, {"peerID", view_.id()}});
}

void PeerLog::on(const InterfacesUnreadable& event) {
  events_.log().warn(Component::host, "peers are not told at which address this node can be reached",
                     {{"error", event.why}, {"option", "--p2p.listen.ip"}});
}

void PeerLog::on(const PartClosedLate& event) {
  events_.log().warn(Component::node, "a part of the node did not end in time and was cut off", {{"part", event.part}});
}

void PeerLog::on(const StaticPeerSkipped& event) {
  events_.log().info(Component::host, "skipping own address among the static peers", {{"addr", event.address}});
}

void PeerLog::on(const StaticPeerRemoved& event) {
  events_.log().info(Component::host, "removed a static peer", {{"peer", event.peer}});
}

void PeerLog::on(const StoredStaticPeerSkipped& event) {
  events_.log().warn(Component::host, "a stored static peer is skipped, because its record cannot be used",
                     {{"record", event.key}, {"error", event.why}});
}

void PeerLog::on(const PingEnded& event) {
  if (!events_.log().enabled(Component::host, LogLevel::debug)) return;
  std::optional<libp2p::Nanos> took;
  std::optional<Error> error;
  if (event.round_trip)
    took = *event.round_trip;
  else
    error = event.round_trip.error();
  events_.log().debug(Component::host, "ping-pong", {{"peer", event.peer}, {"round_trip", took}, {"error", error}});
}

void PeerLog::on(const ConnectedOnRequest& event) {
  events_.tell(Told::on_request, LogLevel::info, Component::host, "connected on request", {{"peer", event.peer}});
}

void PeerLog::on(const DisconnectingOnRequest& event) {
  events_.tell(Told::on_request, LogLevel::info, Component::host, "disconnecting on request", {{"peer", event.peer}});
}

void PeerLog::tell_of_peer(const PeerId& peer, Told of_static, Told of_proven, std::string_view message,
                           std::initializer_list<Field> fields) {
  if (view_.is_static(peer))
    events_.tell(of_static, LogLevel::info, Component::host, message, fields);
  else if (view_.is_proven(peer))
    events_.tell(of_proven, LogLevel::info, Component::host, message, fields);
  else
    events_.log().debug(Component::host, message, fields);
}

void PeerLog::on(const libp2p::PeerConnected& event) {
  const auto& [peer, direction] = event;
  present_[peer].since = events_.now();
  tell_of_peer(peer, Told::static_connected, Told::proven_connected, "connected",
               {{"peer", peer}, {"direction", to_string(direction)}});
}

// A peer of another chain stays connected, as with op-node, and never sends a block: of one that we chose, whoever
// of the two dialled, the operator should know, once for as long as it stays. Others come and go in any number.
void PeerLog::on(const libp2p::PeerIdentified& event) {
  const PeerId& peer = event.peer;
  const auto present = present_.find(peer);
  if (present == present_.end() || present->second.of_other_chain) return;
  const auto ours = view_.config().rollup.l2_chain_id;
  const auto other = other_chain(event.protocols, ours);
  if (!other) return;
  present->second.of_other_chain = true;
  const bool chosen = view_.is_static(peer) || view_.dialled(peer);
  events_.tell(Told::other_chain, chosen ? LogLevel::warn : LogLevel::debug, Component::host,
               "the peer serves another chain and will send no blocks; check --rollup.config and the static peers",
               {{"peer", peer}, {"its_chain", *other}, {"our_chain", ours}});
}

std::size_t PeerLog::of_other_chains() const {
  return static_cast<std::size_t>(
      std::count_if(present_.begin(), present_.end(), [](const auto& peer) { return peer.second.of_other_chain; }));
}

std::size_t PeerLog::static_present() const {
  return static_cast<std::size_t>(std::count_if(present_.begin(), present_.end(),
                                                [this](const auto& peer) { return view_.is_static(peer.first); }));
}

void PeerLog::on(const libp2p::ConnectionClosed& event) {
  const auto& [connection, why] = event;
  last_reason_ = why;
  events_.log().debug(Component::host, "connection closed",
                      {{"peer", connection.peer},
                       {"addr", connection.remote},
                       {"reason", why},
                       {"stayed", events_.now() - connection.opened}});
}

// Follows the ConnectionClosed of the peer's last connection.
void PeerLog::on(const libp2p::PeerDisconnected& event) {
  const PeerId& peer = event.peer;
  const auto present = present_.extract(peer);
  std::optional<libp2p::Nanos> stayed;
  if (present) stayed = events_.now() - present.mapped().since;
  const auto reason = std::exchange(last_reason_, std::nullopt);
  const std::initializer_list<Field> fields = {{"peer", peer}, {"reason", reason}, {"stayed", stayed}};
  if (view_.is_static(peer) && !stopping_)
    events_.tell(Told::static_disconnected, LogLevel::warn, Component::host, "static peer disconnected, reconnecting",
                 fields);
  else
    tell_of_peer(peer, Told::static_disconnected, Told::proven_disconnected, "disconnected", fields);
}

// One refusal is nothing; that they happen at all the operator should see, though not as often as an attacker likes.
void PeerLog::on(const InboundRefused& event) {
  const auto& [remote, kind, why] = event;
  if (kind == RefusalKind::handshake)
    return events_.log().debug(Component::host, "inbound handshake failed", {{"addr", remote}, {"reason", why}});
  events_.log().debug(Component::host, "connection refused",
                      {{"addr", remote}, {"reason", why}, {"reason_id", refusal_id(kind)}});
  const auto count = refusals_.count(events_.now());
  refused_addr_ = remote.text();
  refused_reason_ = why.message();
  refused_kind_ = kind;
  if (count)
    tell_refusals(*count);
  else if (refusals_.untold() == 1)
    timer_->arm(*refusals_.due());
}

void PeerLog::tell_refusals(std::uint64_t count) {
  events_.tell(Told::refused_connections, LogLevel::warn, Component::host, "inbound connections are refused",
               {{"count", count},
                {"last_addr", refused_addr_},
                {"last_reason", refused_reason_},
                {"last_reason_id", refusal_id(refused_kind_)},
                {"since_start", refusals_.total()}});
}

// The first attempt; later ones are told by how they end.
void PeerLog::on(const libp2p::StaticDialStarted& event) {
  const libp2p::StaticPeerStatus& peer = event.status;
  const std::string addr = peer.addresses.empty() ? std::string() : peer.addresses.front().text();
  const std::initializer_list<Field> fields = {{"peer", peer.peer}, {"addr", addr}};
  constexpr std::string_view kMessage = "dialing static peer";
  if (peer.failures == 0)
    events_.tell(Told::static_dial, LogLevel::info, Component::host, kMessage, fields);
  else
    events_.log().debug(Component::host, kMessage, fields);
}

void PeerLog::on(const libp2p::StaticDialFailed& event) {
  const auto& [peer, why] = event;
  std::optional<libp2p::Nanos> retry_in;
  if (peer.next_attempt) retry_in = *peer.next_attempt - events_.now();
  // op-node's words.
  const std::string_view message =
      peer.was_connected ? "error reconnecting to static peer" : "error dialing static peer";
  events_.tell(Told::static_dial_failed, LogLevel::warn, Component::host, message,
               {{"peer", peer.peer},
                {"failures", peer.failures},
                {"error", why},
                {"retry_in", retry_in},
                {"option", "--p2p.static or opp2p_addStaticPeer"}});
}

}  // namespace opp2p
