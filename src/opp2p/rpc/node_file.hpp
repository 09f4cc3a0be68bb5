// The file node.json in the data folder: where a running node and its RPC listen, for tools and tests that start it on
// free ports. Written as a whole, by renaming, when the node is up, and removed when it ends. Functions without state;
// thread: any.
#pragma once

#include <string>
#include <vector>

#include "libp2p/base/result.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace opp2p {

libp2p::Result<void> write_node_file(const std::string& data_dir, const libp2p::PeerId& id,
                                     const std::vector<libp2p::Multiaddr>& addresses, std::uint16_t rpc_port);
void remove_node_file(const std::string& data_dir);

}  // namespace opp2p
