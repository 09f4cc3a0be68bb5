// A fault that a peer is blamed for, with its evidence; and the table that says which reasons of a refused block blame
// the peer that sent it. Nobody is blamed for what an honest peer can do: pass on a block that is old for our clock,
// repeat one, or bring one that this node had no room, no signer or no working code to judge. Plain values; thread:
// any. Source: op-node surface, 5.5; the blamed rows are 1 to 4, 6 with a signer, 7, and 10 to 16.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libp2p/base/time.hpp"
#include "opstack/rules/reason.hpp"
#include "opstack/sync/engine/sync_events.hpp"

namespace opstack::reputation {

using libp2p::UnixTime;
using payload::Hash;

// New ones at the end: records on disk name them by their ids.
enum class FaultKind : std::uint8_t {
  // A gossiped block, by rules::Reason.
  invalid_snappy_length,
  decoded_length_too_large,
  undersized,
  invalid_snappy,
  invalid_signature,
  invalid_payload,
  invalid_envelope,
  bad_block_hash,
  unexpected_withdrawals,
  missing_withdrawals,
  non_empty_withdrawals,
  unexpected_blob_gas_used,
  unexpected_excess_blob_gas,
  missing_blob_gas_used,
  non_zero_blob_gas_used,
  missing_excess_blob_gas,
  non_zero_excess_blob_gas,
  missing_parent_beacon_block_root,
  missing_withdrawals_root,
  // A message that GossipSub refuses before anybody judges it: it names an author, or is signed, where that is
  // forbidden.
  message_policy,
  // An answer of payload_by_number, by sync::SyncFaultKind.
  sync_malformed,
  sync_wrong_number,
  sync_bad_hash,
  sync_altered,
};
inline constexpr std::size_t kFaultKinds = static_cast<std::size_t>(FaultKind::sync_altered) + 1;

// Stable: "bad_block_hash" as rules::reason_id, "message_policy", "sync_bad_hash". Metrics and records name kinds by
// it.
std::string_view fault_id(FaultKind kind);
std::optional<FaultKind> fault_of(std::string_view id);

// What the sender of a block that was refused for this reason is blamed for; nothing when it is not. `signer_known`: a
// signer is configured, without which nobody can say whose signature is wrong.
std::optional<FaultKind> fault_of(rules::Reason reason, bool signer_known);
bool is_blamed(rules::Reason reason, bool signer_known);
FaultKind fault_of(sync::SyncFaultKind kind);
// Whether a node that believes something wrong of its chain can take this fault for one. Nobody's beliefs make a
// message that cannot be unpacked, or that GossipSub refuses.
bool may_be_ours(FaultKind kind);
// Whether the fault is one of a gossiped message.
constexpr bool is_of_gossip(FaultKind kind) { return kind <= FaultKind::message_policy; }

struct Fault {
  UnixTime at{};
  FaultKind kind{};
  std::string reason_id;   // fault_id(kind)
  std::string message_id;  // of GossipSub, in hex without 0x; empty where there is none
  std::optional<std::uint64_t> block_number;
  std::optional<Hash> block_hash;  // as the block names itself
  std::string text;                // a sentence without a full stop: the reason with its values
  friend bool operator==(const Fault&, const Fault&) = default;
};

}  // namespace opstack::reputation
