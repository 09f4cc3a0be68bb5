#include "opstack/sync/engine/sync_peers.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace opstack::sync {

using libp2p::Millis;
using libp2p::Seconds;
using libp2p::ShareFull;
using libp2p::ShareLimits;

namespace {

constexpr int kMostProof = 16;
constexpr std::size_t kTrialPart = 4;  // unproven peers hold at most a quarter of the requests in flight
constexpr double kSparePart = 4;       // what gaps behind the most urgent one have beside the rate of trials

ShareLimits in_flight_limits(std::size_t total) {
  ShareLimits out;
  out.narrow = std::max<std::size_t>(1, total / 4);
  out.wide = std::max<std::size_t>(1, total / 2);
  return out;
}

ShareLimits trial_limits(std::size_t in_flight) {
  ShareLimits out;
  out.total = std::max<std::size_t>(1, in_flight / kTrialPart);
  out.narrow = std::max<std::size_t>(1, out.total / 4);
  out.wide = std::max<std::size_t>(1, out.total / 2);
  return out;
}

}  // namespace

// What all peers are doing, looked at once for a choice.
struct SyncPeers::Field {
  bool proven = false;      // a proven peer is not paused
  bool proven_can = false;  // one of them was not asked for this block
  MonoTime trial_ready;     // when the rate of trials allows another one
};

SyncPeers::SyncPeers(PeerLimits limits, SyncLimits all, MonoTime now)
    : limits_(limits),
      all_(all),
      trial_tokens_(all.trials_per_second, std::max(all.trial_burst, 1.0), now),
      spare_trial_tokens_(all.trials_per_second / kSparePart, std::max(all.trial_burst / kSparePart, 1.0), now),
      in_flight_(in_flight_limits(all.in_flight)),
      trials_(trial_limits(all.in_flight)) {}

SyncPeers::Rank SyncPeers::Peer::rank() const {
  if (proof > 0) return Rank::proven;
  if (answered) return Rank::answered;
  // A failure ends it: who is silent here must not come first again.
  if (vouched && identified && failures == 0 && faults == 0) return Rank::vouched;
  return identified ? Rank::fresh : Rank::unidentified;
}

SyncPeers::Peer* SyncPeers::find(const PeerId& peer) {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? nullptr : &found->second;
}

bool SyncPeers::add(const PeerId& id, const AddressBlocks& blocks, bool identified, MonoTime now) {
  if (find(id) != nullptr) {
    if (identified) on_served(id);
    return false;
  }
  Peer fresh(TokenBucket(limits_.per_second, limits_.burst, now), identified);
  fresh.blocks = blocks;
  fresh.paused_until = now;
  fresh.last_asked = ++turns_;
  return peers_.emplace(id, std::move(fresh)).second;
}

bool SyncPeers::remove(const PeerId& id) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return false;
  if (!found->second.identified) {
    OPP2P_ASSERT(unidentified_busy_ >= found->second.busy, "requests to unidentified peers are counted",
                 unidentified_busy_, found->second.busy);
    unidentified_busy_ -= found->second.busy;
  }
  in_flight_.give_all(id);
  trials_.give_all(id);
  forget_spare_trials(found->second, 0);
  peers_.erase(found);
  return true;
}

void SyncPeers::vouch(const PeerId& id) {
  if (Peer* peer = find(id)) peer->vouched = true;
}

bool SyncPeers::is_proven(const PeerId& id) const {
  const auto found = peers_.find(id);
  return found != peers_.end() && found->second.proof > 0;
}

bool SyncPeers::is_identified(const PeerId& id) const {
  const auto found = peers_.find(id);
  return found != peers_.end() && found->second.identified;
}

// ---- whom to ask ----

bool SyncPeers::was_asked(const PeerId& id, const Need& need) {
  return std::binary_search(need.asked.begin(), need.asked.end(), id) ||
         std::binary_search(need.passed_over.begin(), need.passed_over.end(), id) ||
         (need.holder != nullptr && *need.holder == id);
}

SyncPeers::Field SyncPeers::survey(const Need& need, MonoTime now) {
  Field out;
  for (const auto& [id, peer] : peers_) {
    if (peer.proof == 0 || peer.paused_until > now) continue;
    out.proven = true;
    if (!was_asked(id, need)) out.proven_can = true;
    if (out.proven_can) break;
  }
  if (!out.proven) {
    out.trial_ready = now;
    return out;
  }
  Nanos wait = trial_tokens_.time_until(1, now);
  if (!need.urgent) wait = std::min(wait, spare_trial_tokens_.time_until(1, now));
  out.trial_ready = now + wait;
  return out;
}

