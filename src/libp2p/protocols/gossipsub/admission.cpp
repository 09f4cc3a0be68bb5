#include "libp2p/protocols/gossipsub/admission.hpp"

#include <algorithm>

namespace libp2p::gossipsub {
namespace {

// What naming costs besides the bytes: a stream of the smallest messages is work too.
constexpr double kNamingOverhead = 1024;
// Blocks of addresses hold several peers: an IPv4 address may be refused twice as often as a peer, a /48 of IPv6 four
// times.
constexpr double kNarrowShare = 2;
constexpr double kWideShare = 4;
// Part of the room that only proven peers get.
constexpr std::size_t kReserve = 8;
constexpr PeerKey kOwn = 0;

std::size_t minus(std::size_t a, std::size_t b) { return a > b ? a - b : 0; }

// Whether the blocks of addresses hold, with `more`, no more than what is free allows them.
bool within_blocks(const SharePool<PeerKey>& pool, const AddressBlocks& blocks, std::size_t more, std::size_t free) {
  return (blocks.narrow.empty() || pool.held_by(blocks.narrow) + more <= free) &&
         (blocks.wide.empty() || pool.held_by(blocks.wide) + more <= 2 * free);
}

}  // namespace

// ---- refusals ----

bool Refusals::admits(const PeerId& peer, const AddressBlocks& blocks, bool proven, MonoTime now) {
  const auto is_empty = [now](auto& rows, const auto& key) {
    const auto found = rows.find(key);
    return found != rows.end() && found->second.bucket.tokens(now) < 1;
  };
  if (!peers_.empty() && is_empty(peers_, peer)) return false;
  if (proven || blocks_.empty()) return true;
  return !(!blocks.narrow.empty() && is_empty(blocks_, blocks.narrow)) &&
         !(!blocks.wide.empty() && is_empty(blocks_, blocks.wide));
}

void Refusals::add(const PeerId& peer, const AddressBlocks& blocks, MonoTime now) {
  charge(peers_, peer, 1, now);
  if (!blocks.narrow.empty()) charge(blocks_, blocks.narrow, kNarrowShare, now);
  if (!blocks.wide.empty()) charge(blocks_, blocks.wide, kWideShare, now);
}

template <class Rows>
void Refusals::charge(Rows& rows, const typename Rows::key_type& key, double scale, MonoTime now) {
  const double burst = scale * params_.refusal_burst;
  auto row = rows.find(key);
  if (row == rows.end()) {
    // The one that has most left goes, which is no one that is kept out.
    if (rows.size() >= params_.max_refusers) {
      OPP2P_ASSERT(!rows.empty(), "a full table of refusals has a row that can go", params_.max_refusers);
      rows.erase(std::max_element(rows.begin(), rows.end(), [now](auto& a, auto& b) {
        return a.second.bucket.tokens(now) < b.second.bucket.tokens(now);
      }));
    }
    row = rows.emplace(key, Row{TokenBucket(scale * params_.refusal_rate, burst, now), burst}).first;
  }
  // What was admitted together may be refused together; the debt is bounded, or its end would be out of sight.
  if (row->second.bucket.tokens(now) > -burst) row->second.bucket.reserve(1, now);
  OPP2P_ASSERT(rows.size() <= params_.max_refusers, "refusals of a bounded number of peers are remembered", rows);
}

void Refusals::check() const {
  OPP2P_CHECK(peers_.size() <= params_.max_refusers && blocks_.size() <= params_.max_refusers,
              "refusals of a bounded number of peers are remembered", peers_, blocks_);
  const auto check_row = [](const Row& row) {
    TokenBucket bucket = row.bucket;
    bucket.check();
    OPP2P_CHECK(bucket.tokens(MonoTime::min()) > -row.burst - 1, "the debt of who is refused is bounded", row.burst);
  };
  for (const auto& [peer, row] : peers_) check_row(row);
  for (const auto& [block, row] : blocks_) check_row(row);
}

void Refusals::forget_recovered(MonoTime now) {
  const auto recovered = [now](const auto& row) {
    TokenBucket bucket = row.second.bucket;
    return bucket.tokens(now) >= row.second.burst;
  };
  std::erase_if(peers_, recovered);
  std::erase_if(blocks_, recovered);
}

// ---- admission ----

Admission::Admission(const AdmissionParams& params, const ValidationParams& room, MonoTime now)
    : params_(params),
      room_(room),
      refusals_(params),
      naming_(params.naming_rate_of_all, params.naming_burst_of_all, now),
      items_(ShareLimits{}),
      bytes_(ShareLimits{}) {
  add_peer(kOwn, {});
}

void Admission::add_peer(PeerKey key, const AddressBlocks& blocks) {
  OPP2P_ASSERT(items_.held(key) == 0 && bytes_.held(key) == 0, "a peer that comes has a key of its own", key);
  items_.take(key, blocks, 1);
  bytes_.take(key, blocks, 1);
  ++present_;
}

void Admission::remove_peer(PeerKey key) {
  OPP2P_ASSERT(present_ > 0 && has_peer(key), "a peer that goes was there", key, present_);
  items_.give(key, 1);
  bytes_.give(key, 1);
  --present_;
}

double Admission::naming_cost(std::size_t frame, std::size_t unpacked) {
  return kNamingOverhead + static_cast<double>(frame + unpacked);
}

DropCause Admission::admit(PeerKey key, const PeerId& peer, AdmissionRecord& record, std::size_t frame,
                           std::size_t unpacked, Now now) {
  const bool proven = record.proof.holds(now.mono);
  if (!refusals_.admits(peer, record.blocks, proven, now.mono)) return DropCause::refused_often;
  if (!has_room(key, record.blocks, proven, frame + unpacked)) return DropCause::validation_full;
  return pay_for_naming(record, proven, naming_cost(frame, unpacked), now.mono) ? DropCause::none
                                                                                : DropCause::naming_budget;
}

// What has to be left of the budget of all: the less, the more the peer has left of its own.
double Admission::naming_reserve(double own, double cost, bool proven) const {
  const double half = params_.naming_burst_of_all / 2;
  const double used = 1 - own / params_.naming_burst;
  return (proven ? 0 : half) + std::max(cost, half * used);
}

bool Admission::pay_for_naming(AdmissionRecord& record, bool proven, double cost, MonoTime now) {
  const double own = record.naming.tokens(now);
  if (own < cost) return false;
  if (naming_.tokens(now) >= naming_reserve(own, cost, proven)) {
    naming_.reserve(cost, now);
  } else if (!record.sure.try_take(cost, now)) {
    return false;
  }
  record.naming.reserve(cost, now);
  return true;
}

bool Admission::is_own_doing(PeerKey key, AdmissionRecord& record, std::size_t frame, std::size_t unpacked,
                             MonoTime now) const {
  const bool proven = record.proof.holds(now);
  const std::size_t items = minus(items_.held(key), 1);
  const std::size_t bytes = minus(bytes_.held(key), 1);
  if (!fits_items(items, free_items(items, proven), proven) || !fits_bytes(bytes, bytes, frame + unpacked, proven)) {
    return true;
  }
  const double own = record.naming.tokens(now);
  const double cost = naming_cost(frame, unpacked);
  const double left_of_all = params_.naming_burst_of_all - (params_.naming_burst - own);
  return own < cost || left_of_all < naming_reserve(own, cost, proven);
}

void Admission::pay_back(AdmissionRecord* record, std::size_t frame, std::size_t unpacked) {
  const double cost = naming_cost(frame, unpacked);
  naming_.cancel(cost);
  if (record == nullptr) return;
  record->naming.cancel(cost);
  record->sure.cancel(cost);
}

bool Admission::has_room(PeerKey key, const AddressBlocks& blocks, bool proven, std::size_t bytes) const {
  if (items() >= room_.max_items || this->bytes() + bytes > room_.max_bytes) return false;
  return key == kOwn || (has_items(key, blocks, proven) && has_bytes(key, blocks, proven, bytes));
}

std::size_t Admission::free_items(std::size_t used, bool proven) const {
  return minus(room_.max_items, used + (proven ? 0 : room_.max_items / kReserve));
}

bool Admission::fits_items(std::size_t held, std::size_t free, bool proven) const {
  const std::size_t most = proven ? free : (free + 1) / 2;
  return free != 0 && held <= most && held < room_.max_items_per_peer;
}

std::size_t Admission::left_bytes(std::size_t used, std::size_t more, bool proven) const {
  return minus(room_.max_bytes, used + more + (proven ? 0 : room_.max_bytes / kReserve));
}

// A message can take much of this room at once, so it must leave as much behind as its sender has then.
bool Admission::fits_bytes(std::size_t held, std::size_t used, std::size_t more, bool proven) const {
  if (held + more > room_.max_bytes_per_peer) return false;
  return used == 0 || held + more <= left_bytes(used, more, proven);
}

bool Admission::has_items(PeerKey key, const AddressBlocks& blocks, bool proven) const {
  const std::size_t free = free_items(items(), proven);
  return fits_items(minus(items_.held(key), 1), free, proven) && (proven || within_blocks(items_, blocks, 0, free));
}

bool Admission::has_bytes(PeerKey key, const AddressBlocks& blocks, bool proven, std::size_t bytes) const {
  const std::size_t held = minus(bytes_.held(key), 1);
  const std::size_t used = this->bytes();
  if (!fits_bytes(held, used, bytes, proven)) return false;
  return used == 0 || proven || within_blocks(bytes_, blocks, bytes, left_bytes(used, bytes, proven));
}

void Admission::begin(PeerKey key, const AddressBlocks& blocks, std::size_t bytes) {
  items_.take(key, blocks, 1);
  bytes_.take(key, blocks, bytes);
  OPP2P_ASSERT(items() <= room_.max_items && this->bytes() <= room_.max_bytes,
               "a validation begins only where there is room", items(), this->bytes());
}

void Admission::end(PeerKey key, std::size_t bytes) {
  OPP2P_ASSERT(items_.held(key) > 0 && bytes_.held(key) >= bytes, "a validation that ends was counted", key, bytes,
               bytes_.held(key));
  items_.give(key, 1);
  bytes_.give(key, bytes);
}

void Admission::check() const {
  items_.check();
  bytes_.check();
  refusals_.check();
  naming_.check();
  OPP2P_CHECK(items_.used() >= present_ && bytes_.used() >= present_, "each peer that is known stands in both tables",
              items_.used(), bytes_.used(), present_);
  OPP2P_CHECK(items() <= room_.max_items, "the validator holds a bounded number of messages", items());
  OPP2P_CHECK(bytes() <= room_.max_bytes, "the validator holds a bounded number of bytes", bytes());
  OPP2P_CHECK(has_peer(kOwn), "our own messages have their row");
}

}  // namespace libp2p::gossipsub
