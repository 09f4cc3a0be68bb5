#include "sim/live_counts.hpp"

#include "libp2p/connection/socket_connection.hpp"
#include "libp2p/protocols/yamux/stream.hpp"
#include "libp2p/services/gossipsub/gossip_inbound.hpp"
#include "libp2p/services/gossipsub/gossip_outbound.hpp"
#include "libp2p/services/ping/ping_service.hpp"
#include "opp2p/node/node.hpp"
#include "opstack/sync/drive/sync_client.hpp"
#include "sim/visitor.hpp"

namespace opp2p::sim {

std::vector<LiveCount> live_counts() {
  using libp2p::live;
  return {
      {"nodes", live<Node>()},
      {"visitors", VisitorPlace::Peer::live()},
      {"live connections", live<libp2p::SocketConnection>()},
      {"connection engines", live<libp2p::ConnectionEngine>()},
      {"stream states", live<libp2p::StreamState>()},
      {"yamux streams", live<libp2p::yamux::Stream>()},
      {"router peers", live<libp2p::gossipsub::Peer>()},
      {"gossip streams in", live<libp2p::GossipInbound>()},
      {"gossip streams out", live<libp2p::GossipOutbound>()},
      {"gossip services", live<libp2p::GossipsubService>()},
      {"identify services", live<libp2p::IdentifyService>()},
      {"ping services", live<libp2p::PingService>()},
      {"block gossips", live<opstack::gossip::BlockGossip>()},
      {"followers", live<opstack::sync::Follower>()},
      {"sync clients", live<opstack::sync::SyncClient>()},
      {"sync servers", live<opstack::sync::SyncServer>()},
      {"tasks", live<libp2p::runtime::detail::Root>()},
  };
}

}  // namespace opp2p::sim
