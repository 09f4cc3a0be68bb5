// The steps of a node, in the order of op-node's construction (op-node surface, section 2). A new part of the node is a
// row of the table in node_steps.cpp, and its member of NodeParts; a step of more than a few lines has a file of its
// own.
//
// Two differences in the order. The node opens its ports after its services are there, so that the first peer finds all
// protocols; op-node opens them with the host. The books of scores and bans, op-node's extended peerstore, come with
// the gaters that read them.
#pragma once

#include "opp2p/node/node_construction.hpp"

namespace opp2p {

NodeSteps node_steps();

// --- reputation_steps.cpp: what the node remembers and thinks of its peers ---
libp2p::Result<void> begin_peerstore(NodeWiring& wiring);
// What a step needs that has put a datastore of its own there.
libp2p::Result<void> keep_in_datastore(NodeWiring& wiring);
libp2p::runtime::Task<void> close_peerstore(NodeWiring& wiring, libp2p::Nanos limit);
void drop_peerstore(NodeWiring& wiring);
libp2p::Result<void> begin_known_peers(NodeWiring& wiring);
libp2p::runtime::Task<void> close_known_peers(NodeWiring& wiring, libp2p::Nanos limit);
void drop_known_peers(NodeWiring& wiring);
libp2p::Result<void> begin_own_keys(NodeWiring& wiring);
libp2p::Result<void> begin_gater(NodeWiring& wiring);
void drop_gater(NodeWiring& wiring);
libp2p::Result<void> begin_reputation(NodeWiring& wiring);
libp2p::runtime::Task<void> close_reputation(NodeWiring& wiring, libp2p::Nanos limit);
void drop_reputation(NodeWiring& wiring);
libp2p::Result<void> begin_peer_monitor(NodeWiring& wiring);
libp2p::runtime::Task<void> close_peer_monitor(NodeWiring& wiring, libp2p::Nanos limit);
void drop_peer_monitor(NodeWiring& wiring);

// --- chain_steps.cpp: what the node does with blocks ---
libp2p::Result<void> begin_chain(NodeWiring& wiring);
libp2p::runtime::Task<void> close_chain(NodeWiring& wiring, libp2p::Nanos limit);
void drop_chain(NodeWiring& wiring);
libp2p::Result<void> begin_block_gossip(NodeWiring& wiring);
libp2p::Result<void> begin_topics(NodeWiring& wiring);
libp2p::runtime::Task<void> leave_topics(NodeWiring& wiring, libp2p::Nanos limit);
void drop_topics(NodeWiring& wiring);

}  // namespace opp2p
