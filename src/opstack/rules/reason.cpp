#include "opstack/rules/reason.hpp"

#include <array>
#include <utility>

#include "libp2p/base/assert.hpp"

namespace opstack::rules {
namespace {

struct Row {
  Reason reason;
  std::string_view id;
  std::string_view words;
  // Around a number that is the evidence.
  std::string_view before;
  std::string_view after;
};

constexpr std::array<Row, kReasonCount> kRows = {{
    {Reason::valid, "valid", "valid block", "", ""},
    {Reason::invalid_snappy_length, "invalid_snappy_length", "invalid snappy compression length data", "", ""},
    {Reason::decoded_length_too_large, "decoded_length_too_large",
     "possible snappy zip bomb, decoded length is too large", "decoded_length ", ""},
    {Reason::undersized, "undersized", "rejecting undersized gossip payload", "", " bytes, at least 66 are expected"},
    {Reason::invalid_snappy, "invalid_snappy", "invalid snappy compression", "", ""},
    {Reason::no_signer_configured, "no_signer_configured",
     "no configured p2p sequencer address, ignoring gossiped block", "", ""},
    {Reason::invalid_signature, "invalid_signature", "invalid block signature", "", ""},
    {Reason::invalid_payload, "invalid_payload", "invalid execution payload", "", ""},
    {Reason::invalid_envelope, "invalid_envelope", "invalid envelope payload", "", ""},
    {Reason::too_old, "too_old", "payload is too old", "", ""},
    {Reason::too_new, "too_new", "payload is too new", "", ""},
    {Reason::bad_block_hash, "bad_block_hash", "payload has bad block hash", "", ""},
    {Reason::unexpected_withdrawals, "unexpected_withdrawals", "payload has withdrawals, which its topic does not have",
     "", ""},
    {Reason::missing_withdrawals, "missing_withdrawals", "payload has no withdrawals, which its topic requires", "",
     ""},
    {Reason::non_empty_withdrawals, "non_empty_withdrawals", "payload has withdrawals in its list, which must be empty",
     "", " withdrawals"},
    {Reason::unexpected_blob_gas_used, "unexpected_blob_gas_used",
     "payload has blob gas used, which its topic does not have", "", ""},
    {Reason::unexpected_excess_blob_gas, "unexpected_excess_blob_gas",
     "payload has excess blob gas, which its topic does not have", "", ""},
    {Reason::missing_blob_gas_used, "missing_blob_gas_used", "payload has no blob gas used, which its topic requires",
     "", ""},
    {Reason::non_zero_blob_gas_used, "non_zero_blob_gas_used", "payload has blob gas used before Jovian",
     "blob_gas_used ", ""},
    {Reason::missing_excess_blob_gas, "missing_excess_blob_gas",
     "payload has no excess blob gas, which its topic requires", "", ""},
    {Reason::non_zero_excess_blob_gas, "non_zero_excess_blob_gas", "payload has excess blob gas, which must be zero",
     "excess_blob_gas ", ""},
    {Reason::missing_parent_beacon_block_root, "missing_parent_beacon_block_root",
     "payload has no parent beacon block root, which its topic requires", "", ""},
    {Reason::missing_withdrawals_root, "missing_withdrawals_root",
     "payload has no withdrawals root, which its topic requires", "", ""},
    {Reason::extra_rule, "extra_rule", "payload breaks a rule of this node", "", ""},
    {Reason::too_many_blocks_at_height, "too_many_blocks_at_height", "seen too many different blocks at same height",
     "height ", ""},
    {Reason::already_seen, "already_seen", "validated already seen message again", "", ""},
    {Reason::internal_error, "internal_error", "the check of this message failed", "", ""},
    {Reason::validation_queue_full, "validation_queue_full", "the validation queue is full, the block was not checked",
     "", ""},
}};

consteval bool in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (kRows[i].reason != static_cast<Reason>(i)) return false;
  return true;
}
static_assert(in_order(), "row i describes reason i");

const Row& row_of(Reason reason) {
  const auto at = static_cast<std::size_t>(reason);
  OPP2P_ASSERT(at < kRows.size(), "a reason is one of the enum", at);
  return kRows[at];
}

struct Writer {
  Reason reason;
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(std::uint64_t number) const {
    const Row& row = row_of(reason);
    return std::string(row.before).append(std::to_string(number)).append(row.after);
  }
  std::string operator()(const TimeEvidence& time) const {
    return "timestamp " + std::to_string(time.timestamp) + ", now " + std::to_string(time.now) + ", " +
           std::to_string(time.allowed) + " s are allowed";
  }
  std::string operator()(const HashEvidence& hashes) const {
    return "bad_hash " + libp2p::to_hex0x(hashes.named) + ", actual " + libp2p::to_hex0x(hashes.actual);
  }
  std::string operator()(const SignerEvidence& signers) const {
    return "signed by " + libp2p::to_hex0x(signers.signer) + ", expected " + libp2p::to_hex0x(signers.expected);
  }
  std::string operator()(const std::string& text) const { return text; }
};

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::accept: return "accept";
    case Verdict::ignore: return "ignore";
    case Verdict::reject: break;
  }
  return "reject";
}

std::string_view reason_id(Reason reason) { return row_of(reason).id; }
std::optional<Reason> reason_of(std::string_view id) {
  for (const Row& row : kRows)
    if (row.id == id) return row.reason;
  return std::nullopt;
}

std::string_view to_string(Reason reason) { return row_of(reason).words; }

std::string evidence_text(Reason reason, const Evidence& evidence) { return std::visit(Writer{reason}, evidence); }

std::string sentence(Reason reason, const Evidence& evidence) {
  std::string out(to_string(reason));
  const std::string values = evidence_text(reason, evidence);
  if (!values.empty()) out += " (" + values + ")";
  return out;
}

}  // namespace opstack::rules
