// Which block numbers a payload_by_number server answers at all. Pure function. Source: op-node surface, section 7
// (codes).
#pragma once

#include <optional>

#include "libp2p/base/time.hpp"
#include "opstack/chain/rollup_config.hpp"
#include "opstack/sync/wire/codec.hpp"

namespace opstack::sync {

// invalid_request for a number below genesis, beyond what time allows, or before the chain has begun; nothing for a
// fair question.
std::optional<opstack::sync::wire::ResultCode> refuse_number(const chain::RollupConfig& rollup, std::uint64_t number,
                                                             libp2p::UnixTime now);

}  // namespace opstack::sync
