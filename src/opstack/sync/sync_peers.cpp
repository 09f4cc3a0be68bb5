#include "opstack/sync/sync_peers.hpp"

#include <algorithm>

namespace opstack::sync {

using libp2p::Millis;
using libp2p::Seconds;

bool SyncPeers::add(const PeerId& peer, MonoTime now) {
  Peer fresh(TokenBucket(limits_.per_second, limits_.burst, now));
  fresh.paused_until = now;
  return peers_.emplace(peer, fresh).second;
}

SyncPeers::Choice SyncPeers::choose(const std::vector<PeerId>& asked, MonoTime now) {
  Choice out;
  out.all_asked = !asked.empty();
  const Peer* best = nullptr;
  for (auto& [id, peer] : peers_) {
    const bool was_asked = std::binary_search(asked.begin(), asked.end(), id);
    if (!was_asked && peer.paused_until <= now) out.all_asked = false;
    if (peer.busy >= limits_.in_flight) continue;  // its answer will wake us
    const MonoTime ready = std::max(peer.paused_until, now + peer.tokens.time_until(1, now));
    if (ready > now) {
      if (!was_asked) out.retry = std::min(out.retry.value_or(ready), ready);
      continue;
    }
    out.any_free = true;
    if (was_asked) continue;
    if (best == nullptr || peer.demerit() < best->demerit() ||
        (peer.demerit() == best->demerit() && peer.last_asked < best->last_asked)) {
      best = &peer;
      out.peer = id;
    }
  }
  return out;
}

void SyncPeers::on_request(const PeerId& id, MonoTime now) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return;
  Peer& peer = found->second;
  (void)peer.tokens.try_take(1, now);
  ++peer.busy;
  peer.last_asked = ++asked_;
}

void SyncPeers::on_idle(const PeerId& id) {
  const auto found = peers_.find(id);
  if (found != peers_.end() && found->second.busy > 0) --found->second.busy;
}

Nanos SyncPeers::pause(Peer& peer, Nanos first, int times, Nanos most, MonoTime now) {
  Nanos length = first;
  for (int i = 1; i < times && length < most; ++i) length *= 2;
  length = std::min(length, most);
  peer.paused_until = std::max(peer.paused_until, now + length);
  return length;
}

void SyncPeers::on_good(const PeerId& id) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return;
  Peer& peer = found->second;
  peer.empty_handed = peer.throttled = peer.failures = 0;
  if (peer.faults > 0) --peer.faults;
}

Nanos SyncPeers::on_empty_handed(const PeerId& id, MonoTime now) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return Nanos(0);
  Peer& peer = found->second;
  peer.empty_handed = std::min(peer.empty_handed + 1, 16);
  // A peer that is merely behind lacks a few blocks; one that serves none at all is asked ever more seldom.
  if (peer.empty_handed <= 3) return Nanos(0);
  return pause(peer, Millis(500), peer.empty_handed - 3, Seconds(8), now);
}

Nanos SyncPeers::on_busy(const PeerId& id, MonoTime now) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return Nanos(0);
  found->second.throttled = std::min(found->second.throttled + 1, 16);
  return pause(found->second, Seconds(1), found->second.throttled, Seconds(16), now);
}

Nanos SyncPeers::on_failure(const PeerId& id, MonoTime now) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return Nanos(0);
  found->second.failures = std::min(found->second.failures + 1, 16);
  return pause(found->second, Seconds(1), found->second.failures, Seconds(30), now);
}

Nanos SyncPeers::on_fault(const PeerId& id, MonoTime now) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return Nanos(0);
  found->second.faults = std::min(found->second.faults + 1, 16);
  return pause(found->second, Seconds(5), found->second.faults, Seconds(120), now);
}

}  // namespace opstack::sync
