// The steps of a node, in the order of op-node's construction (op-node surface, section 2). A new part of the node is a
// row of the table in node_steps.cpp, and its member of NodeParts; a step of more than a few lines has a file of its
// own.
//
// A difference in the order: the node opens its ports after its services are there, so that the first peer finds all
// protocols. op-node opens them with the host.
#pragma once

#include "opp2p/node/node_construction.hpp"

namespace opp2p {

NodeSteps node_steps();

// --- chain_steps.cpp: what the node does with blocks ---
libp2p::Result<void> begin_chain(NodeWiring& wiring);
libp2p::runtime::Task<void> close_chain(NodeWiring& wiring, libp2p::Nanos limit);
void drop_chain(NodeWiring& wiring);
libp2p::Result<void> begin_block_gossip(NodeWiring& wiring);
libp2p::Result<void> begin_topics(NodeWiring& wiring);
libp2p::runtime::Task<void> leave_topics(NodeWiring& wiring, libp2p::Nanos limit);

}  // namespace opp2p
