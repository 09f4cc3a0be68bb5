#include "libp2p/protocols/gossipsub/trace_event.hpp"

#include <utility>

#include "libp2p/protocols/gossipsub/router.hpp"

namespace libp2p::gossipsub {
namespace {

// The words of go-libp2p-pubsub's tracer, where it has one.
std::string_view reason_of(RejectCause cause) {
  switch (cause) {
    case RejectCause::invalid: return "validation failed";
    case RejectCause::ignored: return "validation ignored";
    case RejectCause::unexpected_author: return "unexpected auth info";
    case RejectCause::missing_signature: return "missing signature";
    case RejectCause::invalid_signature: return "invalid signature";
    case RejectCause::self_origin: return "self originated message";
    case RejectCause::blacklisted: return "blacklisted source";
    case RejectCause::queue_full: return "validation queue full";
    case RejectCause::throttled: return "validation throttled";
    case RejectCause::not_to_blame: return "validation ignored";
    case RejectCause::too_large: return "message too large for its topic";
    case RejectCause::invalid_unblamed: return "validation failed";
  }
  return "unknown";
}

// A message that is dropped at our door is rejected; one in an outbox is an RPC that is dropped.
bool set_drop(TraceEvent& event, const Trace& trace) {
  switch (trace.drop) {
    case DropCause::validation_full: event.detail = "validation queue full"; break;
    case DropCause::refused_often: event.detail = "peer refused often"; break;
    case DropCause::naming_budget: event.detail = "naming budget spent"; break;
    case DropCause::outbox_forwarded:
    case DropCause::outbox_own: {
      event.kind = TraceEventKind::drop_rpc;
      RpcMeta meta;
      meta.messages.push_back({trace.id, trace.topic});
      event.meta = std::make_shared<const RpcMeta>(std::move(meta));
      return true;
    }
    default: return false;
  }
  event.kind = TraceEventKind::reject_message;
  return true;
}

// Whether there is an event for it.
bool set_kind(TraceEvent& event, const Trace& trace) {
  switch (trace.kind) {
    case TraceKind::joined: event.kind = TraceEventKind::join; return true;
    case TraceKind::left: event.kind = TraceEventKind::leave; return true;
    case TraceKind::graft: event.kind = TraceEventKind::graft; return true;
    case TraceKind::prune: event.kind = TraceEventKind::prune; return true;
    case TraceKind::published: event.kind = TraceEventKind::publish_message; return true;
    case TraceKind::duplicate: event.kind = TraceEventKind::duplicate_message; return true;
    case TraceKind::delivered:
    case TraceKind::relayed: event.kind = TraceEventKind::deliver_message; return true;
    case TraceKind::rejected:
      event.kind = TraceEventKind::reject_message;
      event.detail = reason_of(trace.reason);
      return true;
    case TraceKind::peer_added:
    case TraceKind::version_agreed:
      event.kind = TraceEventKind::add_peer;
      event.detail = protocol_of(trace.version);
      return trace.version != ProtocolVersion::pending;
    case TraceKind::peer_removed:
      event.kind = TraceEventKind::remove_peer;
      return trace.version != ProtocolVersion::pending;
    case TraceKind::dropped: return set_drop(event, trace);
    default: return false;
  }
}

}  // namespace

std::optional<TraceEvent> trace_event(const Trace& trace, const PeerId& self, UnixTime now) {
  TraceEvent event;
  if (!set_kind(event, trace)) return std::nullopt;
  event.self = self;
  event.at = now;
  const bool own = trace.peer.empty() && event.kind == TraceEventKind::reject_message;
  event.peer = own ? self : trace.peer;
  event.id = trace.id;
  event.topic = trace.topic;
  return event;
}

TraceEvent trace_event(const RpcTrace& trace, const PeerId& self, UnixTime now) {
  TraceEvent event;
  event.kind = trace.received ? TraceEventKind::receive_rpc : TraceEventKind::send_rpc;
  event.self = self;
  event.at = now;
  event.peer = trace.peer;
  event.meta = trace.meta;
  return event;
}

std::size_t TraceEvent::memory_bytes() const {
  return sizeof(TraceEvent) + self.bytes().size() + peer.bytes().size() + topic.size() +
         (meta != nullptr ? meta->memory_bytes() : 0);
}

}  // namespace libp2p::gossipsub
