// The stream that we write to and that a peer reads from, as the handler of that stream. It pulls frames from its owner
// while the stream has room, a portion at a time, so that a large message can still be taken back after the control
// that was sent before it. It knows since when the oldest queued frame is the oldest: one that does not leave in time
// means that the peer does not read.
//
// Owned by GossipPeer. Thread: the network thread. Bounds: the stream's send queue, and one frame that found no room
// there. Re-entrancy: the owner is called inside the connection's work and must not destroy the stream in the call
// (GossipDrain::bury). Specification: libp2p pubsub, "Stream management".
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "libp2p/base/live_count.hpp"
#include "libp2p/connection/stream.hpp"
#include "libp2p/runtime/runtime.hpp"

namespace libp2p {

class GossipOutbound final : public StreamHandler, LiveCounted<GossipOutbound> {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual std::optional<SharedBytes> next_frame(const PeerId& peer) = 0;
    // Router::next_frame_size.
    virtual std::optional<std::size_t> next_frame_size(const PeerId& peer) const = 0;
    // The stream has taken a portion, and more waits. It may wait until others had a turn.
    virtual void on_portion_sent(GossipOutbound& stream) = 0;
    // The stream is dead.
    virtual void on_outbound_lost(GossipOutbound& stream, const Error& why) = 0;
  };

  GossipOutbound(runtime::Runtime& runtime, Stream stream, Owner& owner);
  ~GossipOutbound() override;
  GossipOutbound(const GossipOutbound&) = delete;
  GossipOutbound& operator=(const GossipOutbound&) = delete;

  void start() { stream_.set_handler(this); }
  const PeerId& peer() const { return peer_; }
  const std::string& protocol() const { return stream_.protocol(); }
  MonoTime opened() const { return opened_; }

  // Sends a portion while there is room: a large frame, or small ones together.
  void pump();
  // Whether the oldest queued frame has been the oldest for `write_timeout`.
  bool is_stalled(Nanos write_timeout);
  std::size_t queued_bytes() const;

  void on_data(ByteView) override {}  // the peer has its own stream for what it says
  void on_end() override {}
  void on_reset(const Error& why) override;
  void on_writable() override { pump(); }

 private:
  static constexpr std::size_t kLarge = 16 * 1024;  // a frame that leaves alone
  static constexpr std::size_t kPortion = 64 * 1024;

  void note_progress(MonoTime now);

  runtime::Runtime& runtime_;
  PeerId peer_;
  Stream stream_;
  Owner& owner_;
  MonoTime opened_;
  SharedBytes waiting_;               // found no room
  std::deque<std::uint64_t> queued_;  // ends of the frames in the send queue, counted in bytes from the stream's begin
  std::uint64_t handed_over_ = 0;     // bytes given to the stream
  MonoTime front_since_;              // since when the oldest queued frame is the oldest
};

}  // namespace libp2p
