// An honest member: the router and scorer of production on the port of a simulated world, with a validator that takes
// the time of a virtual processor, and the habits of a node: it keeps up its number of connections, dials direct peers
// again, and, if it is told to, disconnects who falls below a score.
//
// Owner: the world, for one run of the member; what the router knew is lost at a restart. Bounds: those of the router;
// works are bounded by its validation queue. Deviations from a driver on sockets: a stream is there with its
// connection, and speaks HonestParams::version.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "libp2p/protocols/gossipsub/router.hpp"
#include "sim/gossip/actor.hpp"
#include "sim/gossip/block.hpp"
#include "sim/gossip/frame_cache.hpp"
#include "sim/gossip/ids_of_peers.hpp"
#include "sim/gossip/metrics.hpp"
#include "sim/gossip/node_reputation.hpp"

namespace opp2p::sim::gossip {

// How a node comes to its connections.
struct DialParams {
  std::size_t wanted = 20;      // it dials while it has less (op-node's low mark)
  bool counts_inbound = true;   // of all connections (op-node); else of those that it has dialled
  std::size_t at_a_time = 4;    // dials in one look
  Nanos interval = Seconds(5);  // between two looks, and up to as much again
};

// What a node has on its disk.
struct NodeDisk {
  std::vector<libp2p::gossipsub::BackoffLeft> backoffs;
  MonoTime written{};
};

struct HonestParams {
  libp2p::gossipsub::Params router;
  std::optional<libp2p::gossipsub::PeerScoreParams> scores = std::nullopt;  // none: everybody has 0
  std::vector<std::string> topics = {"/optimism/10/3/blocks"};
  libp2p::gossipsub::ProtocolVersion version = libp2p::gossipsub::ProtocolVersion::v1_2;
  DialParams dials;
  std::set<Member> direct = {};
  std::optional<double> disconnect_below = std::nullopt;  // a score; such a peer is not let in again for `ban`
  Nanos ban = Seconds(3600);
  libp2p::gossipsub::PeerScorer::ApplicationScore application_score = nullptr;
  // With it, rejections blame by their reasons, and peers are banned by its rules; `disconnect_below` is left out.
  std::optional<ReputationParams> reputation = std::nullopt;
  // What a member goes by at a time; none: it knows all of the chain.
  std::function<Beliefs(Member, MonoTime)> beliefs = nullptr;
};

class HonestNode final : public Actor {
 public:
  // Everything outlives the node. `disk`: of this member; null: it keeps nothing over a restart.
  HonestNode(ActorPort& port, const HonestParams& params, const CpuParams& cpu, const BlockMaker& blocks,
             FrameCache& frames, Metrics& metrics, RpcForm form, NodeDisk* disk = nullptr);

  void start() override;
  void stop() override;
  bool accepts(Member peer) override;
  void on_connected(Member peer, Direction direction) override;
  void on_dial_failed(Member peer) override;
  void on_disconnected(Member peer) override;
  void on_rpc(Member from, const Wire& wire) override;
  void on_work_done(std::uint64_t ticket, bool done) override;
  std::optional<Wire> next_wire(Member to) override;
  std::optional<MonoTime> next_deadline() const override;
  void on_timer() override;
  void check() const override;

  // Leaves its topics, as a node that ends in order does.
  void leave();
  // An own block, valid already.
  Result<void> publish(std::string_view topic, ByteView data);

  const HonestParams& params() const { return params_; }
  const libp2p::gossipsub::Router& router() const { return *router_; }
  const libp2p::gossipsub::PeerScores& scores() const { return *scores_; }
  // Null without scores.
  const libp2p::gossipsub::PeerScorer* scorer() const { return scorer_; }
  const NodeReputation* reputation() const { return reputation_ ? &*reputation_ : nullptr; }
  const IdsOfPeers& peers() const { return peers_; }

 private:
  void drain();
  void validate(const libp2p::gossipsub::Validate& request);
  void look_for_peers();
  void disconnect_bad_peers();
  void carry_out_bans();
  void ban(Member peer, Nanos duration);
  libp2p::gossipsub::ValidationResult to_router(const Judged& judged) const;
  bool is_banned(const PeerId& peer);
  void schedule_look(Nanos after);
  void disconnect(Member peer);

  IdsOfPeers peers_;
  ActorPort& port_;
  const HonestParams& params_;
  const CpuParams& cpu_;
  const BlockMaker& blocks_;
  FrameCache& frames_;
  Metrics& metrics_;
  RpcForm form_;
  NodeDisk* disk_;
  std::unique_ptr<libp2p::gossipsub::PeerScores> scores_;
  libp2p::gossipsub::PeerScorer* scorer_ = nullptr;
  std::optional<libp2p::gossipsub::Router> router_;
  std::optional<NodeReputation> reputation_;
  struct Pending {
    Judged judged;
    libp2p::gossipsub::MessageId id;
    PeerId from;
  };
  std::map<libp2p::gossipsub::RequestId, Pending> judged_;  // verdicts whose time comes
  std::map<PeerId, MonoTime> banned_;
  std::optional<std::uint8_t> signer_;  // that it went by last
  std::size_t dialling_ = 0;
  MonoTime next_look_{};
};

}  // namespace opp2p::sim::gossip
