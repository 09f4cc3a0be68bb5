// The file node.json in the data folder: where a running node, its RPC and its metrics listen, for tools and tests that
// start it on free ports, and for the commands on a running node. Written as a whole, by renaming, when the node is up,
// and removed when it ends. Functions without state; thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/result.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace opp2p {

struct NodePorts {
  std::uint16_t rpc_port = 0;
  std::string rpc_address = {};                              // the IP that it listens on, also 0.0.0.0 and ::
  std::optional<std::uint16_t> metrics_port = std::nullopt;  // of the metrics server, if there is one
};

// `id`: none of a node without its peer-to-peer layer (--p2p.disable), which has no addresses either.
libp2p::Result<void> write_node_file(const std::string& data_dir, const std::optional<libp2p::PeerId>& id,
                                     const std::vector<libp2p::Multiaddr>& addresses, const NodePorts& ports);
void remove_node_file(const std::string& data_dir);

// Where a program on the same machine reaches the RPC of the running node: an IP and a port. Errc::not_found when no
// node has written the file; a file that is damaged is told as such.
struct RpcPlace {
  std::string host;
  std::uint16_t port = 0;
  std::string peer_id = {};  // of the node that wrote the file; empty when it runs without p2p
};
libp2p::Result<RpcPlace> read_node_file(const std::string& data_dir);

}  // namespace opp2p