// Whether an unproven peer may be asked now, but for the rate of trials.
bool SyncPeers::may_try(const PeerId& id, const Peer& peer, const Need& need, const Field& field) const {
  if (trials_.check(id, peer.blocks, 1) != ShareFull::none) return false;
  if (!peer.identified && unidentified_busy_ > 0) return false;
  if (!field.proven) return true;
  // One trial at least, so that a newcomer can prove itself, and one for the gaps behind the most urgent one; a quarter
  // of the requests at most.
  const std::size_t tried = need.urgent ? trials_.used() - spare_trials_ : spare_trials_;
  if (tried > 0 && kTrialPart * (trials_.used() + 1) > in_flight_.used() + 1) return false;
  // What the chain waits for, and what somebody failed to bring, is for those who have delivered.
  return !(field.proven_can && (need.due_next || need.holder != nullptr));
}

bool SyncPeers::before(const Peer& a, const Peer& b, bool second) {
  if (a.rank() != b.rank()) return a.rank() < b.rank();
  if (second && a.proof != b.proof) return a.proof > b.proof;
  if (a.demerit() != b.demerit()) return a.demerit() < b.demerit();
  return a.last_asked < b.last_asked;
}

SyncPeers::Choice SyncPeers::choose(const Need& need, MonoTime now) {
  Choice out;
  out.all_asked = !need.asked.empty() || !need.passed_over.empty();
  const Field field = survey(need, now);
  const Peer* best = nullptr;
  for (auto& [id, peer] : peers_) {
    const bool asked = was_asked(id, need);
    if (!asked && peer.paused_until <= now) out.all_asked = false;
    if (std::binary_search(need.passed_over.begin(), need.passed_over.end(), id)) continue;
    if (peer.busy >= limits_.in_flight) continue;  // its answer will wake us
    if (in_flight_.check(id, peer.blocks, 1) != ShareFull::none) continue;
    const bool trial = peer.proof == 0;
    MonoTime ready = std::max(peer.paused_until, now + peer.tokens.time_until(1, now));
    if (trial) {
      // Where a place is missing, an answer or a deadline will wake us. The place may be there for another block.
      const Need elsewhere{need.asked, need.passed_over, false, nullptr, need.urgent};
      if (!may_try(id, peer, elsewhere, field)) continue;
      ready = std::max(ready, field.trial_ready);
    }
    const bool for_this = !asked && (!trial || may_try(id, peer, need, field));
    if (ready > now) {
      if (for_this) out.retry = std::min(out.retry.value_or(ready), ready);
      continue;
    }
    out.any_free = true;
    if (!for_this) continue;
    if (best == nullptr || before(peer, *best, need.holder != nullptr)) {
      best = &peer;
      out.peer = id;
    }
  }
  return out;
}

Nanos SyncPeers::patience(const Peer& peer) const {
  const int doubled = 1 << std::min(peer.failures, 5);
  return std::min<Nanos>(all_.trial_deadline * std::max(1 + peer.proof, doubled), all_.deadline);
}

MonoTime SyncPeers::on_request(const PeerId& id, MonoTime now, bool urgent) {
  Peer* peer = find(id);
  if (peer == nullptr) return now + all_.trial_deadline;
  OPP2P_ASSERT(peer->busy < limits_.in_flight, "a peer is asked for a bounded number of blocks at once", id,
               peer->busy);
  (void)peer->tokens.try_take(1, now);
  ++peer->busy;
  in_flight_.take(id, peer->blocks, 1);
  if (peer->proof == 0) {
    if (!trial_tokens_.try_take(1, now) && !urgent) (void)spare_trial_tokens_.try_take(1, now);
    trials_.take(id, peer->blocks, 1);
    if (!urgent) {
      ++peer->spare_trials;
      ++spare_trials_;
    }
    OPP2P_ASSERT(trials_.used() <= trials_.limits().total, "trials have a part of all requests", trials_.used());
  }
  if (!peer->identified) ++unidentified_busy_;
  peer->last_asked = ++turns_;
  return now + patience(*peer);
}

// Of a peer of whose trials so many are left.
void SyncPeers::forget_spare_trials(Peer& peer, std::size_t left) {
  const std::size_t over = peer.spare_trials - std::min(peer.spare_trials, left);
  OPP2P_ASSERT(spare_trials_ >= over, "trials for gaps behind the first are counted", spare_trials_, over);
  peer.spare_trials -= over;
  spare_trials_ -= over;
}

void SyncPeers::on_idle(const PeerId& id) {
  Peer* peer = find(id);
  if (peer == nullptr || peer->busy == 0) return;
  --peer->busy;
  in_flight_.give(id, 1);
  trials_.give(id, 1);
  forget_spare_trials(*peer, trials_.held(id));
  if (peer->identified) return;
  OPP2P_ASSERT(unidentified_busy_ > 0, "requests to unidentified peers are counted", id);
  --unidentified_busy_;
}

