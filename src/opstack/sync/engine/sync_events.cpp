#include "opstack/sync/engine/sync_events.hpp"

#include <iterator>

namespace opstack::sync {

std::string_view to_string(PeerMerit merit) {
  switch (merit) {
    case PeerMerit::valid_response: return "valid response";
    case PeerMerit::error_response: return "error response";
    case PeerMerit::rejected_payload: return "rejected payload";
  }
  return "unknown";
}

std::string_view to_string(SyncFaultKind kind) {
  switch (kind) {
    case SyncFaultKind::malformed: return "malformed answer";
    case SyncFaultKind::wrong_number: return "wrong block number";
    case SyncFaultKind::bad_hash: return "bad block hash";
    case SyncFaultKind::altered: return "block altered where its hash does not cover it";
  }
  return "unknown";
}

std::string_view fault_id(SyncFaultKind kind) {
  constexpr std::string_view kIds[] = {"malformed", "wrong_number", "bad_hash", "altered"};
  static_assert(std::size(kIds) == kSyncFaultKinds);
  return kIds[static_cast<std::size_t>(kind)];
}

PeerMerit merit_of(SyncFaultKind kind) {
  return kind == SyncFaultKind::malformed ? PeerMerit::error_response : PeerMerit::rejected_payload;
}

std::string_view to_string(SyncTraceKind kind) {
  switch (kind) {
    case SyncTraceKind::range_requested: return "range requested";
    case SyncTraceKind::range_left_open: return "range is not requested: reverse sync is switched off";
    case SyncTraceKind::range_filled: return "range filled";
    case SyncTraceKind::no_free_peer: return "no peers ready to handle block requests";
    case SyncTraceKind::no_peer_has_block: return "no peer has the block";
    case SyncTraceKind::request_sent: return "request sent";
    case SyncTraceKind::answer: return "answer";
    case SyncTraceKind::late_answer: return "late answer";
    case SyncTraceKind::quarantined: return "quarantined";
    case SyncTraceKind::quarantine_overflow: return "quarantine overflow";
    case SyncTraceKind::promoted: return "promoted";
    case SyncTraceKind::other_branch: return "a peer sent a block of another branch; it is passed over for this gap";
    case SyncTraceKind::wrong_time: return "a linked block has not the time of its number; it is not used";
    case SyncTraceKind::broken_rule: return "a linked block breaks a rule of its fork; it is kept";
    case SyncTraceKind::peer_added: return "sync peer added";
    case SyncTraceKind::peer_removed: return "sync peer removed";
    case SyncTraceKind::peer_paused: return "sync peer paused";
  }
  return "unknown";
}

}  // namespace opstack::sync
