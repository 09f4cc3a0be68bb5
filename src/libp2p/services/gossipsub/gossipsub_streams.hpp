// The two streams that GossipSub keeps with a peer, each the handler of its own: one that we write to and one that we
// read from. They carry bytes between the network and the service and decide nothing. Owned by GossipsubService.
// Thread: the network thread. Bounds: inbound, one frame of RpcLimits::max_rpc; outbound, the stream's send queue and
// one frame that waits.
#pragma once

#include <deque>
#include <functional>
#include <optional>

#include "libp2p/base/live_count.hpp"
#include "libp2p/connection/stream.hpp"
#include "libp2p/protocols/gossipsub/frame.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "libp2p/services/gossipsub/gossipsub_unfinished.hpp"

namespace libp2p {

// Reads frames and hands them on. An error of the framing, or a frame that `on_frame` refuses, resets the stream.
class GossipInbound final : public libp2p::StreamHandler, LiveCounted<GossipInbound> {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual Result<void> on_frame(const PeerId& peer, SharedBytes frame) = 0;
    // The stream holds more of an unfinished frame than before; an error says that it is too much.
    virtual Result<void> on_grown(GossipInbound& stream) = 0;
    // The stream is over: in order, or with why it is not. The owner must not destroy it inside the call.
    virtual void on_inbound_over(GossipInbound& stream, const std::optional<Error>& why) = 0;
  };

  // Counts what it holds in `frames`, under `key` and as of `blocks`.
  GossipInbound(runtime::Runtime& runtime, libp2p::Stream stream, std::size_t max_rpc, Owner& owner,
                UnfinishedFrames& frames, std::uint64_t key, const AddressBlocks& blocks);
  ~GossipInbound() override;

  // Begins to read; calls the owner back at once when bytes are there already.
  void start() { stream_.set_handler(this); }
  const PeerId& peer() const { return peer_; }
  std::uint64_t key() const { return key_; }
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
  libp2p::Stream stream_;
  gossipsub::FrameReader reader_;
  FrameProgress progress_;
  Owner& owner_;
  UnfinishedFrames& frames_;
  std::uint64_t key_;
  std::size_t held_ = 0;
  bool over_ = false;
};

// Pulls frames while the stream has room. What is queued is watched: a frame that has not left `write_timeout` after it
// came to the front means that the peer does not read.
class GossipOutbound final : public libp2p::StreamHandler, LiveCounted<GossipOutbound> {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual std::optional<SharedBytes> next_frame(const PeerId& peer) = 0;
    // The stream is dead. The owner must not destroy it inside the call.
    virtual void on_outbound_lost(GossipOutbound& stream, const Error& why) = 0;
  };

  GossipOutbound(runtime::Runtime& runtime, libp2p::Stream stream, Owner& owner);
  ~GossipOutbound() override;

  void start() { stream_.set_handler(this); }
  const PeerId& peer() const { return peer_; }
  const std::string& protocol() const { return stream_.protocol(); }
  MonoTime opened() const { return opened_; }

  // Sends what there is while there is room.
  void pump();
  bool stalled(Nanos write_timeout);
  std::size_t queued_bytes() const;

  void on_data(ByteView) override {}  // the peer has its own stream for what it says
  void on_end() override {}
  void on_reset(const Error& why) override;
  void on_writable() override { pump(); }

 private:
  void note_progress(MonoTime now);

  runtime::Runtime& runtime_;
  PeerId peer_;
  libp2p::Stream stream_;
  Owner& owner_;
  MonoTime opened_;
  SharedBytes waiting_;               // found no room
  std::deque<std::uint64_t> queued_;  // ends of the frames in the send queue, counted in bytes from the stream's begin
  std::uint64_t handed_over_ = 0;     // bytes given to the stream
  MonoTime front_since_;              // since when the oldest queued frame is the oldest
};

}  // namespace libp2p
