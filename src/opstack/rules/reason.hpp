// Why a block is accepted, rejected or ignored: an enum, a stable id for each reason, and the sentence that tells it to
// a person. Rules give a reason with its values (`Evidence`); only sentence() and evidence_text() make text of them.
// Pure values; thread: any. Source of the reasons and of their wording: op-node surface, 5.5.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "opstack/payload/payload.hpp"

namespace opstack::rules {

using payload::Hash;

enum class Verdict : std::uint8_t { accept, reject, ignore };
std::string_view to_string(Verdict verdict);

// In the order of the checks; new ones at the end.
enum class Reason : std::uint8_t {
  valid,
  invalid_snappy_length,
  decoded_length_too_large,
  undersized,
  invalid_snappy,
  no_signer_configured,
  invalid_signature,
  invalid_payload,  // of version 1 or 2
  invalid_envelope,
  too_old,
  too_new,
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
  extra_rule,
  too_many_blocks_at_height,
  already_seen,
  internal_error,
  validation_queue_full,  // the block has not been checked
};
inline constexpr std::size_t kReasonCount = static_cast<std::size_t>(Reason::validation_queue_full) + 1;

// The id of a reason, such as "bad_block_hash". Metrics, logs and RPC name reasons by it, so an id never changes and is
// never given to another reason.
std::string_view reason_id(Reason reason);
std::optional<Reason> reason_of(std::string_view id);
// The reason in words: op-node's, where it has some.
std::string_view to_string(Reason reason);

// The values that a reason is about.
struct TimeEvidence {
  std::uint64_t timestamp = 0;  // of the block, in seconds since 1970
  std::uint64_t now = 0;
  std::int64_t allowed = 0;  // seconds of difference
  friend bool operator==(const TimeEvidence&, const TimeEvidence&) = default;
};
struct HashEvidence {
  Hash named{};  // by the payload
  Hash actual{};
  friend bool operator==(const HashEvidence&, const HashEvidence&) = default;
};
struct SignerEvidence {
  payload::Address signer{};
  payload::Address expected{};
  friend bool operator==(const SignerEvidence&, const SignerEvidence&) = default;
};
// A number is a size, a height or the value of a field: the reason says which. A text comes from a decoder, from a rule
// of the owner's own, or from an exception.
using Evidence = std::variant<std::monostate, std::uint64_t, TimeEvidence, HashEvidence, SignerEvidence, std::string>;

// "timestamp 1744218401, now 1744218462, 60 s are allowed"; empty without evidence.
std::string evidence_text(Reason reason, const Evidence& evidence);
// "payload is too old (timestamp 1744218401, now 1744218462, 60 s are allowed)"
std::string sentence(Reason reason, const Evidence& evidence);

}  // namespace opstack::rules
