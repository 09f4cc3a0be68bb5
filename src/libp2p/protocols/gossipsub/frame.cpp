#include "libp2p/protocols/gossipsub/frame.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/multiformats/varint.hpp"
#include "libp2p/protocols/gossipsub/rpc_fields.hpp"

namespace libp2p::gossipsub {
namespace {

using multiformats::append_varint;
using multiformats::varint_size;

constexpr std::uint8_t kPublishTag = 0x12;  // RPC.publish, length-delimited
// What a frame allocates on the word of its length alone.
constexpr std::size_t kFirstAllocation = 256U << 10;

template <class Value>
std::size_t optional_size(const std::optional<Value>& value) {
  return value ? field_size(value->size()) : 0;
}

std::size_t message_size(const Message& message) {
  return optional_size(message.from) + optional_size(message.data) + optional_size(message.seqno) +
         optional_size(message.topic) + optional_size(message.signature) + optional_size(message.key);
}

void append_field(Bytes& to, std::uint32_t number, const std::optional<ByteView>& value) {
  if (!value) return;
  constexpr std::uint32_t kLengthDelimited = 2;
  to.push_back(static_cast<std::uint8_t>(number << 3 | kLengthDelimited));
  append_varint(to, value->size());
  append(to, *value);
}

}  // namespace

Message anonymous_message(std::string_view topic, ByteView data) {
  Message message;
  message.topic = topic;
  if (!data.empty()) message.data = data;
  return message;
}

std::size_t message_frame_size(const Message& message) {
  const std::size_t body = field_size(message_size(message));
  return varint_size(body) + body;
}

std::size_t message_frame_size(std::string_view topic, std::size_t data_size) {
  const std::size_t body = field_size((data_size == 0 ? 0 : field_size(data_size)) + field_size(topic.size()));
  return varint_size(body) + body;
}

SharedMessage SharedMessage::make(std::string_view topic, ByteView data) {
  return make(anonymous_message(topic, data));
}

SharedMessage SharedMessage::make(const Message& message) {
  const std::size_t size = message_size(message);
  const std::size_t data_size = message.data.value_or(ByteView()).size();
  Bytes frame;
  frame.reserve(message_frame_size(message));
  append_varint(frame, field_size(size));
  frame.push_back(kPublishTag);
  append_varint(frame, size);
  append_field(frame, field::from, message.from);
  append_field(frame, field::data, message.data);
  const std::size_t offset = frame.size() - data_size;
  append_field(frame, field::seqno, message.seqno);
  if (message.topic) append_field(frame, field::topic, as_bytes(*message.topic));
  append_field(frame, field::signature, message.signature);
  append_field(frame, field::key, message.key);
  OPP2P_ASSERT(frame.size() == message_frame_size(message), "a frame has the size that was counted", frame);
  return {share(std::move(frame)), offset, data_size};
}

SharedMessage SharedMessage::from_received(const Rpc& rpc, const Message& message) {
  const std::string_view topic = message.topic.value_or(std::string_view());
  const ByteView data = message.data.value_or(ByteView());
  // A frame of exactly the size that the fields need has room for nothing else, so it can be sent on as it is.
  const bool sole = rpc.frame && rpc.publish.size() == 1 && message.topic && !data.empty() &&
                    rpc.frame->size() == message_frame_size(message);
  // What is signed keeps its fields as they are; else one that is empty need not be there.
  if (!sole) return message.anonymous() ? make(topic, data) : make(message);
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
