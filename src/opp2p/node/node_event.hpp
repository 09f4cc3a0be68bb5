// NodeEvent: everything that happens to a node, one typed value for each event. The node tells each event once, on the
// network thread and inside the call that causes it: first to its sinks, in the order in which they were added, then to
// its listeners (Node::add_sink, Node::subscribe). Logs, counters, metrics and pages are sinks.
//
// Lifetime: an event and all that it refers to are valid until the sink or listener returns; a block is never copied
// for an event. Who needs more keeps copies of the parts that it needs. Thread: the network thread. Bounds: an event
// holds plain values of the size that its part of the node allows.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/host/blocking_gater.hpp"
#include "libp2p/host/gater_decorators.hpp"
#include "libp2p/host/host_event.hpp"
#include "libp2p/host/peerstore_archive.hpp"
#include "libp2p/services/static_peers/static_peers.hpp"
#include "opp2p/node/score_watch.hpp"
#include "opstack/gossip/block_gossip.hpp"
#include "opstack/reputation/reputation_event.hpp"
#include "opstack/sync/drive/follower_events.hpp"
#include "opstack/sync/drive/sync_server.hpp"

namespace opp2p {

// --- the node itself, in this order ---

// The store has been read; nothing has been opened yet.
struct NodeStarting {
  std::optional<std::uint64_t> head_timestamp;  // of the block that the store has as its head; seconds since 1970
};
// No signer is configured: the node will ignore every block.
struct SignerMissing {};
// Once for each address.
struct ListeningAt {
  const libp2p::Multiaddr& address;
};
// The system does not say which addresses the interfaces have: who listens on all of them tells peers 0.0.0.0 or ::.
struct InterfacesUnreadable {
  const libp2p::Error& why;
};
// The node keeps a connection to this peer from now on.
struct StaticPeerAdded {
  const libp2p::PeerId& peer;
};
// The operator took it off the list; its connection stays.
struct StaticPeerRemoved {
  const libp2p::PeerId& peer;
};
// A stored static peer is not on the list: its record in the peerstore cannot be used.
struct StoredStaticPeerSkipped {
  const std::string& key;
  const libp2p::Error& why;
};
// The address of a static peer is the node's own.
struct StaticPeerSkipped {
  const libp2p::Multiaddr& address;
};
struct NodeStarted {};
// Everything is still there, but nothing new begins.
struct NodeStopping {};
// A part did not end in its share of the time, and was cut off.
struct PartClosedLate {
  std::string_view part;  // the step of the construction that made it
};
struct NodeStopped {};

// The lists of blocked peers, addresses and subnets have been read.
struct BlockedListsRead {
  const libp2p::GaterLoad& lists;
};
// What earlier runs knew of peers has been read.
struct KnownPeersRead {
  const libp2p::LoadedPeers& peers;
};
// The peerstore cannot be written. What was to be written is kept and tried again.
struct PeerstoreFailing {
  const libp2p::Error& why;
};
struct PeerstoreRecovered {
  std::uint64_t refused = 0;  // changes that were not kept meanwhile
};

// --- blocks ---

// A gossiped message has its verdict, an own one too.
struct BlockJudged {
  const opstack::gossip::BlockVerdict& verdict;
  const std::optional<opstack::rules::Address>& expected_signer;  // whose blocks count now
  bool from_static_peer = false;
};
// An own block is stored and has been gossiped; or it was not, and PublishedBlock::not_gossiped says why. That it is
// stored was told by a BlockStored before.
struct BlockPublished {
  const opstack::payload::Envelope& block;
  const opstack::gossip::PublishedBlock& sent;
};
// An own block could not be published: it is neither stored nor gossiped, or only stored.
struct PublishFailed {
  const libp2p::Error& why;
};
// The store did not keep a block. `again`: it is tried again.
struct StoreRefused {
  std::uint64_t number;
  const libp2p::Error& why;
  bool again = false;
};

// --- peers ---

// Why an inbound connection was turned away. The ids are stable: counters and metrics are named by them.
enum class RefusalKind : std::uint8_t {
  limit,      // of connections or of their rate
  gater,      // the gater blocks the address or the peer
  handshake,  // there was no limit: the handshake failed, as that of a port scan does
};
inline constexpr std::size_t kRefusalKinds = 3;
std::string_view refusal_id(RefusalKind kind);

struct InboundRefused {
  const libp2p::Multiaddr& remote;
  RefusalKind kind;
  const libp2p::Error& why;  // which limit, and its number
};
// The gaters were asked about a connection or a dial; what the outermost one answered.
struct GateAsked {
  const libp2p::GaterAnswer& answer;
};
struct PingEnded {
  const libp2p::PeerId& peer;
  const libp2p::Result<libp2p::Nanos>& round_trip;
};
// A peer's score has crossed a threshold of GossipSub; told within a second.
struct PeerScoreCrossed {
  const libp2p::gossipsub::PeerScoreParts& score;
  ScoreStanding before{};
  ScoreStanding now{};
  double threshold = 0;  // that was crossed: of the lower one of the two
};
// The operator asked for it. The disconnection itself is told when it has happened.
struct ConnectedOnRequest {
  const libp2p::PeerId& peer;
};
struct DisconnectingOnRequest {
  const libp2p::PeerId& peer;
};

using NodeEvent =
    std::variant<NodeStarting, SignerMissing, ListeningAt, InterfacesUnreadable, StaticPeerAdded, StaticPeerRemoved,
                 StoredStaticPeerSkipped, StaticPeerSkipped, BlockedListsRead, libp2p::GaterRuleChanged, KnownPeersRead,
                 PeerstoreFailing, PeerstoreRecovered, NodeStarted, NodeStopping, PartClosedLate, NodeStopped,
                 // blocks and topics: opstack/gossip/block_gossip.hpp
                 BlockJudged, BlockPublished, PublishFailed, opstack::gossip::TopicJoined, opstack::gossip::TopicLeft,
                 opstack::gossip::PeerJoinedTopic, opstack::gossip::PeerLeftTopic, opstack::gossip::PeerGrafted,
                 opstack::gossip::PeerPruned, opstack::gossip::CopyReceived,
                 // the chain and reverse sync: opstack/sync/drive/follower_events.hpp, sync_server.hpp
                 opstack::sync::BlockStored, StoreRefused, opstack::sync::HeadMoved, opstack::sync::HoleChanged,
                 opstack::sync::GapSourcesChanged, opstack::sync::ChainTrace, opstack::sync::SyncTrace,
                 opstack::sync::SyncFault, opstack::sync::PeerReport, opstack::sync::ServedRequest,
                 // connections and peers: libp2p/host/host_event.hpp, static_peers.hpp
                 libp2p::ConnectionOpened, libp2p::ConnectionClosed, InboundRefused, libp2p::DialStarted,
                 libp2p::DialFailed, libp2p::PeerConnected, libp2p::PeerDisconnected, libp2p::PeerIdentified,
                 libp2p::ProtocolsChanged, libp2p::AddressesChanged, libp2p::StaticDialStarted,
                 libp2p::StaticDialFailed, libp2p::StaticPeerLost, GateAsked, PingEnded, PeerScoreCrossed,
                 ConnectedOnRequest, DisconnectingOnRequest,
                 // bans and faults: opstack/reputation/reputation_event.hpp
                 opstack::reputation::PeerBanned, opstack::reputation::PeerUnbanned, opstack::reputation::IpBanned,
                 opstack::reputation::IpUnbanned, opstack::reputation::PeerBlamed,
                 opstack::reputation::CommonFaultFound, opstack::reputation::CommonFaultEnded,
                 opstack::reputation::GateRefused, opstack::reputation::ReputationStoreFailed>;

// Takes every event, in the order in which they happen. A sink only notes what it is told: it must not call what
// changes the node, so that all sinks see the same order.
class NodeSink {
 public:
  virtual ~NodeSink() = default;
  virtual void on(const NodeEvent& event, libp2p::Now now) = 0;
};

}  // namespace opp2p
