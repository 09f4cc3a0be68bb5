// NodeLog: the sink that writes a node's log. It hands every event to the logs of peers, blocks, sync, the chain,
// scores and bans, in this order, and each of them writes the lines of its subject. What the lines need beyond the
// event is asked of the NodeView.
//
// It is made with the node's view and added with Node::add_sink before the node starts. The Subscription that
// add_sink gives keeps it a sink.
// The daemon does so in two lines (apps/opp2p/daemon.cpp).
//
// Owner: who has the node and the log; destroyed before both. Thread: the network thread. Bounds: those of its logs.
#pragma once

#include "opp2p/observe/ban_log.hpp"
#include "opp2p/observe/block_log.hpp"
#include "opp2p/observe/chain_log.hpp"
#include "opp2p/observe/event_log.hpp"
#include "opp2p/observe/peer_log.hpp"
#include "opp2p/observe/score_log.hpp"
#include "opp2p/observe/sync_log.hpp"

namespace opp2p {

class NodeLog final : public NodeSink {
 public:
  // All outlive it.
  NodeLog(libp2p::runtime::Runtime& runtime, Log& log, const NodeView& view);
  NodeLog(const NodeLog&) = delete;
  NodeLog& operator=(const NodeLog&) = delete;

  void on(const NodeEvent& event, libp2p::Now now) override;

 private:
  void on_starting(libp2p::UnixTime now);
  Surroundings surroundings() const;

  const NodeView& view_;
  EventLog events_;
  PeerLog peers_;
  BlockLog blocks_;
  SyncLog sync_;
  ChainLog chain_;
  ScoreLog scores_;
  BanLog bans_;
};

}  // namespace opp2p