void SyncPeers::check() const {
  in_flight_.check();
  trials_.check();
  trial_tokens_.check();
  spare_trial_tokens_.check();
  std::size_t busy = 0, unidentified_busy = 0, spare_trials = 0;
  for (const auto& [id, peer] : peers_) {
    OPP2P_CHECK(peer.busy == in_flight_.held(id) && peer.busy <= limits_.in_flight, "requests to a peer are counted",
                id, peer.busy);
    OPP2P_CHECK(trials_.held(id) <= peer.busy, "a trial is a request", id, trials_.held(id), peer.busy);
    OPP2P_CHECK(peer.proof >= 0 && peer.proof <= kMostProof, "proof is bounded", id, peer.proof);
    OPP2P_CHECK(peer.last_asked > 0 && peer.last_asked <= turns_, "turns were in the past", id, peer.last_asked);
    for (const int count : {peer.empty_handed, peer.throttled, peer.failures, peer.faults})
      OPP2P_CHECK(count >= 0 && count <= 16, "what a peer did wrong is bounded", id, count);
    peer.tokens.check();
    busy += peer.busy;
    unidentified_busy += peer.identified ? 0 : peer.busy;
    spare_trials += peer.spare_trials;
    OPP2P_CHECK(peer.spare_trials <= trials_.held(id), "a spare trial is a trial", id, peer.spare_trials);
  }
  OPP2P_CHECK(busy == in_flight_.used() && unidentified_busy == unidentified_busy_, "requests of all peers are counted",
              busy, in_flight_.used(), unidentified_busy, unidentified_busy_);
  OPP2P_CHECK(trials_.used() <= trials_.limits().total, "trials have a part of all requests", trials_.used());
  OPP2P_CHECK(spare_trials == spare_trials_, "trials for gaps behind the first are counted", spare_trials,
              spare_trials_);
}

// ---- what became of it ----

Nanos SyncPeers::pause(Peer& peer, Nanos first, int times, Nanos most, MonoTime now) {
  Nanos length = first;
  for (int i = 1; i < times && length < most; ++i) length *= 2;
  length = std::min(length, most);
  peer.paused_until = std::max(peer.paused_until, now + length);
  return length;
}

void SyncPeers::on_served(const PeerId& id) {
  Peer* peer = find(id);
  if (peer == nullptr || std::exchange(peer->identified, true)) return;
  OPP2P_ASSERT(unidentified_busy_ >= peer->busy, "requests to unidentified peers are counted", unidentified_busy_,
               peer->busy);
  unidentified_busy_ -= peer->busy;
}

void SyncPeers::on_answered(const PeerId& id) {
  if (Peer* peer = find(id)) peer->answered = true;
}

void SyncPeers::on_good(const PeerId& id) {
  Peer* peer = find(id);
  if (peer == nullptr) return;
  peer->proof = std::min(peer->proof + 1, kMostProof);
  peer->empty_handed = peer->throttled = peer->failures = 0;
  if (peer->faults > 0) --peer->faults;
}

// Who has proved nothing must not come before those who were never asked.
void SyncPeers::on_other_branch(const PeerId& id) {
  if (Peer* peer = find(id)) peer->answered = false;
}

Nanos SyncPeers::on_empty_handed(const PeerId& id, MonoTime now) {
  Peer* peer = find(id);
  if (peer == nullptr) return Nanos(0);
  peer->empty_handed = std::min(peer->empty_handed + 1, 16);
  // A peer that is merely behind lacks a few blocks; one that serves none at all is asked ever more seldom.
  if (peer->empty_handed <= 3) return Nanos(0);
  return pause(*peer, Millis(500), peer->empty_handed - 3, Seconds(8), now);
}

Nanos SyncPeers::on_busy(const PeerId& id, MonoTime now) {
  Peer* peer = find(id);
  if (peer == nullptr) return Nanos(0);
  peer->throttled = std::min(peer->throttled + 1, 16);
  return pause(*peer, Seconds(1), peer->throttled, Seconds(16), now);
}

Nanos SyncPeers::on_failure(const PeerId& id, MonoTime now) {
  Peer* peer = find(id);
  if (peer == nullptr) return Nanos(0);
  peer->failures = std::min(peer->failures + 1, 16);
  peer->proof /= 2;
  peer->answered = false;
  return pause(*peer, Seconds(1), peer->failures, Seconds(30), now);
}

Nanos SyncPeers::on_fault(const PeerId& id, MonoTime now) {
  Peer* peer = find(id);
  if (peer == nullptr) return Nanos(0);
  peer->faults = std::min(peer->faults + 1, 16);
  peer->proof = 0;
  peer->answered = false;
  return pause(*peer, Seconds(5), peer->faults, Seconds(120), now);
}

}  // namespace opstack::sync
