// GossipSub's RPC message (specifications pubsub/README and gossipsub v1.0 to v1.3) and its codec. A decoded Rpc is a set of
// views into the frame that it came in; `frame` keeps that alive. Nothing is copied, and what is allocated is bounded by
// RpcLimits. Fields are optional as in the protobuf schema (proto2), so that a decoded message encodes to the same bytes.
// Stateless; any thread. A frame is `uvarint length || rpc`, as it stands on the stream; SharedMessage is the frame of a
// single message, made once and shared by the message cache, the validator and every peer that it is forwarded to.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "protocols/gossipsub/params.hpp"

namespace libp2p::gossipsub {

struct Subscription {
  std::optional<bool> subscribe;
  std::optional<std::string_view> topic;
  std::optional<bool> requests_partial;          // field 3, of an extension that is not spoken here
  std::optional<bool> supports_sending_partial;  // field 4, likewise
};

struct Message {
  std::optional<ByteView> from;
  std::optional<ByteView> data;
  std::optional<ByteView> seqno;
  std::optional<std::string_view> topic;
  std::optional<ByteView> signature;
  std::optional<ByteView> key;

  // StrictNoSign: whether none of the four author fields is there, not even empty.
  bool anonymous() const { return !from && !seqno && !signature && !key; }
};

struct IHave {
  std::optional<std::string_view> topic;
  std::vector<ByteView> ids;
};
struct IWant {
  std::vector<ByteView> ids;
};
struct IDontWant {
  std::vector<ByteView> ids;
};
struct Graft {
  std::optional<std::string_view> topic;
};
struct PeerInfo {
  std::optional<ByteView> peer_id;
  std::optional<ByteView> signed_peer_record;
};
struct Prune {
  std::optional<std::string_view> topic;
  std::vector<PeerInfo> peers;
  std::optional<std::uint64_t> backoff;  // seconds
};
struct Extensions {
  std::optional<bool> partial_messages;
  std::optional<bool> test_extension;
};

struct Control {
  std::vector<IHave> ihave;
  std::vector<IWant> iwant;
  std::vector<Graft> graft;
  std::vector<Prune> prune;
  std::vector<IDontWant> idontwant;
  std::optional<Extensions> extensions;
};

struct Rpc {
  std::vector<Subscription> subscriptions;
  std::vector<Message> publish;
  std::optional<Control> control;
  bool test_extension = false;  // field 6492434: present, its (empty) message read
  std::size_t ignored = 0;      // entries and ids beyond RpcLimits, not kept
  SharedBytes frame;            // owns what the views above show; null for an Rpc that was built by hand
};

// Reads `uvarint length || rpc`, which must be the whole of `frame`. Unknown fields are skipped, groups too.
// Errc::malformed or truncated with the byte of the frame; Errc::too_large for a bound of `limits`.
Result<Rpc> decode_frame(SharedBytes frame, const RpcLimits& limits);
// The same without the length prefix; the views point into `bytes`, which the caller keeps alive.
Result<Rpc> decode_rpc(ByteView bytes, const RpcLimits& limits);
// One pubsub Message on its own.
Result<Message> decode_message(ByteView bytes);

// Deterministic: fields in the order of their numbers.
Bytes encode_rpc(const Rpc& rpc);
Bytes encode_message(const Message& message);
// With the length in front.
SharedBytes encode_frame(const Rpc& rpc);

// A part of a shared buffer; keeps the buffer alive.
struct SharedSlice {
  SharedBytes owner;
  ByteView view;
};

// A message as it goes out: an RPC frame that holds it and nothing else.
class SharedMessage {
 public:
  SharedMessage() = default;
  // Encodes: one allocation, one copy of the data.
  static SharedMessage make(std::string_view topic, ByteView data);
  // From a message of a decoded RPC: the frame that it came in when that holds nothing else (no copy), else as make().
  static SharedMessage from_received(const Rpc& rpc, const Message& message);

  const SharedBytes& frame() const { return frame_; }
  ByteView data() const { return {frame_->data() + offset_, size_}; }
  SharedSlice slice() const { return {frame_, data()}; }
  std::size_t frame_size() const { return frame_ ? frame_->size() : 0; }

 private:
  SharedMessage(SharedBytes frame, std::size_t offset, std::size_t size)
      : frame_(std::move(frame)), offset_(offset), size_(size) {}
  SharedBytes frame_;
  std::size_t offset_ = 0;
  std::size_t size_ = 0;
};

// Bytes of the frame of a message with this topic and data.
std::size_t message_frame_size(std::string_view topic, std::size_t data_size);

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

 private:
  Result<bool> read_prefix(ByteView& in);

  std::size_t max_rpc_;
  ByteArray<9> prefix_{};
  std::size_t prefix_size_ = 0;
  std::size_t frame_size_ = 0;  // prefix and body; 0 while the prefix is read
  Bytes frame_;
};

}  // namespace libp2p::gossipsub
