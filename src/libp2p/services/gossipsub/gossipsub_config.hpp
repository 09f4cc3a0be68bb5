// The settings of a GossipsubService. Values that do not change while it runs.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "libp2p/base/time.hpp"
#include "libp2p/protocols/gossipsub/router.hpp"
#include "libp2p/protocols/gossipsub/trace_event.hpp"

namespace libp2p {

// A peer with which there is an agreement of both sides (gossipsub v1.1, "Explicit Peering Agreements").
struct GossipDirectPeer {
  PeerId peer;
  std::vector<Multiaddr> addresses;
};

struct GossipsubConfig {
  gossipsub::Router::Config router;
  Nanos write_timeout = Seconds(30);       // for the frame at the front of a peer's send queue
  Nanos validation_timeout = Seconds(30);  // a validation without an answer becomes an ignore; a safety net
  Nanos frame_timeout = Seconds(30);       // for an inbound frame from its first byte: op-node's time to write one
  // Of all inbound frames that are not whole. An IPv4 address or a /56 of IPv6 has a quarter of it, a /48 half.
  std::size_t unfinished_bytes = 128U << 20;
  // A lost stream is opened again after reopen_first, and after each further loss in twice the time, at most
  // reopen_most. A stream that has lived for reopen_forgiven makes the next one start from reopen_first.
  Nanos reopen_first = Millis(100);
  Nanos reopen_most = Seconds(60);
  Nanos reopen_forgiven = Seconds(60);
  // No score touches them, everything is sent to them, their connections are protected, and they are dialled again when
  // they are away. They are added to Router::Config::direct.
  std::vector<GossipDirectPeer> direct;
  std::size_t max_dials = 8;            // of GossipSub's own at a time (library)
  std::size_t max_waiting_dials = 128;  // and peers of peer exchange that wait for one (library); others are dropped
  Nanos inspect_interval = Seconds(1);  // between two snapshots for GossipsubService::inspect_scores
  // Gets the events of this service: each RPC with what it carries, and what became of messages, peers and meshes.
  // None: nothing is traced, and it costs nothing. trace_file.hpp writes them to a file.
  std::shared_ptr<gossipsub::EventTracer> tracer = nullptr;
};

}  // namespace libp2p
