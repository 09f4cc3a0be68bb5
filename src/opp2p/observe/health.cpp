#include "opp2p/observe/health.hpp"

#include <algorithm>

namespace opp2p {
namespace {

constexpr std::uint64_t kBlocksBehind = 10;
constexpr std::uint64_t kSecondsBehind = 60;

}  // namespace

libp2p::Seconds head_age(std::uint64_t timestamp, libp2p::UnixTime now) {
  const auto clock = static_cast<std::uint64_t>(std::max<std::int64_t>(0, libp2p::unix_seconds(now)));
  return libp2p::Seconds(clock > timestamp ? static_cast<std::int64_t>(clock - timestamp) : 0);
}

std::uint64_t stale_after(std::uint64_t block_time) {
  return std::max(kSecondsBehind, block_time > UINT64_MAX / kBlocksBehind ? UINT64_MAX : kBlocksBehind * block_time);
}

Health health_of(std::optional<std::uint64_t> head_timestamp, std::uint64_t block_time, libp2p::UnixTime now,
                 const WrongTimes& wrong) {
  if (wrong.in_a_row >= kWrongInARow)
    return {false,
            "the last " + std::to_string(wrong.in_a_row) +
                " blocks do not have the times of --rollup.config, which has a block every " +
                std::to_string(block_time) + " s" +
                (wrong.observed_block_time ? "; they come every " + std::to_string(*wrong.observed_block_time) + " s"
                                           : std::string()) +
                "; is it the configuration of another chain?"};
  if (!head_timestamp)
    return {
        false,
        "no block has been accepted or found in the store yet; opp2p_status tells the peers and the rejected blocks"};
  const auto most = stale_after(block_time);
  const auto age = static_cast<std::uint64_t>(head_age(*head_timestamp, now).count());
  if (age <= most) return {};
  return {false, "the head is " + std::to_string(age) + " s old, more than " + std::to_string(most) +
                     " s; opp2p_status tells the peers and the rejected blocks"};
}

}  // namespace opp2p
