#include "opstack/sync/engine/request_rules.hpp"

#include <algorithm>

namespace opstack::sync {

using opstack::sync::wire::ResultCode;

std::optional<ResultCode> refuse_number(const chain::RollupConfig& rollup, std::uint64_t number, libp2p::UnixTime now) {
  if (number < rollup.genesis.l2.number) return ResultCode::invalid_request;
  const auto seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(0, libp2p::unix_seconds(now)));
  const auto newest = rollup.target_block_number(seconds);
  if (!newest || number > *newest) return ResultCode::invalid_request;
  return std::nullopt;
}

}  // namespace opstack::sync
