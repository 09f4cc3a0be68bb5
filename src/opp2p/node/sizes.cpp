#include "opp2p/node/sizes.hpp"

#include <algorithm>

#include "opp2p/node/node.hpp"

namespace opp2p {

NodeSizes Node::sizes() const {
  NodeSizes out;
  for (const auto& connection : host_->connections()) {
    ++out.connections;
    out.streams += connection.streams;
    out.most_streams = std::max(out.most_streams, connection.streams);
  }
  out.gossip = gossip_->router().sizes();
  out.gossip_sending = gossip_->queued_bytes();
  out.gossip_receiving = gossip_->unfinished_bytes();
  if (blocks_) out.validating = blocks_->validating();
  if (follower_) {
    out.waiting_blocks = follower_->chain().queued();
    out.waiting_bytes = follower_->chain().queued_bytes();
    if (const auto* client = follower_->client()) {
      out.requests = client->scheduler().in_flight();
      out.sync_bytes = client->scheduler().memory_bytes();
    }
  }
  if (server_) {
    out.serving = server_->serving();
    out.serving_bytes = server_->sending_bytes();
  }
  return out;
}

}  // namespace opp2p
