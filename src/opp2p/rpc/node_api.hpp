// The node's JSON-RPC methods: opp2p_, optimism_ and, when enabled, admin_, with op-node's names, shapes and errors.
// Methods run on the RPC's thread; what changes the node is posted to the network thread, what reads it takes a
// snapshot (opp2p/rpc/rpc_snapshots.hpp), and what needs the store reads a snapshot of that. Methods that change
// something need the token. Source: op-node surface, section 10.
#pragma once

#include <string>

#include "opp2p/node/node.hpp"
#include "opp2p/rpc/json_rpc.hpp"
#include "opp2p/rpc/rpc_dials.hpp"
#include "opp2p/rpc/rpc_snapshots.hpp"
#include "opp2p/store/block_store.hpp"

namespace opp2p {

// The node as the RPC's snapshots see it.
class NodeSource final : public SnapshotSource {
 public:
  NodeSource(libp2p::runtime::Runtime& runtime, const Node& node, std::string version)
      : runtime_(runtime), node_(node), version_(std::move(version)), started_(runtime.now().mono) {}
  PeerSnapshot self() const override { return node_.snapshots().self(); }
  PeerList list_peers(bool connected_only) const override { return node_.snapshots().list_peers(connected_only); }
  PeerSnapshot snapshot_of(const libp2p::PeerId& peer, const PeerList& list) const override {
    return node_.snapshots().snapshot_of(peer, list);
  }
  PeerStatsSnapshot peer_stats() const override { return node_.snapshots().peer_stats(); }
  StatusSnapshot status() const override;

 private:
  libp2p::runtime::Runtime& runtime_;
  const Node& node_;
  const std::string version_;
  const libp2p::MonoTime started_;
};

// All but `rpc` must outlive the last call.
void add_methods(JsonRpc& rpc, libp2p::runtime::Runtime& runtime, Node& node, BlockStore& store,
                 RpcSnapshots& snapshots, RpcDials& dials, const std::string& version);

}  // namespace opp2p
