// The memory of unread bytes: what all connections hold for readers that have not come yet, taken from the host's
// account (Host::memory). Credit that was given cannot be taken back, so when the room is full a stream is reset: one
// of the connection that holds most, of the address block that holds most.
//
// Owner: Swarm. Thread: the network thread. Bounds: half of the account, so that what else is remembered has room; a
// quarter is for unread bytes whatever else takes. Re-entrancy: take() comes inside a connection's work and may reset
// streams of any connection, the caller's too; streams hear of it later.
#pragma once

#include <cstddef>

#include "libp2p/base/life_token.hpp"
#include "libp2p/base/memory_account.hpp"
#include "libp2p/host/host_counters.hpp"
#include "libp2p/host/swarm_table.hpp"
#include "libp2p/runtime/runtime.hpp"

namespace libp2p {

class UnreadMemory {
 public:
  // Everything outlives this, except for the table, which is used during calls alone.
  UnreadMemory(runtime::Runtime& runtime, MemoryAccount& memory, const SwarmTable& table, HostCounters& counters);
  UnreadMemory(const UnreadMemory&) = delete;
  UnreadMemory& operator=(const UnreadMemory&) = delete;

  // What a connection holds already is taken in any case: when no stream can be reset, the bound is exceeded.
  void take(std::size_t bytes);
  void give(std::size_t bytes);
  // Whether a receive window may grow by so much. When it may not, streams that nobody reads are reset afterwards.
  bool may_grow(std::size_t bytes);
  void check() const;  // swarm_check.cpp

 private:
  bool fits(std::size_t more) const;
  bool take_if_room(std::size_t bytes);
  void relieve();
  // False when no stream can be reset: none has unread bytes that have lain for `stalled`.
  bool reset_largest_holder(Nanos stalled);

  runtime::Runtime& runtime_;
  MemoryAccount& memory_;
  const SwarmTable& table_;
  HostCounters& counters_;
  std::size_t taken_ = 0;  // of memory_
  bool relief_posted_ = false;
  std::size_t relief_bytes_ = 0;  // by how much windows wanted to grow
  LifeToken life_;
};

}  // namespace libp2p
