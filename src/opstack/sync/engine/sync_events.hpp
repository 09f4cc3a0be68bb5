// What comes out of the sync engines: requests, writes and reads of the staging table, blocks to deliver, what a peer
// earned, and traces, which one place above turns into logs, metrics and simulator records. Plain values. Thread: any.
// Bounds: none of their own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "opstack/sync/engine/answer.hpp"

namespace opstack::sync {

using RequestId = std::uint64_t;
using SegmentId = std::uint64_t;

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
// Write to the staging table; answer with on_staged.
struct StageBlock {
  SegmentId segment = 0;
  StagedBlock block;
};
// Read back from `from` upwards; answer with on_staged_read.
struct ReadStaged {
  RequestId id = 0;
  SegmentId segment = 0;
  std::uint64_t from = 0;
  std::size_t max_blocks = 0;
  std::size_t max_bytes = 0;
};
struct DropStaged {
  SegmentId segment = 0;
};
// A block whose chain of parents is known to reach from a signed block down to the head.
struct DeliverBlock {
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
  unlinked,      // a well-formed block that is not the parent of the trusted block above it
};
inline constexpr std::size_t kSyncFaultKinds = 5;
std::string_view to_string(SyncFaultKind kind);  // for people
// Stable: counters and metrics are named by them.
std::string_view fault_id(SyncFaultKind kind);
struct SyncFault {
  PeerId peer;
  SyncFaultKind kind = SyncFaultKind::malformed;
  std::uint64_t number = 0;
  std::string evidence;
};

enum class SyncTraceKind : std::uint8_t {
  range_requested,      // start, end, size; without an end nothing is scheduled
  range_left_open,      // start, end, size: there is a gap, and reverse sync is switched off
  range_filled,         // all blocks of it are delivered
  range_diverged,       // the chain below the trusted end does not reach our head: evidence names both hashes
  range_abandoned,      // text says why; the next gap check starts anew
  no_free_peer,         // number: nobody can be asked now; goes on by itself
  no_peer_has_block,    // every peer was asked for number in vain; asked again after a pause
  request_sent,         // peer, number
  answer,               // peer, number, text is the kind
  late_answer,          // peer: came after its deadline, not used
  quarantined,          // peer, number
  quarantine_overflow,  // number was dropped
  promoted,             // peer, number
  broken_rule,          // number: a linked block breaks a rule that its hash covers; text says which. It is kept
  peer_added,
  peer_removed,
  peer_paused,  // peer; text says for how long and why
};
std::string_view to_string(SyncTraceKind kind);
struct SyncTrace {
  SyncTraceKind kind = SyncTraceKind::range_requested;
  PeerId peer;
  std::optional<std::uint64_t> number;  // none where the event is about no block
  std::uint64_t start = 0;
  std::optional<std::uint64_t> end;
  std::uint64_t size = 0;
  std::string text;
};

using SyncAction = std::variant<RequestBlock, CancelRequest, StageBlock, ReadStaged, DropStaged, DeliverBlock,
                                PeerReport, SyncFault, SyncTrace>;

}  // namespace opstack::sync
