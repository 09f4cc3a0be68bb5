// The node's JSON-RPC methods: opp2p_, optimism_ and, when enabled, admin_, with op-node's names, shapes and errors.
// They are grouped in families (families.def), each in a file of its own. Methods run on the RPC's thread; what changes
// the node is posted to the network thread, what reads it takes a snapshot (opp2p/rpc/rpc_snapshots.hpp), and what
// needs the store reads a snapshot of that. Methods that change something need the token. Source: op-node surface,
// section 10.
#pragma once

#include <string>
#include <vector>

#include "opp2p/node/node.hpp"
#include "opp2p/observe/block_history.hpp"
#include "opp2p/observe/peer_history.hpp"
#include "opp2p/rpc/api_ports.hpp"
#include "opp2p/rpc/json_rpc.hpp"
#include "opp2p/rpc/rpc_dials.hpp"
#include "opp2p/rpc/rpc_snapshots.hpp"
#include "opp2p/store/block_store.hpp"

namespace opp2p {

// Null: the node has no such part, and the methods that need it say so.
struct ApiPorts {
  GatingPort* gating = nullptr;
  ReputationPort* reputation = nullptr;
  StaticPeersPort* static_peers = nullptr;
  const PeerHistory* peers = nullptr;
  const BlockHistory* blocks = nullptr;
};

// What the methods of the node work with. All outlive the last call.
struct NodeApi {
  libp2p::runtime::Runtime& runtime;
  Node& node;
  const BlockStore& store;
  RpcSnapshots& snapshots;
  RpcDials& dials;
  std::string version;  // of the program
  ApiPorts ports = {};
};

#define OPP2P_RPC_FAMILY(name) std::vector<RpcMethod> name##_methods(const NodeApi& api);
#include "opp2p/rpc/families.def"
#undef OPP2P_RPC_FAMILY

// Adds the methods of all families; those of the admin namespace only when the operator enabled them.
void add_methods(JsonRpc& rpc, const NodeApi& api);

// Those of a node with --p2p.disable: its version and its chain.
void add_methods_without_p2p(JsonRpc& rpc, const opstack::chain::RollupConfig& rollup, const std::string& version);

}  // namespace opp2p
