// What the methods of the RPC need of the parts of a node that keep peers in and out. Each port is a narrow interface,
// so that a method can be tested without a node; node_ports.hpp implements them over the node's parts.
//
// Thread: the network thread. Owner: who makes the NodeApi; they outlive the last call. Re-entrancy: `done` is called
// once, inside the call or later, and may ask again.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/protocols/gossipsub/params.hpp"
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "libp2p/services/static_peers/static_peers.hpp"
#include "opp2p/node/snapshots.hpp"
#include "opstack/reputation/records.hpp"
#include "opstack/reputation/reputation.hpp"

namespace opp2p {

// Called when the change is durable, or has failed to become so. True: something changed.
using PortDone = std::function<void(libp2p::Result<bool>)>;

// Whom a rule of the operator is about.
struct GateTarget {
  enum class Kind : std::uint8_t { peer, ip, subnet } kind = Kind::peer;
  libp2p::PeerId peer;  // of Kind::peer
  std::string text;     // of the others: an address, a block as "10.0.0.0/8"; canonical

  std::string name() const { return kind == Kind::peer ? peer.to_base58() : text; }
  friend bool operator==(const GateTarget&, const GateTarget&) = default;
};

// The lists of blocked peers, addresses and subnets.
class GatingPort {
 public:
  virtual ~GatingPort() = default;
  virtual void block(const GateTarget& target, PortDone done) = 0;
  virtual void unblock(const GateTarget& target, PortDone done) = 0;
  virtual BlockedSnapshot blocked() const = 0;
  virtual bool is_blocked(const libp2p::PeerId& peer) const = 0;
};

// What a peer's score is made of now, and against which it is held.
struct ScoreStandingSnapshot {
  bool is_scored = false;                                      // whether the node scores peers at all
  std::optional<libp2p::gossipsub::PeerScoreParts> live;       // of a peer that the scorer knows
  std::vector<std::string> topics;                             // those of live->topics, in their order
  std::optional<opstack::reputation::PeerScoreRecord> stored;  // of the score book
  libp2p::gossipsub::ScoreThresholds thresholds;
  std::optional<double> ban_threshold;  // none: nobody is banned by a rule
  std::optional<double> gater_min_score;
};

// Bans, faults and scores.
class ReputationPort {
 public:
  virtual ~ReputationPort() = default;
  virtual opstack::reputation::BanList bans() const = 0;
  virtual std::optional<opstack::reputation::Ban> ban_of(const libp2p::PeerId& peer) const = 0;
  // `target` is a peer or an IP.
  virtual void ban(const GateTarget& target, libp2p::Nanos duration, std::string why, PortDone done) = 0;
  virtual void unban(const GateTarget& target, PortDone done) = 0;
  virtual std::vector<opstack::reputation::Fault> faults_of(const libp2p::PeerId& peer) const = 0;
  // Of the score book; op-node shows these.
  virtual std::optional<opstack::reputation::PeerScoreRecord> scores_of(const libp2p::PeerId& peer) const = 0;
  // What discovery has noted of a peer; nothing that is older than op-node believes it (7 days).
  virtual std::optional<opstack::reputation::PeerMetadata> metadata_of(const libp2p::PeerId& peer) const = 0;
  virtual ScoreStandingSnapshot standing_of(const libp2p::PeerId& peer) const = 0;
  // Why the peer's score keeps it out; nothing when it does not.
  virtual std::optional<std::string> kept_out(const libp2p::PeerId& peer) const = 0;
};

// A peer that the node keeps connected.
struct StaticPeerSnapshot {
  libp2p::StaticPeerStatus status;
  bool by_flag = false;  // --p2p.static has it; otherwise it was added while the node ran
  std::optional<libp2p::Nanos> next_attempt_in;
};

class StaticPeersPort {
 public:
  virtual ~StaticPeersPort() = default;
  virtual std::vector<StaticPeerSnapshot> list() const = 0;
  // The address ends with /p2p/ID.
  virtual void add(const libp2p::Multiaddr& address, PortDone done) = 0;
  // Errc::denied for a peer of --p2p.static, Errc::not_found for none.
  virtual void remove(const libp2p::PeerId& peer, PortDone done) = 0;
};

}  // namespace opp2p
