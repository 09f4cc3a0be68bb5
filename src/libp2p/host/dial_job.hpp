// One dial and those who wait for it. The dialer makes it and gives it its outcome; a waiter shares it, so that it
// survives the dialer. Thread: the network thread. Bounds: the addresses that the dialer was asked to try; one entry
// for each waiter. Re-entrancy: finish() wakes waiters from the runtime's queue; on_abandoned comes when the frame of
// the last waiter is destroyed.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/runtime/parking.hpp"
#include "libp2p/runtime/task.hpp"

namespace libp2p {

struct DialJob {
  std::string key;  // what joins dials: the peer, or the address where the peer is unknown
  PeerId peer;      // empty: whoever answers
  std::deque<Multiaddr> addresses;
  std::vector<Multiaddr> tried;
  std::optional<Result<PeerId>> outcome;
  std::vector<runtime::Parking*> waiters;
  std::function<void()> on_abandoned;  // the last waiter has gone before the outcome

  // Adds those that are neither tried nor waiting to be.
  void add(const std::vector<Multiaddr>& more);
  // The first outcome counts.
  void finish(Result<PeerId> result);
};

// Waits for a dial's outcome; Errc::cancelled when the dialer goes away.
runtime::Task<Result<PeerId>> wait_for_dial(std::shared_ptr<DialJob> job);

}  // namespace libp2p
