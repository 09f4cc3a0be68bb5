// The node's JSON-RPC methods: opp2p_, optimism_ and, when enabled, admin_, with op-node's names, shapes and errors. Methods run on the
// server's thread; what needs the node is posted to the network thread, what needs the store reads a snapshot of it.
// Source: op-node surface, section 10.
#pragma once

#include <string>

#include "node/json_rpc.hpp"
#include "node/node.hpp"
#include "node/store.hpp"

namespace opp2p::node {

// `node`, `store` and `runtime` must outlive the last call.
void add_methods(JsonRpc& rpc, libp2p::runtime::Runtime& runtime, Node& node, BlockStore& store,
                 libp2p::runtime::TaskScope& scope, const std::string& version);

}  // namespace opp2p::node
