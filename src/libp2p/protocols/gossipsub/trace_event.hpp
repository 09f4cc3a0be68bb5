// The events of a trace: those of go-libp2p-pubsub's trace.proto, made of what the router says (Trace, RpcTrace), and
// the seam for what takes them. trace_encode.hpp writes them. Values; pure functions.
//
// Which events there are, and where ours differ from Go's:
//  - publish, reject, duplicate, deliver: an accepted message is delivered whether we subscribe to its topic or relay
//    it only. A publication of our own is not delivered besides. A message that is dropped before it is named, for a
//    bound of ours or for the signature policy, is rejected without an id.
//  - add and remove peer (Go 0.17 calls them new and closed outbound stream): the stream that we write to.
//  - receive, send and drop RPC. A message of an RPC that was not named has no id there. What is dropped is a message
//    that found no room in the outbox of a peer; its topic is not told. Of an RPC of a peer that is blacklisted, or
//    below the graylist threshold, nothing else is told than that it came.
//  - join, leave, graft, prune.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/protocols/gossipsub/events.hpp"
#include "libp2p/protocols/gossipsub/message_id.hpp"
#include "libp2p/protocols/gossipsub/rpc_meta.hpp"

namespace libp2p::gossipsub {

// The numbers are those of trace.proto.
enum class TraceEventKind : std::uint8_t {
  publish_message = 0,
  reject_message = 1,
  duplicate_message = 2,
  deliver_message = 3,
  add_peer = 4,
  remove_peer = 5,
  receive_rpc = 6,
  send_rpc = 7,
  drop_rpc = 8,
  join = 9,
  leave = 10,
  graft = 11,
  prune = 12,
};
inline constexpr std::size_t kTraceEventKinds = 13;

struct TraceEvent {
  TraceEventKind kind{};
  PeerId self;  // whose trace it is
  UnixTime at{};
  PeerId peer;   // who sent it, or whom it is about
  MessageId id;  // may be empty
  std::string topic;
  std::string_view detail;              // why a message is rejected; the protocol of a peer; of static storage
  std::shared_ptr<const RpcMeta> meta;  // of an RPC

  // Roughly what it takes; for bounds.
  std::size_t memory_bytes() const;
};

// Takes the events of one GossipsubService or several. Called on the network thread; it must not call back, nor wait.
class EventTracer {
 public:
  virtual ~EventTracer() = default;
  virtual void on_event(TraceEvent event) = 0;
};

// Nothing for what trace.proto has no event for. `self` and `now`: who traces, and when it happened.
std::optional<TraceEvent> trace_event(const Trace& trace, const PeerId& self, UnixTime now);
TraceEvent trace_event(const RpcTrace& trace, const PeerId& self, UnixTime now);

}  // namespace libp2p::gossipsub
