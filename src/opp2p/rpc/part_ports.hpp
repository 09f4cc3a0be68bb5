// The ports of the RPC (api_ports.hpp) over the parts of a node. A part is asked for with each call, because a node has
// its parts from its start to its end only: while there is none, a change ends in an error and a list is empty.
//
// Owner: the daemon, beside the node. Thread: the network thread.
#pragma once

#include <functional>

#include "libp2p/host/blocking_gater.hpp"
#include "opp2p/node/static_peer_list.hpp"
#include "opp2p/rpc/api_ports.hpp"

namespace opp2p {

class BlockingGaterPort final : public GatingPort {
 public:
  using Find = std::function<libp2p::BlockingGater*()>;
  explicit BlockingGaterPort(Find find) : find_(std::move(find)) {}

  void block(const GateTarget& target, PortDone done) override;
  void unblock(const GateTarget& target, PortDone done) override;
  BlockedSnapshot blocked() const override;
  bool is_blocked(const libp2p::PeerId& peer) const override;

 private:
  Find find_;
};

// What the node's configuration says about scores and bans.
struct ScoreSettings {
  bool is_scored = false;
  std::vector<std::string> topics;  // that are scored, in the order of PeerScoreParts::topics
  libp2p::gossipsub::ScoreThresholds thresholds;
  std::optional<double> ban_threshold;
  std::optional<double> gater_min_score;
};

class ReputationPartPort final : public ReputationPort {
 public:
  using Find = std::function<opstack::reputation::Reputation*()>;
  using Live = std::function<std::optional<libp2p::gossipsub::PeerScoreParts>(const libp2p::PeerId&)>;
  using Records = std::function<libp2p::storage::Datastore*()>;
  ReputationPartPort(libp2p::runtime::Runtime& runtime, Find find, Records records, Live live, ScoreSettings settings)
      : runtime_(runtime),
        find_(std::move(find)),
        records_(std::move(records)),
        live_(std::move(live)),
        settings_(std::move(settings)) {}

  opstack::reputation::BanList bans() const override;
  std::optional<opstack::reputation::Ban> ban_of(const libp2p::PeerId& peer) const override;
  void ban(const GateTarget& target, libp2p::Nanos duration, std::string why, PortDone done) override;
  void unban(const GateTarget& target, PortDone done) override;
  std::vector<opstack::reputation::Fault> faults_of(const libp2p::PeerId& peer) const override;
  std::optional<opstack::reputation::PeerScoreRecord> scores_of(const libp2p::PeerId& peer) const override;
  std::optional<opstack::reputation::PeerMetadata> metadata_of(const libp2p::PeerId& peer) const override;
  ScoreStandingSnapshot standing_of(const libp2p::PeerId& peer) const override;
  std::optional<std::string> kept_out(const libp2p::PeerId& peer) const override;

 private:
  libp2p::runtime::Runtime& runtime_;
  Find find_;
  Records records_;
  Live live_;
  ScoreSettings settings_;
};

// Static peers of the flags, and those that were added while the node ran.
class StaticPeersPartPort final : public StaticPeersPort {
 public:
  using Find = std::function<StaticPeerList*()>;
  StaticPeersPartPort(libp2p::runtime::Runtime& runtime, Find find) : runtime_(runtime), find_(std::move(find)) {}

  std::vector<StaticPeerSnapshot> list() const override;
  void add(const libp2p::Multiaddr& address, PortDone done) override;
  void remove(const libp2p::PeerId& peer, PortDone done) override;

 private:
  libp2p::runtime::Runtime& runtime_;
  Find find_;
};

}  // namespace opp2p
