#include "opstack/reputation/fault.hpp"

#include <array>

#include "libp2p/base/assert.hpp"
#include "opstack/rules/blame.hpp"

namespace opstack::reputation {
namespace {

using rules::Reason;

struct FaultRow {
  FaultKind kind;
  std::optional<Reason> reason;  // of the gossiped block
  std::string_view id;           // of kinds without a reason
};

constexpr std::array<FaultRow, kFaultKinds> kRows = {{
    {FaultKind::invalid_snappy_length, Reason::invalid_snappy_length, {}},
    {FaultKind::decoded_length_too_large, Reason::decoded_length_too_large, {}},
    {FaultKind::undersized, Reason::undersized, {}},
    {FaultKind::invalid_snappy, Reason::invalid_snappy, {}},
    {FaultKind::invalid_signature, Reason::invalid_signature, {}},
    {FaultKind::invalid_payload, Reason::invalid_payload, {}},
    {FaultKind::invalid_envelope, Reason::invalid_envelope, {}},
    {FaultKind::bad_block_hash, Reason::bad_block_hash, {}},
    {FaultKind::unexpected_withdrawals, Reason::unexpected_withdrawals, {}},
    {FaultKind::missing_withdrawals, Reason::missing_withdrawals, {}},
    {FaultKind::non_empty_withdrawals, Reason::non_empty_withdrawals, {}},
    {FaultKind::unexpected_blob_gas_used, Reason::unexpected_blob_gas_used, {}},
    {FaultKind::unexpected_excess_blob_gas, Reason::unexpected_excess_blob_gas, {}},
    {FaultKind::missing_blob_gas_used, Reason::missing_blob_gas_used, {}},
    {FaultKind::non_zero_blob_gas_used, Reason::non_zero_blob_gas_used, {}},
    {FaultKind::missing_excess_blob_gas, Reason::missing_excess_blob_gas, {}},
    {FaultKind::non_zero_excess_blob_gas, Reason::non_zero_excess_blob_gas, {}},
    {FaultKind::missing_parent_beacon_block_root, Reason::missing_parent_beacon_block_root, {}},
    {FaultKind::missing_withdrawals_root, Reason::missing_withdrawals_root, {}},
    {FaultKind::message_policy, std::nullopt, "message_policy"},
    {FaultKind::sync_malformed, std::nullopt, "sync_malformed"},
    {FaultKind::sync_wrong_number, std::nullopt, "sync_wrong_number"},
    {FaultKind::sync_bad_hash, std::nullopt, "sync_bad_hash"},
    {FaultKind::sync_altered, std::nullopt, "sync_altered"},
}};

consteval bool in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (kRows[i].kind != static_cast<FaultKind>(i) || kRows[i].reason.has_value() != kRows[i].id.empty()) return false;
  return true;
}
static_assert(in_order(), "row i describes kind i, by its reason or by an id of its own");

}  // namespace

std::string_view fault_id(FaultKind kind) {
  const auto at = static_cast<std::size_t>(kind);
  OPP2P_ASSERT(at < kRows.size(), "a kind is one of the enum", at);
  return kRows[at].reason ? rules::reason_id(*kRows[at].reason) : kRows[at].id;
}

std::optional<FaultKind> fault_of(std::string_view id) {
  for (const FaultRow& row : kRows)
    if (fault_id(row.kind) == id) return row.kind;
  return std::nullopt;
}

std::optional<FaultKind> fault_of(Reason reason, bool signer_known) {
  if (!rules::is_blamed(reason, signer_known)) return std::nullopt;
  for (const FaultRow& row : kRows)
    if (row.reason == reason) return row.kind;
  OPP2P_ASSERT(false, "every reason that blames has a kind", rules::reason_id(reason));
  return std::nullopt;
}

bool is_blamed(Reason reason, bool signer_known) { return rules::is_blamed(reason, signer_known); }

bool may_be_ours(FaultKind kind) {
  switch (kind) {
    case FaultKind::invalid_snappy_length:
    case FaultKind::decoded_length_too_large:
    case FaultKind::undersized:
    case FaultKind::invalid_snappy:
    case FaultKind::message_policy: return false;
    default: return is_of_gossip(kind);
  }
}

FaultKind fault_of(sync::SyncFaultKind kind) {
  switch (kind) {
    case sync::SyncFaultKind::malformed: return FaultKind::sync_malformed;
    case sync::SyncFaultKind::wrong_number: return FaultKind::sync_wrong_number;
    case sync::SyncFaultKind::bad_hash: return FaultKind::sync_bad_hash;
    case sync::SyncFaultKind::altered: break;
  }
  return FaultKind::sync_altered;
}

}  // namespace opstack::reputation
