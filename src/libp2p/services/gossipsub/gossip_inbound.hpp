// The stream that a peer writes to and that we read from, as the handler of that stream. It cuts the bytes into frames
// and hands them on. An error of the framing, or a frame that the owner refuses, resets the stream.
//
// Owned by GossipPeer. Thread: the network thread. Bounds: one frame of RpcLimits::max_rpc. Re-entrancy: the owner is
// called inside the connection's work and must not destroy the stream in the call (GossipDrain::bury).
// Specification: libp2p pubsub, "Stream management".
#pragma once

#include <optional>

#include "libp2p/base/live_count.hpp"
#include "libp2p/connection/stream.hpp"
#include "libp2p/protocols/gossipsub/frame.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "libp2p/services/gossipsub/frame_progress.hpp"
#include "libp2p/services/gossipsub/unfinished_frames.hpp"

namespace libp2p {

class GossipInbound final : public StreamHandler, LiveCounted<GossipInbound> {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual Result<void> on_frame(const PeerId& peer, SharedBytes frame) = 0;
    // The stream holds more of an unfinished frame than before; an error says that it is too much.
    virtual Result<void> on_grown(GossipInbound& stream) = 0;
    // The stream is over: in order, or with why it is not.
    virtual void on_inbound_over(GossipInbound& stream, const std::optional<Error>& why) = 0;
  };

  // Counts what it holds in `frames`, under `key` and as of `blocks`.
  GossipInbound(runtime::Runtime& runtime, Stream stream, std::size_t max_rpc, Owner& owner, UnfinishedFrames& frames,
                std::uint64_t key, const AddressBlocks& blocks);
  ~GossipInbound() override;
  GossipInbound(const GossipInbound&) = delete;
  GossipInbound& operator=(const GossipInbound&) = delete;

  // Begins to read; calls the owner back at once when bytes are there already.
  void start() { stream_.set_handler(this); }
  const PeerId& peer() const { return peer_; }
  std::uint64_t key() const { return key_; }
  // Bytes of the frame that is not whole.
  std::size_t held() const { return held_; }
  const FrameProgress& progress() const { return progress_; }
  // Resets the stream, and tells the owner so.
  void evict(const Error& why) {
    if (!over_) over(why);
  }

  void on_data(ByteView bytes) override;
  void on_end() override;
  void on_reset(const Error& why) override;
  void on_writable() override {}

 private:
  Result<void> take(ByteView bytes);
  void hold(std::size_t bytes);
  void over(const std::optional<Error>& why);

  runtime::Runtime& runtime_;
  PeerId peer_;
  Stream stream_;
  gossipsub::FrameReader reader_;
  FrameProgress progress_;
  Owner& owner_;
  UnfinishedFrames& frames_;
  std::uint64_t key_;
  std::size_t held_ = 0;
  bool over_ = false;
};

}  // namespace libp2p
