#include "opstack/rules/blame.hpp"

namespace opstack::rules {

bool is_blamed(Reason reason, bool signer_known) {
  switch (reason) {
    case Reason::invalid_snappy_length:
    case Reason::decoded_length_too_large:
    case Reason::undersized:
    case Reason::invalid_snappy:
    case Reason::invalid_payload:
    case Reason::invalid_envelope:
    case Reason::bad_block_hash:
    case Reason::unexpected_withdrawals:
    case Reason::missing_withdrawals:
    case Reason::non_empty_withdrawals:
    case Reason::unexpected_blob_gas_used:
    case Reason::unexpected_excess_blob_gas:
    case Reason::missing_blob_gas_used:
    case Reason::non_zero_blob_gas_used:
    case Reason::missing_excess_blob_gas:
    case Reason::non_zero_excess_blob_gas:
    case Reason::missing_parent_beacon_block_root:
    case Reason::missing_withdrawals_root: return true;
    case Reason::invalid_signature: return signer_known;
    case Reason::valid:
    case Reason::no_signer_configured:
    case Reason::too_old:
    case Reason::too_new:
    case Reason::extra_rule:
    case Reason::too_many_blocks_at_height:
    case Reason::already_seen:
    case Reason::internal_error:
    case Reason::validation_queue_full: break;
  }
  return false;
}

}  // namespace opstack::rules
