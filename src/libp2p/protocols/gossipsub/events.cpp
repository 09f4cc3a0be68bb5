#include "libp2p/protocols/gossipsub/events.hpp"

namespace libp2p::gossipsub {

std::string_view to_string(FaultKind kind) {
  switch (kind) {
    case FaultKind::graft_in_backoff: return "graft_in_backoff";
    case FaultKind::graft_flood: return "graft_flood";
    case FaultKind::broken_promise: return "broken_promise";
    case FaultKind::invalid_message: return "invalid_message";
    case FaultKind::unexpected_author: return "unexpected_author";
    case FaultKind::missing_signature: return "missing_signature";
    case FaultKind::invalid_signature: return "invalid_signature";
    case FaultKind::repeated_extensions: return "repeated_extensions";
    case FaultKind::ihave_flood: return "ihave_flood";
    case FaultKind::idontwant_flood: return "idontwant_flood";
    case FaultKind::direct_graft: return "direct_graft";
    case FaultKind::too_many_topics: return "too_many_topics";
    case FaultKind::partial_flood: return "partial_flood";
    case FaultKind::invalid_partial: return "invalid_partial";
    case FaultKind::too_large_message: return "too_large_message";
  }
  return "unknown";
}

std::string_view to_string(TraceKind kind) {
  switch (kind) {
    case TraceKind::joined: return "joined";
    case TraceKind::left: return "left";
    case TraceKind::peer_added: return "peer_added";
    case TraceKind::peer_removed: return "peer_removed";
    case TraceKind::version_agreed: return "version_agreed";
    case TraceKind::peer_joined: return "peer_joined";
    case TraceKind::peer_left: return "peer_left";
    case TraceKind::graft: return "graft";
    case TraceKind::prune: return "prune";
    case TraceKind::published: return "published";
    case TraceKind::duplicate: return "duplicate";
    case TraceKind::delivered: return "delivered";
    case TraceKind::rejected: return "rejected";
    case TraceKind::dropped: return "dropped";
    case TraceKind::graylisted: return "graylisted";
    case TraceKind::blacklisted: return "blacklisted";
    case TraceKind::relayed: return "relayed";
    case TraceKind::iwant_sent: return "iwant_sent";
    case TraceKind::iwant_served: return "iwant_served";
    case TraceKind::partial_received: return "partial_received";
    case TraceKind::partial_sent: return "partial_sent";
  }
  return "unknown";
}

std::string_view to_string(PruneCause cause) {
  switch (cause) {
    case PruneCause::none: return "none";
    case PruneCause::score: return "score";
    case PruneCause::blacklist: return "blacklist";
    case PruneCause::excess: return "excess";
    case PruneCause::peer: return "peer";
    case PruneCause::we_left: return "we_left";
    case PruneCause::peer_left: return "peer_left";
    case PruneCause::version: return "version";
  }
  return "?";
}

std::string_view to_string(RejectCause cause) {
  switch (cause) {
    case RejectCause::invalid: return "invalid";
    case RejectCause::ignored: return "ignored";
    case RejectCause::unexpected_author: return "unexpected_author";
    case RejectCause::missing_signature: return "missing_signature";
    case RejectCause::invalid_signature: return "invalid_signature";
    case RejectCause::self_origin: return "self_origin";
    case RejectCause::blacklisted: return "blacklisted";
    case RejectCause::queue_full: return "queue_full";
    case RejectCause::throttled: return "throttled";
    case RejectCause::not_to_blame: return "not_to_blame";
    case RejectCause::too_large: return "too_large";
    case RejectCause::invalid_unblamed: return "invalid_unblamed";
  }
  return "unknown";
}

std::string_view to_string(DropCause cause) {
  switch (cause) {
    case DropCause::none: return "none";
    case DropCause::not_subscribed: return "not_subscribed";
    case DropCause::validation_full: return "validation_full";
    case DropCause::refused_often: return "refused_often";
    case DropCause::naming_budget: return "naming_budget";
    case DropCause::outbox_forwarded: return "outbox_forwarded";
    case DropCause::outbox_own: return "outbox_own";
    case DropCause::cancelled_unwanted: return "cancelled_unwanted";
    case DropCause::cache_bytes: return "cache_bytes";
    case DropCause::seen_items: return "seen_items";
    case DropCause::partial_not_enabled: return "partial_not_enabled";
    case DropCause::partial_bounds: return "partial_bounds";
    case DropCause::outbox_partial: return "outbox_partial";
  }
  return "unknown";
}

}  // namespace libp2p::gossipsub
