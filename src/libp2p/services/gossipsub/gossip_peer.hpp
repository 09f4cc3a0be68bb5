// What GossipSub keeps of one peer: the stream that we write to, the stream that the peer writes to, whether the
// outbound stream is being opened, and how long the next opening waits after a loss. It decides nothing about other
// peers; GossipPeers moves it from state to state and tells the router.
//
// Owner: GossipPeers, one row for each connected peer. Thread: the network thread. Bounds: one stream each way.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "libp2p/base/live_count.hpp"
#include "libp2p/services/gossipsub/gossip_inbound.hpp"
#include "libp2p/services/gossipsub/gossip_outbound.hpp"
#include "libp2p/services/gossipsub/gossipsub_config.hpp"

namespace libp2p {

class GossipPeer : LiveCounted<GossipPeer> {
 public:
  // `generation` grows from row to row. It tells an answer for this row from one for a row that the peer had before.
  GossipPeer(std::uint64_t generation, Direction direction) : generation_(generation), direction_(direction) {}
  GossipPeer(const GossipPeer&) = delete;
  GossipPeer& operator=(const GossipPeer&) = delete;

  std::uint64_t generation() const { return generation_; }
  // Of the peer's first connection.
  Direction direction() const { return direction_; }
  void set_direction(Direction direction) { direction_ = direction; }

  GossipOutbound* outbound() const { return outbound_.get(); }
  GossipInbound* inbound() const { return inbound_.get(); }

  // An outbound stream is neither there nor being opened.
  bool wants_outbound() const { return outbound_ == nullptr && !opening_; }
  void begin_opening();
  void end_opening();
  void set_outbound(std::unique_ptr<GossipOutbound> stream);
  // The stream was lost. Whoever takes it destroys it outside of its calls.
  std::unique_ptr<GossipOutbound> take_outbound() { return std::move(outbound_); }
  void set_inbound(std::unique_ptr<GossipInbound> stream);
  std::unique_ptr<GossipInbound> take_inbound() { return std::move(inbound_); }

  // How long the next opening waits: GossipsubConfig::reopen_first, twice as long after each further failure.
  Nanos next_delay(const GossipsubConfig& config);
  // The outbound stream is lost at `now`. When it has lived long enough, the failures before it are forgotten.
  void forgive(const GossipsubConfig& config, MonoTime now);

  // The router has the peer; false when it had been told before.
  bool mark_known() { return !std::exchange(known_to_router_, true); }
  bool is_known() const { return known_to_router_; }
  void set_known(bool known) { known_to_router_ = known; }
  // The peer stands in the drain's list of those to pump; false when it did before.
  bool mark_ready() { return !std::exchange(ready_, true); }
  void clear_ready() { ready_ = false; }

 private:
  const std::uint64_t generation_;
  std::unique_ptr<GossipOutbound> outbound_;
  std::unique_ptr<GossipInbound> inbound_;
  unsigned failures_ = 0;
  Direction direction_;
  bool opening_ = false;
  bool known_to_router_ = false;
  bool ready_ = false;
};

}  // namespace libp2p
