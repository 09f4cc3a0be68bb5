// The memory of unread bytes: what all connections hold for readers that have not come yet, taken from the host's
// account. Credit that was given cannot be taken back, so when the room is full a stream is reset: one of whoever holds
// most.
#include <algorithm>
#include <map>
#include <tuple>

#include "libp2p/host/swarm.hpp"

namespace libp2p {

namespace {

// Streams have half of the account, so that what else is remembered has room; a quarter is theirs whatever else takes.
constexpr std::size_t kShare = 2;
constexpr std::size_t kFloor = 4;
// A window that may not grow is reason enough to reset a stream that nobody has read from for this long.
constexpr Nanos kStalled = Seconds(5);

}  // namespace

void Swarm::take_memory(std::size_t bytes) {
  const auto fits = [this, bytes] {
    if (unread_ + bytes <= memory_.limit() / kFloor) {
      memory_.take(bytes);
      return true;
    }
    return unread_ + bytes <= memory_.limit() / kShare && memory_.try_take(bytes);
  };
  while (!fits()) {
    // What the connection holds already is taken in any case; it is the first to be looked at when it holds most.
    if (!reset_largest_holder(Nanos(0))) {
      memory_.take(bytes);
      break;
    }
  }
  unread_ += bytes;
}

void Swarm::give_memory(std::size_t bytes) {
  memory_.give(bytes);
  unread_ -= bytes;
}

bool Swarm::may_grow(std::size_t bytes) {
  const auto fits = [this](std::size_t more) {
    return unread_ + more <= memory_.limit() / kShare && memory_.used() + more <= memory_.limit();
  };
  if (fits(bytes)) return true;
  relief_bytes_ = std::max(relief_bytes_, bytes);
  // Asked in the middle of a connection's work: whoever holds the room is looked for afterwards.
  if (!std::exchange(relief_posted_, true)) {
    runtime_.post([this, alive = alive_, fits] {
      if (!*alive) return;
      relief_posted_ = false;
      const std::size_t wanted = std::exchange(relief_bytes_, 0);
      while (!fits(wanted) && reset_largest_holder(kStalled)) {
      }
    });
  }
  return false;
}

bool Swarm::reset_largest_holder(Nanos stalled) {
  std::map<Bytes, std::size_t, BlockOrder> of_block;
  for (const auto& [id, entry] : connections_) {
    if (!entry.blocks.exempt()) of_block[entry.blocks.narrow] += entry.connection->unread();
  }
  std::vector<std::tuple<std::size_t, std::size_t, Connection*>> holders;
  for (const auto& [id, entry] : connections_) {
    const std::size_t unread = entry.connection->unread();
    if (unread == 0) continue;
    holders.emplace_back(entry.blocks.exempt() ? unread : of_block[entry.blocks.narrow], unread,
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

}  // namespace libp2p
