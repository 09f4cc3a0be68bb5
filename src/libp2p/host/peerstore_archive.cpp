#include "libp2p/host/peerstore_archive.hpp"

#include "libp2p/base/assert.hpp"

namespace libp2p {
namespace {

constexpr Nanos kJump = std::chrono::minutes(1);  // clocks that drift apart by more have been set

Nanos offset_of(Now now) { return now.wall.time_since_epoch() - now.mono.time_since_epoch(); }

}  // namespace

PeerstoreArchive::PeerstoreArchive(runtime::Runtime& runtime, Peerstore& peerstore, PeerId self,
                                   storage::BatchWriter& writer, PeerstoreArchiveConfig config)
    : runtime_(runtime),
      peerstore_(peerstore),
      self_(std::move(self)),
      writer_(writer),
      config_(config),
      timer_(runtime.make_timer([this] { on_timer(); })) {}

// ---- reading ----

Result<LoadedPeers> PeerstoreArchive::load() {
  OPP2P_ASSERT(!loaded_, "an archive is loaded once");
  const Now now = runtime_.now();
  OPP2P_TRY(const auto reading, read_archive(*writer_.store(), peerstore_.limits(), self_, now));
  loaded_ = true;
  clock_offset_ = offset_of(now);
  restore(reading);
  collect_at_ = now.mono + config_.first_collection;
  timer_->arm(now.mono + config_.save_every);
  LoadedPeers out;
  for (const ArchivedPeer& one : reading.peers) {
    if (!on_disk_.contains(one.peer)) continue;
    ++out.peers;
    out.addresses += one.facts.addresses.size();
  }
  out.left_out = reading.left_out + reading.peers.size() - out.peers;
  out.skipped = reading.skipped;
  out.first_skipped = reading.first_skipped;
  return out;
}

// The oldest first: what was touched last goes last when there is no room.
void PeerstoreArchive::restore(const ArchiveReading& reading) {
  const MonoTime now = runtime_.now().mono;
  counters_.skipped = reading.skipped;
  for (auto at = reading.peers.rbegin(); at != reading.peers.rend(); ++at) {
    if (at->peer != self_ && peerstore_.restore(at->peer, at->facts, now)) on_disk_[at->peer] = at->marks;
  }
}

// ---- writing ----

void PeerstoreArchive::on_timer() {
  const MonoTime now = runtime_.now().mono;
  notice_jump();
  if (peerstore_.changes() != changes_seen_) save_changed(kMostPerSave);
  if (now >= collect_at_ && !collecting_) collect();
  timer_->arm(now + config_.save_every);
}

void PeerstoreArchive::notice_jump() {
  const Nanos offset = offset_of(runtime_.now());
  if (offset - clock_offset_ <= kJump && clock_offset_ - offset <= kJump) return;
  if (offset < clock_offset_) clock_set_back_ = true;
  clock_offset_ = offset;
  for (const PeerId& peer : peerstore_.peers()) peerstore_.mark_changed(peer);
}

void PeerstoreArchive::save() {
  if (loaded_) save_changed(SIZE_MAX);
}

void PeerstoreArchive::save_changed(std::size_t most) {
  const std::uint64_t changes = peerstore_.changes();
  const auto changed = peerstore_.take_changed(most);
  const bool all = changed.size() < most;
  for (auto at = changed.begin(); at != changed.end(); ++at) {
    if (save_peer(*at)) continue;
    for (; at != changed.end(); ++at) peerstore_.mark_changed(*at);
    return;
  }
  erase_ended();
  if (all) changes_seen_ = changes;
}

bool PeerstoreArchive::put(std::vector<storage::Change> changes) {
  if (changes.empty()) return true;
  std::size_t erased = 0;
  for (const auto& change : changes) erased += change.value ? 0 : 1;
  const std::size_t written = changes.size() - erased;
  if (!writer_.put(std::move(changes))) {
    ++counters_.refused;
    return false;
  }
  counters_.written += written;
  counters_.erased += erased;
  return true;
}

bool PeerstoreArchive::save_peer(const PeerId& peer) {
  const auto facts = peerstore_.facts(peer);
  if (!facts || peer == self_) return true;
  PeerParts parts = encode_parts(peer, *facts, runtime_.now());
  const auto before = on_disk_.find(peer);
  const ArchiveMarks marks = marks_of(parts);
  std::vector<storage::Change> changes;
  for (std::size_t i = 0; i < kPeerParts; ++i) {
    // Of a peer that was not loaded an earlier run may have left anything.
    const bool is_unknown = before == on_disk_.end();
    if (is_unknown || marks[i] != before->second[i])
      changes.push_back({part_key(peer, static_cast<PeerPart>(i)), std::move(parts[i])});
  }
  if (!put(std::move(changes))) return false;
  if (marks == ArchiveMarks{})
    on_disk_.erase(peer);
  else
    on_disk_[peer] = marks;
  return true;
}

void PeerstoreArchive::erase_ended() {
  for (auto it = on_disk_.begin(); it != on_disk_.end();) {
    const auto at = it++;
    if (peerstore_.contains(at->first)) continue;
    std::vector<storage::Change> changes;
    for (std::size_t i = 0; i < kPeerParts; ++i)
      if (at->second[i] != 0) changes.push_back({part_key(at->first, static_cast<PeerPart>(i)), std::nullopt});
    if (!put(std::move(changes))) return;
    on_disk_.erase(at);
  }
}

// ---- collecting ----

// On a worker: the datastore may hold more than the peerstore (an import).
void PeerstoreArchive::collect() {
  collecting_ = true;
  const auto reading = std::make_shared<Result<ArchiveReading>>(ArchiveReading());
  runtime_.run_on_worker([reading, store = writer_.store(), limits = peerstore_.limits(), self = self_,
                          now = runtime_.now()] { *reading = read_archive(*store, limits, self, now); },
                         life_.guard([this, reading] {
                           collecting_ = false;
                           collect_at_ = runtime_.now().mono + config_.collect_every;
                           if (*reading && loaded_) on_collected(**reading);
                         }));
}

void PeerstoreArchive::on_collected(const ArchiveReading& reading) {
  ++counters_.collections;
  // What the start found expired, and what was good all along once the clock has been mended. Not without that: what
  // the peerstore has forgotten may wait to be erased.
  if (counters_.collections == 1 && clock_set_back_) restore(reading);
  std::vector<storage::Change> changes;
  for (const auto& [peer, key] : reading.dead)
    if (!on_disk_.contains(peer) && !peerstore_.contains(peer)) changes.push_back({key, std::nullopt});
  const std::size_t keys = changes.size();
  if (put(std::move(changes))) counters_.collected += keys;
}

void PeerstoreArchive::close() {
  save();
  loaded_ = false;
  timer_->disarm();
}

}  // namespace libp2p
