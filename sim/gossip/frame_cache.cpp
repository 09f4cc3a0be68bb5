#include "sim/gossip/frame_cache.hpp"

#include "libp2p/crypto/hash.hpp"

namespace opp2p::sim::gossip {

using libp2p::gossipsub::MessageId;

FrameCache::Entry& FrameCache::entry(const SharedBytes& frame) {
  if (last_ != nullptr && last_->frame == frame) return *last_;
  const auto [at, added] = entries_.try_emplace(frame.get());
  last_ = &at->second;  // the elements of this map do not move
  if (!added) return *last_;
  last_->frame = frame;
  order_.push_back(frame.get());
  bytes_ += frame->size();
  while (order_.size() > kItems || (bytes_ > kBytes && order_.size() > 1)) {
    bytes_ -= order_.front()->size();
    entries_.erase(order_.front());
    order_.pop_front();
  }
  return *last_;
}

const libp2p::gossipsub::Rpc* FrameCache::decoded(const SharedBytes& frame) {
  Entry& known = entry(frame);
  if (!known.is_decoded) {
    known.is_decoded = true;
    if (auto rpc = libp2p::gossipsub::decode_frame(frame, limits_)) known.rpc = std::move(*rpc);
  }
  return known.rpc ? &*known.rpc : nullptr;
}

libp2p::gossipsub::Named FrameCache::name(std::string_view topic, ByteView data) {
  if (last_ != nullptr && last_->data == data.data() && !data.empty()) return last_->id;
  Bytes head(8);
  libp2p::store_le64(head.data(), topic.size());
  libp2p::append(head, libp2p::as_bytes(topic));
  libp2p::append(head, data);
  const auto id = *MessageId::from(ByteView(libp2p::crypto::sha256(head)).first(20));
  // One message of a frame is remembered: others' frames hold one.
  const bool is_inside = last_ != nullptr && !data.empty() && data.data() >= last_->frame->data() &&
                         data.data() + data.size() <= last_->frame->data() + last_->frame->size();
  if (is_inside) {
    last_->data = data.data();
    last_->id = id;
  }
  return id;
}

}  // namespace opp2p::sim::gossip
