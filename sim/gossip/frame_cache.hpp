// Frames that went from member to member, decoded once, with the names of their messages: a frame is shared by all who
// pass it on, so what is known of it is found by its address. It keeps frames alive for as long as it knows them.
// Owner: the world. Bounds: kItems and kBytes; the oldest goes first, and is decoded again if it comes again.
#pragma once

#include <deque>
#include <unordered_map>

#include "libp2p/protocols/gossipsub/message_id.hpp"
#include "libp2p/protocols/gossipsub/rpc.hpp"
#include "sim/gossip/names.hpp"

namespace opp2p::sim::gossip {

class FrameCache {
 public:
  static constexpr std::size_t kItems = 4096;
  static constexpr std::size_t kBytes = 256U << 20;

  explicit FrameCache(const libp2p::gossipsub::RpcLimits& limits) : limits_(limits) {}

  // The frame, decoded; null when it cannot be. It holds until the next call.
  const libp2p::gossipsub::Rpc* decoded(const SharedBytes& frame);
  // The same, without decoding it: its messages are named once all the same.
  void keep(const SharedBytes& frame) { entry(frame); }

  // 20 bytes that depend on topic and data. `data` may lie in the frame that was asked for last.
  libp2p::gossipsub::Named name(std::string_view topic, ByteView data);

 private:
  struct Entry {
    SharedBytes frame;
    std::optional<libp2p::gossipsub::Rpc> rpc;
    bool is_decoded = false;
    // Of the message whose data begins there.
    const std::uint8_t* data = nullptr;
    libp2p::gossipsub::MessageId id;
  };
  Entry& entry(const SharedBytes& frame);

  libp2p::gossipsub::RpcLimits limits_;
  std::unordered_map<const Bytes*, Entry> entries_;  // never iterated
  std::deque<const Bytes*> order_;
  std::size_t bytes_ = 0;
  Entry* last_ = nullptr;
};

}  // namespace opp2p::sim::gossip
