// Frames: RPCs as they stand on a stream, `uvarint length || rpc`. SharedMessage is the frame of one single message,
// made once and shared by the message cache, the validator and every peer that it is forwarded to. FrameReader cuts an
// inbound stream into frames. Values without a thread of their own.
#pragma once

#include "libp2p/base/shared_slice.hpp"
#include "libp2p/protocols/gossipsub/rpc.hpp"

namespace libp2p::gossipsub {

// A message as it goes out: an RPC frame that holds it and nothing else.
class SharedMessage {
 public:
  SharedMessage() = default;
  // Encodes: one allocation, one copy of the data.
  static SharedMessage make(std::string_view topic, ByteView data);  // without an author
  static SharedMessage make(const Message& message);
  // From a message of a decoded RPC: the frame that it came in when that holds nothing else (no copy), else as make().
  static SharedMessage from_received(const Rpc& rpc, const Message& message);

  const SharedBytes& frame() const { return frame_; }
  ByteView data() const { return {frame_->data() + offset_, size_}; }
  SharedSlice slice() const { return {frame_, offset_, size_}; }
  std::size_t frame_size() const { return frame_ ? frame_->size() : 0; }

 private:
  SharedMessage(SharedBytes frame, std::size_t offset, std::size_t size)
      : frame_(std::move(frame)), offset_(offset), size_(size) {}
  SharedBytes frame_;
  std::size_t offset_ = 0;
  std::size_t size_ = 0;
};

// Without an author; no data where there is none.
Message anonymous_message(std::string_view topic, ByteView data);
// Bytes of the frame of a message with this topic and data, without an author; and of a message as it is.
std::size_t message_frame_size(std::string_view topic, std::size_t data_size);
std::size_t message_frame_size(const Message& message);

// Cuts a stream into frames. Give it views as they arrive; it assembles each frame, prefix and all, in one buffer that
// becomes the SharedBytes, and grows that buffer with what has really arrived, not with what was announced. One per
// inbound stream; owns at most one frame of RpcLimits::max_rpc. Empty frames are skipped.
class FrameReader {
 public:
  explicit FrameReader(std::size_t max_rpc) : max_rpc_(max_rpc) {}

  // Takes bytes off the front of `in` up to the end of the next frame. Nothing: `in` is used up, more bytes are needed.
  // An error (Errc::too_large, Errc::malformed) is final: the stream has to be reset.
  Result<std::optional<SharedBytes>> next(ByteView& in);

  // Whether the stream could end here in order: no frame has been begun.
  bool at_boundary() const { return prefix_size_ == 0; }
  std::size_t buffered() const { return frame_.size(); }
  std::size_t allocated() const { return frame_.capacity(); }

  // Every invariant, by assertion.
  void check() const;

 private:
  Result<bool> read_prefix(ByteView& in);

  std::size_t max_rpc_;
  ByteArray<9> prefix_{};
  std::size_t prefix_size_ = 0;
  std::size_t frame_size_ = 0;  // prefix and body; 0 while the prefix is read
  Bytes frame_;
};

}  // namespace libp2p::gossipsub
