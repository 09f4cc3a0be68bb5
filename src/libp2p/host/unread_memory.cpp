#include "libp2p/host/unread_memory.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "libp2p/base/assert.hpp"

namespace libp2p {

namespace {

// Streams have half of the account, so that what else is remembered has room; a quarter is theirs whatever else takes.
constexpr std::size_t kShare = 2;
constexpr std::size_t kFloor = 4;
// A window that may not grow is reason enough to reset a stream that nobody has read from for this long.
constexpr Nanos kStalled = Seconds(5);

}  // namespace

UnreadMemory::UnreadMemory(runtime::Runtime& runtime, MemoryAccount& memory, const SwarmTable& table,
                           HostCounters& counters)
    : runtime_(runtime), memory_(memory), table_(table), counters_(counters) {}

bool UnreadMemory::take_if_room(std::size_t bytes) {
  if (taken_ + bytes <= memory_.limit() / kFloor) {
    memory_.take(bytes);
    return true;
  }
  return taken_ + bytes <= memory_.limit() / kShare && memory_.try_take(bytes);
}

void UnreadMemory::take(std::size_t bytes) {
  while (!take_if_room(bytes)) {
    // The connection that asks is the first to be looked at when it holds most.
    if (!reset_largest_holder(Nanos(0))) {
      memory_.take(bytes);
      break;
    }
  }
  taken_ += bytes;
}

void UnreadMemory::give(std::size_t bytes) {
  OPP2P_ASSERT(bytes <= taken_, "connections give back what they have taken", bytes, taken_);
  memory_.give(bytes);
  taken_ -= bytes;
}

bool UnreadMemory::fits(std::size_t more) const {
  return taken_ + more <= memory_.limit() / kShare && memory_.used() + more <= memory_.limit();
}

bool UnreadMemory::may_grow(std::size_t bytes) {
  if (fits(bytes)) return true;
  relief_bytes_ = std::max(relief_bytes_, bytes);
  // Asked in the middle of a connection's work: whoever holds the room is looked for afterwards.
  if (!std::exchange(relief_posted_, true)) runtime_.post(life_.guard([this] { relieve(); }));
  return false;
}

void UnreadMemory::relieve() {
  relief_posted_ = false;
  const std::size_t wanted = std::exchange(relief_bytes_, 0);
  while (!fits(wanted) && reset_largest_holder(kStalled)) {
  }
}

bool UnreadMemory::reset_largest_holder(Nanos stalled) {
  std::map<Bytes, std::size_t, BlockOrder> of_block;
  for (const auto& [id, entry] : table_) {
    if (!entry.blocks.is_exempt()) of_block[entry.blocks.narrow] += entry.connection->unread();
  }
  std::vector<std::tuple<std::size_t, std::size_t, Connection*>> holders;
  for (const auto& [id, entry] : table_) {
    const std::size_t unread = entry.connection->unread();
    if (unread == 0) continue;
    holders.emplace_back(entry.blocks.is_exempt() ? unread : of_block[entry.blocks.narrow], unread,
                         entry.connection.get());
  }
  std::sort(holders.begin(), holders.end(), [](const auto& a, const auto& b) {
    return std::make_pair(std::get<0>(a), std::get<1>(a)) > std::make_pair(std::get<0>(b), std::get<1>(b));
  });
  for (const auto& [in_block, unread, connection] : holders) {
    if (!connection->reset_largest_unread(stalled)) continue;
    ++counters_.reset_for_memory;
    return true;
  }
  return false;
}

void UnreadMemory::check() const {
  std::size_t unread = 0;
  for (const auto& [id, entry] : table_) unread += entry.connection->unread();
  OPP2P_CHECK(unread <= taken_ && taken_ <= memory_.used(), "unread bytes are taken from the account", unread, taken_,
              memory_.used());
}

}  // namespace libp2p
