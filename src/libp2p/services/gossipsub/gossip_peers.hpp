// The peers of a GossipsubService, a row for each, and their streams. It opens one stream to every connected peer that
// speaks a gossip protocol, and reads from the one that the peer opens. It pulls frames from the router only when a
// stream has room, so a peer that reads slowly holds back nobody else. It opens a lost stream again, later each time.
// It tells the router which peers come and go; everything that it keeps of a peer goes when the peer does.
//
// Owner: GossipsubService. Thread: the network thread. Bounds: a row for each connected peer and each peer with an
// inbound stream; one opening for each row; what is held of unfinished frames (unfinished_frames.hpp). Re-entrancy: it
// calls the host and the router, never the application. What streams tell it comes inside a connection's work, so a
// stream that ends is buried. Specification: libp2p pubsub, "Stream management".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/host/host.hpp"
#include "libp2p/protocols/gossipsub/router.hpp"
#include "libp2p/runtime/task.hpp"
#include "libp2p/services/gossipsub/gossip_drain.hpp"
#include "libp2p/services/gossipsub/gossip_events.hpp"
#include "libp2p/services/gossipsub/gossip_peer.hpp"
#include "libp2p/services/gossipsub/gossipsub_config.hpp"
#include "libp2p/services/gossipsub/gossipsub_counters.hpp"

namespace libp2p {

class GossipPeers final : private GossipInbound::Owner, private GossipOutbound::Owner {
 public:
  // Everything outlives this.
  GossipPeers(Host& host, const GossipsubConfig& config, gossipsub::Router& router, gossipsub::PeerScores& scores,
              GossipDrain& drain, GossipEvents& events, GossipsubCounters& counters);
  ~GossipPeers() override;
  GossipPeers(const GossipPeers&) = delete;
  GossipPeers& operator=(const GossipPeers&) = delete;

  // Opens a stream to each peer that is connected already.
  void start();
  // The router forgets all peers, and their streams are reset.
  void clear();
  // Ends every coroutine that opens a stream.
  runtime::Task<void> close() { return scope_.close(); }

  // --- the host ---
  void on_connected(const PeerConnected& event);
  void on_disconnected(const PeerDisconnected& event);
  void on_identified(const PeerIdentified& event);
  // One of the peer's connections was opened or closed.
  void on_connections_changed(const PeerId& peer);
  void accept(Stream stream);

  // --- the drain ---
  void on_send_ready(const PeerId& peer);
  void pump(const PeerId& peer);

  // --- the deadlines ---
  void drop_stalled();
  void reset_overdue_frames();

  // Those with an outbound stream, in order.
  std::vector<PeerId> with_outbound() const;
  // Bytes that have been pulled from the router and have not left yet.
  std::size_t queued_bytes() const;
  std::size_t unfinished_bytes() const { return unfinished_.bytes(); }
  void check() const;

 private:
  // --- GossipInbound::Owner, GossipOutbound::Owner ---
  Result<void> on_frame(const PeerId& peer, SharedBytes frame) override;
  Result<void> on_grown(GossipInbound& stream) override;
  void on_inbound_over(GossipInbound& stream, const std::optional<Error>& why) override;
  std::optional<SharedBytes> next_frame(const PeerId& peer) override;
  std::optional<std::size_t> next_frame_size(const PeerId& peer) const override;
  void on_portion_sent(GossipOutbound& stream) override;
  void on_outbound_lost(GossipOutbound& stream, const Error& why) override;

  GossipPeer& row(const PeerId& peer);
  GossipPeer* find(const PeerId& peer);
  // The row that had this generation; null when the peer has gone since.
  GossipPeer* find(const PeerId& peer, std::uint64_t generation);
  void add_to_router(const PeerId& peer, const GossipPeer& row, gossipsub::ProtocolVersion version);
  void tell_addresses(const PeerId& peer);
  void begin_open(const PeerId& peer, GossipPeer& row, Nanos delay);
  runtime::Task<void> open(PeerId peer, std::uint64_t generation, Nanos delay);
  void on_opened(const PeerId& peer, GossipPeer& row, Stream stream);
  void drop_outbound(const PeerId& peer, GossipPeer& row, std::string_view what, const Error& why);
  GossipInbound* largest_unfinished(const GossipInbound& grown, ShareFull full);
  Now now() const { return host_.runtime().now(); }

  Host& host_;
  const GossipsubConfig& config_;
  gossipsub::Router& router_;
  gossipsub::PeerScores& scores_;
  GossipDrain& drain_;
  GossipEvents& events_;
  GossipsubCounters& counters_;
  UnfinishedFrames unfinished_;  // before the rows: their streams give back to it what they hold
  std::map<PeerId, GossipPeer> rows_;
  std::uint64_t next_generation_ = 1;  // of rows and of inbound streams
  runtime::TaskScope scope_;           // last: its coroutines use the members above
};

}  // namespace libp2p
