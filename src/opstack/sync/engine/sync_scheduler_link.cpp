// What becomes of a block that came: it is linked and delivered, waits in the quarantine, or is of another branch.
#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "opstack/sync/engine/sync_scheduler.hpp"

namespace opstack::sync {

using libp2p::to_hex0x;

void SyncScheduler::accept_block(const InFlight& request, Answer answer, Now now) {
  const std::uint64_t number = answer.block.number();
  const Hash hash = answer.block.hash();
  const bool linked = link_where_due(request.peer, answer, now);
  if (linked) on_good(request.peer);
  Work& work = works_.at(request.gap);
  const bool is_wanted = wants(work, number);
  const bool is_due = is_wanted && number == work.due();
  if (is_due && hash == work.expected) return;  // it cannot be used; link() has said why
  if (is_due) pass_over(work, request.peer, hash);

  Quarantined entry;
  entry.peer = request.peer;
  entry.gap = request.gap;
  entry.block = std::move(answer.block);
  entry.broken_rule = std::move(answer.broken_rule);
  entry.wrong_time = std::move(answer.wrong_time);
  entry.proven = peers_.is_proven(request.peer);
  if (is_wanted && !is_due) {
    if (!linked) peers_.on_answered(request.peer);
    put_in_quarantine(std::move(entry));
  } else if (!linked) {
    put_elsewhere(std::move(entry));
  }
}

// Whether it is the block that some gap waits for. Several may wait for the same one.
bool SyncScheduler::link_where_due(const PeerId& peer, const Answer& answer, Now now) {
  bool out = false;
  for (const GapId id : order_) {
    Work& work = works_.at(id);
    if (work.lowest == 0 || work.unfillable) continue;
    if (work.due() != answer.block.number() || work.expected != answer.block.hash()) continue;
    link(work, peer, answer, now);
    out = true;
  }
  return out;
}

void SyncScheduler::link(Work& work, const PeerId& peer, const Answer& answer, Now now) {
  const Block& block = answer.block;
  OPP2P_ASSERT(work.lowest > 0 && !work.unfillable && block.number() == work.due() && block.hash() == work.expected,
               "only the parent of the lowest linked block is linked", block.number(), work.lowest);
  if (!answer.wrong_time.empty()) return mark_unfillable(work.gap.id, answer);
  work.lowest = block.number();
  work.expected = block.parent_hash();
  work.linked.push_front(block.hash());
  if (work.linked.size() > kRemembered) work.linked.pop_back();
  work.heights.erase(work.heights.lower_bound(work.lowest), work.heights.end());
  note_floor(work, now);
  const std::size_t size = block.memory_bytes();
  writing_bytes_ += size;
  // Of linked blocks only: what a stranger sends must not slow the others down.
  typical_bytes_ = std::max(size, typical_bytes_ - typical_bytes_ / 16);
  ++record_.delivered;
  record_.last_delivery = now.mono;
  trace(SyncTraceKind::promoted, work.gap.id, work.lowest, peer);
  if (!answer.broken_rule.empty()) tell_broken(work, answer);
  DeliverBlock deliver;
  deliver.gap = work.gap.id;
  deliver.peer = peer;
  deliver.block = block;
  actions_.emplace_back(std::move(deliver));
  note_expected(work);
}

void SyncScheduler::tell_broken(const Work& work, const Answer& answer) {
  const Hash& key = answer.block.hash();
  if (!told_broken_.contains(key))
    trace(SyncTraceKind::broken_rule, work.gap.id, answer.block.number(), {},
          "block " + to_hex0x(answer.block.hash()) + ": " + answer.broken_rule);
  told_broken_.put(key, {});
}

// Its hash covers its time, so nobody can have another one: the gaps that want it wait until they are listed with
// another child.
void SyncScheduler::mark_unfillable(GapId gap, const Answer& answer) {
  const Hash& key = answer.block.hash();
  if (!wrong_.contains(key)) trace(SyncTraceKind::wrong_time, gap, answer.block.number(), {}, answer.wrong_time);
  wrong_.put(key, {});
  for (auto& [id, other] : works_)
    if (other.expected == answer.block.hash()) note_expected(other);
}

void SyncScheduler::note_expected(Work& work) {
  work.unfillable = wrong_.contains(work.expected);
  if (!work.unfillable) return;
  cancel_requests([&](const InFlight& request) { return request.gap == work.gap.id; });
  rehome(quarantine_.of(work.gap.id));
}

void SyncScheduler::on_good(const PeerId& peer) {
  peers_.on_good(peer);
  report(peer, PeerMerit::valid_response);
}

// ---- the quarantine ----

void SyncScheduler::link_from_quarantine(Work& work, Now now) {
  while (work.lowest > 0 && !work.unfillable) {
    for (const auto& key : quarantine_.at(work.gap.id, work.due())) {
      const Quarantined* waiting = key.hash == work.expected ? nullptr : quarantine_.find(key);
      if (waiting != nullptr) pass_over(work, PeerId(waiting->peer), key.hash);
    }
    const auto key = find_due(work);
    if (!key) return;
    const Quarantined entry = *quarantine_.take(*key);
    Answer answer(entry.block);
    answer.broken_rule = entry.broken_rule;
    answer.wrong_time = entry.wrong_time;
    link(work, entry.peer, answer, now);
    on_good(entry.peer);
  }
}

// It may have been asked for by another gap.
std::optional<Quarantine::Key> SyncScheduler::find_due(const Work& work) const {
  Quarantine::Key key{work.gap.id, work.due(), work.expected};
  if (quarantine_.find(key) != nullptr) return key;
  for (const GapId id : order_) {
    key.gap = id;
    if (quarantine_.find(key) != nullptr) return key;
  }
  return std::nullopt;
}

void SyncScheduler::put_in_quarantine(Quarantined entry) {
  const GapId gap = entry.gap;
  const std::uint64_t number = entry.block.number();
  const PeerId peer = entry.peer;
  std::vector<Quarantine::Key> dropped;
  if (quarantine_.insert(std::move(entry), order_, dropped)) {
    trace(SyncTraceKind::quarantined, gap, number, peer);
  }
  for (const auto& gone : dropped) trace(SyncTraceKind::quarantine_overflow, gone.gap, gone.number);
}

// A block that is of no use to the gap that it was asked for may be one of another gap's branch.
void SyncScheduler::put_elsewhere(Quarantined entry) {
  const std::uint64_t number = entry.block.number();
  for (const GapId id : order_) {
    const Work& work = works_.at(id);
    if (work.unfillable || !wants(work, number) || quarantine_.contains(id, number)) continue;
    if (number == work.due() && entry.block.hash() != work.expected) continue;
    if (std::binary_search(work.passed_over.begin(), work.passed_over.end(), entry.peer)) continue;
    entry.gap = id;
    return put_in_quarantine(std::move(entry));
  }
}

void SyncScheduler::rehome(const std::vector<Quarantine::Key>& keys) {
  for (const auto& key : keys)
    if (auto entry = quarantine_.take(key)) put_elsewhere(std::move(*entry));
}

// The peer sent `got` for the block that is due. Whatever else it has for this gap is of the same branch.
void SyncScheduler::pass_over(Work& work, const PeerId& peer, const Hash& got) {
  const std::string number = std::to_string(work.due());
  trace(SyncTraceKind::other_branch, work.gap.id, work.due(), peer,
        "block " + number + " is " + to_hex0x(got) + ", the block above it names " + to_hex0x(work.expected) +
            " as its parent");
  ++record_.failed;
  if (peers_.contains(peer)) {
    peers_.on_other_branch(peer);
    const auto place = std::lower_bound(work.passed_over.begin(), work.passed_over.end(), peer);
    if (place == work.passed_over.end() || *place != peer) work.passed_over.insert(place, peer);
  }
  cancel_requests([&](const InFlight& request) { return request.gap == work.gap.id && request.peer == peer; });
  std::vector<Quarantine::Key> keys = quarantine_.of(work.gap.id);
  std::erase_if(keys, [&](const auto& key) { return quarantine_.find(key)->peer != peer; });
  rehome(keys);
}

}  // namespace opstack::sync
