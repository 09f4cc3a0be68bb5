// What comes out of reverse sync: requests, blocks to deliver, what a peer earned, and traces, which one place above
// turns into logs, metrics and simulator records. Plain values. Thread: any. Bounds: none of their own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "opstack/sync/engine/answer.hpp"
#include "opstack/sync/engine/gap.hpp"

namespace opstack::sync {

using RequestId = std::uint64_t;

// Ask `peer` for block `number`. Answer with SyncScheduler::on_answer, or drop it when CancelRequest comes.
struct RequestBlock {
  RequestId id = 0;
  PeerId peer;
  std::uint64_t number = 0;
};
struct CancelRequest {
  RequestId id = 0;
  PeerId peer;
};
// The block that the gap wants; see GapSink::on_fetched. Its memory_bytes() count against the bound of the scheduler
// until SyncScheduler::on_written.
struct DeliverBlock {
  GapId gap = 0;
  PeerId peer;
  Block block;
};

// For the score book (op-node surface, section 8).
enum class PeerMerit : std::uint8_t { valid_response, error_response, rejected_payload };
std::string_view to_string(PeerMerit merit);
struct PeerReport {
  PeerId peer;
  PeerMerit merit = PeerMerit::valid_response;
};

// Misbehaviour: the peer sent something that no honest peer sends.
enum class SyncFaultKind : std::uint8_t {
  malformed,     // an answer that does not parse
  wrong_number,  // a block that was not asked for
  bad_hash,      // a block whose hash is not that of its contents
  altered,       // a block with contents that its hash does not cover and that no block has
};
inline constexpr std::size_t kSyncFaultKinds = 4;
std::string_view to_string(SyncFaultKind kind);  // for people
// Stable: counters and metrics are named by them.
std::string_view fault_id(SyncFaultKind kind);
// What the score book counts for it: a payload that decodes and is refused is a rejected one.
PeerMerit merit_of(SyncFaultKind kind);
struct SyncFault {
  PeerId peer;
  SyncFaultKind kind = SyncFaultKind::malformed;
  std::uint64_t number = 0;
  std::string evidence;
};

enum class SyncTraceKind : std::uint8_t {
  range_requested,      // the regular check: start, end, size; open-ended without an end
  range_left_open,      // start, end, size: there is a gap, and reverse sync is switched off (the follower)
  range_filled,         // number: a hole is closed, or there is no gap any more (the follower)
  no_free_peer,         // gap, number: nobody can be asked now; goes on by itself
  no_peer_has_block,    // gap, number: every peer was asked in vain; asked again after a pause
  request_sent,         // gap, peer, number
  answer,               // gap, peer, number, text is the kind
  late_answer,          // the request had been cancelled, or its deadline had passed: not used
  quarantined,          // gap, peer, number
  quarantine_overflow,  // gap, number: dropped, to be asked for again
  promoted,             // gap, peer, number: the block is linked, and delivered
  other_branch,         // gap, peer, number; text has both hashes. No fault. The peer is passed over for this gap
  wrong_time,           // gap, number: a linked block that no chain of ours has; text says why. It is not delivered
  broken_rule,          // gap, number: a linked block breaks a rule that its hash covers; text says which. It is kept
  peer_added,
  peer_removed,
  peer_paused,  // peer; text says for how long and why
};
std::string_view to_string(SyncTraceKind kind);
struct SyncTrace {
  SyncTraceKind kind = SyncTraceKind::range_requested;
  PeerId peer;
  std::optional<GapId> gap;
  std::optional<std::uint64_t> number;  // none where the event is about no block
  std::uint64_t start = 0;
  std::optional<std::uint64_t> end;
  std::uint64_t size = 0;
  std::string text;
};

using SyncAction = std::variant<RequestBlock, CancelRequest, DeliverBlock, PeerReport, SyncFault, SyncTrace>;

}  // namespace opstack::sync
