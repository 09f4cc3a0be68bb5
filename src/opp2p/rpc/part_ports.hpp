// The ports of the RPC (api_ports.hpp) over the parts of a node. A part is asked for with each call, because a node has
// its parts from its start to its end only: while there is none, a change ends in an error and a list is empty.
//
// Owner: the daemon, beside the node. Thread: the network thread.
#pragma once

#include <functional>

#include "libp2p/host/blocking_gater.hpp"
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

// What the node's configuration says about bans.
struct BanSettings {
  bool ban_peers = false;
  double ban_threshold = 0;
  double gater_min_score = 0;
};

class ReputationPartPort final : public ReputationPort {
 public:
  using Find = std::function<opstack::reputation::Reputation*()>;
  ReputationPartPort(Find find, libp2p::gossipsub::ScoreThresholds thresholds, BanSettings settings)
      : find_(std::move(find)), thresholds_(thresholds), settings_(settings) {}

  opstack::reputation::BanList bans() const override;
  std::optional<opstack::reputation::Ban> ban_of(const libp2p::PeerId& peer) const override;
  void ban(const GateTarget& target, libp2p::Nanos duration, std::string why, PortDone done) override;
  void unban(const GateTarget& target, PortDone done) override;
  std::vector<opstack::reputation::Fault> faults_of(const libp2p::PeerId& peer) const override;
  std::optional<opstack::reputation::PeerScoreRecord> scores_of(const libp2p::PeerId& peer) const override;
  ScoreStandingSnapshot standing_of(const libp2p::PeerId& peer) const override;

 private:
  Find find_;
  libp2p::gossipsub::ScoreThresholds thresholds_;
  BanSettings settings_;
};

}  // namespace opp2p
