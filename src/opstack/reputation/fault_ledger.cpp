#include "opstack/reputation/fault_ledger.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/base/assert.hpp"

namespace opstack::reputation {

FaultLedgerLimits ledger_limits(const ScoringProfile& profile) {
  FaultLedgerLimits out;
  out.hold = profile.blame_delay;
  if (profile.blamed_messages_to_ban == 0) return out;
  out.window = profile.blame_window;
  out.most_held = profile.blamed_messages_to_ban;
  out.proof = profile.messages_to_cost;
  out.faults_of_a_peer = std::max<std::size_t>(out.faults_of_a_peer, 2 * profile.blamed_messages_to_ban);
  return out;
}

FaultLedger::FaultLedger(FaultLedgerLimits limits) : limits_(limits), peers_(limits.peers) {
  OPP2P_ASSERT(limits.peers > 0 && limits.faults_of_a_peer > 0, "a ledger has room", limits.peers,
               limits.faults_of_a_peer);
}

FaultLedger::Noted FaultLedger::on_fault(const PeerId& peer, Fault fault, const std::optional<InvalidCount>& cost,
                                         MonoTime now) {
  Entries* entries = peers_.get(peer);
  if (entries == nullptr) {
    peers_.put(peer, {});
    entries = peers_.get(peer);
  }
  const auto same = [&fault](const Entry& entry) { return entry.fault.message_id == fault.message_id; };
  const auto known = fault.message_id.empty() ? entries->end() : std::find_if(entries->begin(), entries->end(), same);
  if (known != entries->end()) return {false, count_messages(*entries, now), cost.has_value()};
  if (entries->size() == limits_.faults_of_a_peer) entries->pop_front();
  Entry entry{std::move(fault), now, cost};
  entry.is_held = cost && limits_.hold > Nanos(0) && may_be_ours(entry.fault.kind) && has_room_to_hold(*entries);
  entries->push_back(std::move(entry));
  return {true, count_messages(*entries, now), entries->back().is_held};
}

// Nothing of a peer with so many faults on record is held back, also where no ban follows (static peers).
bool FaultLedger::has_room_to_hold(const Entries& entries) const { return entries.size() < limits_.most_held; }

// Messages that count already are a proof too, as long as the window lasts.
bool FaultLedger::is_proven(const Entries& entries, FaultKind kind, MonoTime now) const {
  const auto speaks = [&](const Entry& entry) {
    const Nanos age = now - entry.at;
    return entry.fault.kind == kind && age >= limits_.hold && age < limits_.window;
  };
  return static_cast<std::size_t>(std::count_if(entries.begin(), entries.end(), speaks)) >= limits_.proof;
}

std::vector<InvalidCount> FaultLedger::settle(MonoTime now) {
  std::vector<InvalidCount> costs;
  for (const PeerId& peer : peers_from_the_oldest()) {
    Entries& entries = *peers_.get(peer);
    for (Entry& entry : entries) {
      if (!entry.is_held || now - entry.at < limits_.hold) continue;
      const bool is_over = now - entry.at >= limits_.window;
      if (!is_over && !is_proven(entries, entry.fault.kind, now)) continue;
      entry.is_held = false;
      if (!is_over) costs.push_back(*entry.cost);
      if (is_over) entry.cost.reset();
    }
  }
  return costs;
}

std::vector<InvalidCount> FaultLedger::settle(const PeerId& peer) {
  std::vector<InvalidCount> costs;
  Entries* const entries = peers_.get(peer);
  if (entries == nullptr) return costs;
  for (Entry& entry : *entries) {
    if (std::exchange(entry.is_held, false)) costs.push_back(*entry.cost);
  }
  return costs;
}

void FaultLedger::drop_held() {
  for (const PeerId& peer : peers_from_the_oldest()) {
    for (Entry& entry : *peers_.get(peer)) {
      if (std::exchange(entry.is_held, false)) entry.cost.reset();
    }
  }
}

// get() moves each to the front, and so keeps their order.
std::vector<PeerId> FaultLedger::peers_from_the_oldest() const {
  std::vector<PeerId> out;
  for (const auto& [peer, entries] : peers_) out.push_back(peer);
  std::reverse(out.begin(), out.end());
  return out;
}

std::size_t FaultLedger::count_messages(const Entries& entries, MonoTime now) const {
  const auto counts = [this, now](const Entry& entry) {
    return is_of_gossip(entry.fault.kind) && now - entry.at < limits_.window;
  };
  return static_cast<std::size_t>(std::count_if(entries.begin(), entries.end(), counts));
}

std::vector<Fault> FaultLedger::faults_of(const PeerId& peer) const {
  return last_faults_of(peer, limits_.faults_of_a_peer);
}

std::vector<Fault> FaultLedger::last_faults_of(const PeerId& peer, std::size_t most) const {
  std::vector<Fault> out;
  const Entries* const entries = peers_.peek(peer);
  if (entries == nullptr) return out;
  const std::size_t left_out = entries->size() - std::min(entries->size(), most);
  for (std::size_t at = left_out; at < entries->size(); ++at) out.push_back((*entries)[at].fault);
  return out;
}

std::size_t FaultLedger::blamed_messages(const PeerId& peer, MonoTime now) const {
  const Entries* const entries = peers_.peek(peer);
  return entries == nullptr ? 0 : count_messages(*entries, now);
}

std::vector<InvalidCount> FaultLedger::forget(FaultKind kind, MonoTime since) {
  const auto goes = [kind, since](const Entry& entry) { return entry.fault.kind == kind && entry.at >= since; };
  std::vector<InvalidCount> costs;
  std::vector<PeerId> clean;
  for (const PeerId& peer : peers_from_the_oldest()) {
    Entries& entries = *peers_.get(peer);
    for (const Entry& entry : entries)
      if (goes(entry) && !entry.is_held && entry.cost) costs.push_back(*entry.cost);
    std::erase_if(entries, goes);
    if (entries.empty()) clean.push_back(peer);
  }
  for (const PeerId& peer : clean) peers_.erase(peer);
  return costs;
}

void FaultLedger::check() const {
  peers_.check();
  for (const auto& [peer, entries] : peers_) {
    OPP2P_CHECK(!entries.empty() && entries.size() <= limits_.faults_of_a_peer, "the faults of a peer are bounded",
                peer, entries);
    MonoTime before = MonoTime::min();
    for (const Entry& entry : entries) {
      OPP2P_CHECK(entry.at >= before, "faults are in the order in which they were committed", peer);
      OPP2P_CHECK(entry.cost || !entry.is_held, "what is held back has a cost", peer);
      OPP2P_CHECK(entry.fault.reason_id == fault_id(entry.fault.kind), "a fault is named by its kind", peer);
      const auto same = [&entry](const Entry& other) { return other.fault.message_id == entry.fault.message_id; };
      OPP2P_CHECK(entry.fault.message_id.empty() || std::count_if(entries.begin(), entries.end(), same) == 1,
                  "a message is on record once", entry.fault.message_id);
      before = entry.at;
    }
  }
}

}  // namespace opstack::reputation
