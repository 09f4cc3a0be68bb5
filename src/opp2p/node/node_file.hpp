// node.json in the data folder: where a running node listens, for tools and tests that started it on free ports.
// Written whole, by renaming, once the node is up; removed when it ends.
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
