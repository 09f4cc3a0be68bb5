#include "libp2p/protocols/gossipsub/frame.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/multiformats/varint.hpp"

namespace libp2p::gossipsub {
namespace {

using multiformats::append_varint;
using multiformats::varint_size;

constexpr std::uint8_t kPublishTag = 0x12;  // RPC.publish, length-delimited
constexpr std::uint8_t kDataTag = 0x12;     // Message.data
constexpr std::uint8_t kTopicTag = 0x22;    // Message.topic

// What a frame allocates on the word of its length alone.
constexpr std::size_t kFirstAllocation = 256U << 10;

std::size_t field_size(std::size_t content) { return 1 + varint_size(content) + content; }

std::size_t message_size(std::string_view topic, std::size_t data_size) {
  return (data_size == 0 ? 0 : field_size(data_size)) + field_size(topic.size());
}

}  // namespace

std::size_t message_frame_size(std::string_view topic, std::size_t data_size) {
  const std::size_t body = field_size(message_size(topic, data_size));
  return varint_size(body) + body;
}

SharedMessage SharedMessage::make(std::string_view topic, ByteView data) {
  const std::size_t message = message_size(topic, data.size());
  Bytes frame;
  frame.reserve(message_frame_size(topic, data.size()));
  append_varint(frame, field_size(message));
  frame.push_back(kPublishTag);
  append_varint(frame, message);
  if (!data.empty()) {
    frame.push_back(kDataTag);
    append_varint(frame, data.size());
  }
  const std::size_t offset = frame.size();
  append(frame, data);
  frame.push_back(kTopicTag);
  append_varint(frame, topic.size());
  append(frame, as_bytes(topic));
  OPP2P_ASSERT(frame.size() == message_frame_size(topic, data.size()), "a frame has the size that was counted", frame);
  return {share(std::move(frame)), offset, data.size()};
}

SharedMessage SharedMessage::from_received(const Rpc& rpc, const Message& message) {
  const std::string_view topic = message.topic.value_or(std::string_view());
  const ByteView data = message.data.value_or(ByteView());
  // A frame of exactly the size that topic and data need has room for nothing else, so it can be sent on as it is.
  const bool sole = rpc.frame && rpc.publish.size() == 1 && message.topic && !data.empty() &&
                    rpc.frame->size() == message_frame_size(topic, data.size());
  if (!sole) return make(topic, data);
  OPP2P_ASSERT(data.data() >= rpc.frame->data() && data.data() + data.size() <= rpc.frame->data() + rpc.frame->size(),
               "the data of a decoded message lies in its frame", data, *rpc.frame);
  return {rpc.frame, static_cast<std::size_t>(data.data() - rpc.frame->data()), data.size()};
}

Result<bool> FrameReader::read_prefix(ByteView& in) {
  while (frame_size_ == 0) {
    if (in.empty()) return false;
    prefix_[prefix_size_++] = in.front();
    in = in.subspan(1);
    if ((prefix_[prefix_size_ - 1] & 0x80) != 0) {
      if (prefix_size_ == prefix_.size()) return Error(Errc::malformed, "gossipsub frame: its length is no number");
      continue;
    }
    OPP2P_TRY(const auto length, multiformats::read_varint(ByteView(prefix_.data(), prefix_size_)));
    if (length.value > max_rpc_) {
      return Error(Errc::too_large, "gossipsub frame: " + std::to_string(length.value) +
                                        " bytes are announced, at most " + std::to_string(max_rpc_) + " are allowed");
    }
    if (length.value == 0) {
      prefix_size_ = 0;
      continue;
    }
    frame_size_ = prefix_size_ + static_cast<std::size_t>(length.value);
    frame_.reserve(std::min(frame_size_, kFirstAllocation));
    append(frame_, ByteView(prefix_.data(), prefix_size_));
  }
  return true;
}

Result<std::optional<SharedBytes>> FrameReader::next(ByteView& in) {
  OPP2P_TRY(const bool known, read_prefix(in));
  if (!known) return std::optional<SharedBytes>();
  OPP2P_ASSERT(frame_.size() < frame_size_ && frame_size_ <= max_rpc_ + prefix_.size(),
               "a frame that is being read is not whole and not longer than allowed", frame_, frame_size_);
  const std::size_t size = std::min(in.size(), frame_size_ - frame_.size());
  const std::size_t needed = frame_.size() + size;
  if (needed > frame_.capacity()) frame_.reserve(std::min(frame_size_, std::max(needed, 4 * frame_.capacity())));
  append(frame_, in.first(size));
  in = in.subspan(size);
  if (frame_.size() < frame_size_) return std::optional<SharedBytes>();
  prefix_size_ = 0;
  frame_size_ = 0;
  return std::optional<SharedBytes>(share(std::exchange(frame_, Bytes())));
}

void FrameReader::check() const {
  OPP2P_CHECK(prefix_size_ <= prefix_.size(), "a prefix has nine bytes at most", prefix_size_);
  if (frame_size_ == 0) {
    OPP2P_CHECK(frame_.empty(), "nothing is held of a frame whose length is not known", frame_);
    return;
  }
  OPP2P_CHECK(frame_size_ - prefix_size_ <= max_rpc_, "a frame is not longer than allowed", frame_size_, prefix_size_,
              max_rpc_);
  OPP2P_CHECK(prefix_size_ > 0 && prefix_size_ <= frame_.size() && frame_.size() < frame_size_,
              "what is held of a frame is its prefix and a part of its body", prefix_size_, frame_, frame_size_);
}

}  // namespace libp2p::gossipsub
