#include "libp2p/host/peerstore.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace libp2p {

namespace {

// What a table's row, a string, an address and a value cost beside their bytes.
constexpr std::size_t kRecordCost = 512;
constexpr std::size_t kTextCost = 48;
constexpr std::size_t kAddressCost = 96;
constexpr std::size_t kValueCost = 128;

}  // namespace

Peerstore::Peerstore(PeerstoreLimits limits, MemoryAccount* memory)
    : limits_(limits),
      memory_(memory),
      sources_({.narrow = limits.peers_per_address, .wide = limits.peers_per_ip6_48}) {}

Peerstore::~Peerstore() {
  if (memory_ != nullptr) memory_->give(bytes_);
}

bool Peerstore::Record::blank() const {
  return addresses.empty() && !has_identity() && pins == 0 && rank != Rank::proven;
}

bool Peerstore::Record::has_identity() const {
  return !protocols.empty() || !agent.empty() || !protocol_version.empty() || key || latency || !values.empty();
}

void Peerstore::Record::forget_identity() {
  std::vector<std::string>().swap(protocols);
  std::string().swap(agent);
  std::string().swap(protocol_version);
  key.reset();
  latency.reset();
  values.clear();
}

std::size_t Peerstore::Record::cost() const {
  std::size_t sum = kRecordCost + agent.size() + protocol_version.size();
  for (const auto& known : addresses) sum += kAddressCost + known.address.bytes().size();
  for (const auto& protocol : protocols) sum += kTextCost + protocol.size();
  for (const auto& [name, value] : values) sum += kValueCost + name.size() + value.size();
  return sum;
}

const Peerstore::Record* Peerstore::find(const PeerId& peer) const {
  const auto found = records_.find(peer);
  return found == records_.end() ? nullptr : &found->second;
}

bool Peerstore::evict_oldest(Rank highest, const Record* except) {
  for (std::size_t rank = 0; rank <= static_cast<std::size_t>(highest); ++rank) {
    for (const auto& [touched, peer] : by_touch_[rank]) {
      const auto at = records_.find(peer);
      OPP2P_ASSERT(at != records_.end() && at->second.pins == 0, "a pinned record is never evicted", peer);
      if (&at->second == except) continue;
      ++counters_.evicted;
      erase_record(at);
      return true;
    }
  }
  return false;
}

void Peerstore::evict_from_source(const Bytes& block) {
  for (const auto& [touched, peer] : by_touch_[static_cast<std::size_t>(Rank::newcomer)]) {
    const auto holding = sources_.holders().find(peer);
    if (holding == sources_.holders().end()) continue;
    if (holding->second.blocks.narrow != block && holding->second.blocks.wide != block) continue;
    ++counters_.evicted;
    return erase_record(records_.find(peer));
  }
}

Peerstore::Record& Peerstore::insert(const PeerId& peer) {
  Record& record = records_.emplace(peer, Record{}).first->second;
  recount(record);
  return record;
}

void Peerstore::erase_record(std::map<PeerId, Record>::iterator at) {
  Record& record = at->second;
  if (record.pins == 0) {
    const std::size_t erased = by_touch_[static_cast<std::size_t>(record.rank)].erase(record.touched);
    OPP2P_ASSERT(erased == 1, "a record that is not pinned stands in the order of its rank", at->first);
  }
  OPP2P_ASSERT(bytes_ >= record.bytes, "the bytes of all records include those of each", bytes_, record.bytes);
  if (memory_ != nullptr) memory_->give(record.bytes);
  bytes_ -= record.bytes;
  sources_.give_all(at->first);
  records_.erase(at);
  ++changes_;
}

void Peerstore::mark(Record& record) {
  record.changed = true;
  ++changes_;
}

bool Peerstore::recount(Record& record) {
  const std::size_t bytes = record.cost();
  if (bytes > limits_.record_bytes) {
    ++counters_.refused_bytes;
    return false;
  }
  if (bytes > record.bytes) {
    const std::size_t more = bytes - record.bytes;
    const auto fits = [&] { return bytes_ + more <= limits_.bytes && (memory_ == nullptr || memory_->try_take(more)); };
    bool taken = fits();
    while (!taken && evict_oldest(record.rank, &record)) taken = fits();
    // A pinned record is there whatever it costs; connections bound how many are.
    if (!taken && record.pins == 0 && record.bytes > 0) {
      ++counters_.refused_bytes;
      return false;
    }
    if (!taken && memory_ != nullptr) memory_->take(more);
    bytes_ += more;
  } else {
    OPP2P_ASSERT(bytes_ >= record.bytes - bytes, "the bytes of all records include those of each", bytes_,
                 record.bytes);
    bytes_ -= record.bytes - bytes;
    if (memory_ != nullptr) memory_->give(record.bytes - bytes);
  }
  record.bytes = bytes;
  return true;
}

void Peerstore::raise(const PeerId& peer, Record& record, Rank rank) {
  if (rank <= record.rank) return;
  if (record.pins == 0) {
    by_touch_[static_cast<std::size_t>(record.rank)].erase(record.touched);
    by_touch_[static_cast<std::size_t>(rank)].emplace(record.touched, peer);
  }
  record.rank = rank;
}

Peerstore::Record* Peerstore::touch(const PeerId& peer, Rank rank) {
  auto found = records_.find(peer);
  if (found == records_.end()) {
    if (peer.empty()) return nullptr;
    if (records_.size() >= limits_.peers && !evict_oldest(rank, nullptr)) {
      ++counters_.refused_peers;
      return nullptr;
    }
    insert(peer);
    found = records_.find(peer);
  }
  Record& record = found->second;
  record.idle_since.reset();
  mark(record);
  if (record.pins == 0) {
    auto& order = by_touch_[static_cast<std::size_t>(record.rank)];
    order.erase(record.touched);
    record.touched = next_touch_++;
    order.emplace(record.touched, peer);
  }
  return &record;
}

void Peerstore::add_address(const PeerId& peer, const Multiaddr& address, Nanos ttl, MonoTime now) {
  add(peer, {address, ttl == kPermanentAddress ? MonoTime::max() : now + ttl, false, ttl}, now);
}

void Peerstore::add_dialled(const PeerId& peer, const Multiaddr& address, MonoTime now) {
  add(peer, {address, now + kConnectedAddress, true, kConnectedAddress}, now);
}

void Peerstore::add(const PeerId& peer, const KnownAddress& given, MonoTime now) {
  const auto named = given.address.peer_id();
  if (given.address.empty() || given.address.bytes().size() > limits_.text_bytes || (named && *named != peer)) return;
  Record* record = touch(peer, given.dialled ? Rank::dialled : Rank::newcomer);
  if (record == nullptr) return;
  if (given.dialled) raise(peer, *record, Rank::dialled);
  KnownAddress added = given;
  added.address = given.address.without_peer_id();
  auto& known = record->addresses;
  std::erase_if(known, [now](const KnownAddress& a) { return a.expires <= now; });
  const auto same =
      std::find_if(known.begin(), known.end(), [&](const KnownAddress& a) { return a.address == added.address; });
  if (same != known.end()) {
    if (added.expires >= same->expires) {
      same->expires = added.expires;
      same->ttl = added.ttl;
    }
    same->dialled = same->dialled || added.dialled;
    recount(*record);
    return;
  }
  const auto worth = [](const KnownAddress& a) { return std::make_pair(a.dialled, a.expires); };
  if (known.size() >= limits_.addresses_per_peer) {
    const auto first = std::min_element(
        known.begin(), known.end(), [&](const KnownAddress& a, const KnownAddress& b) { return worth(a) < worth(b); });
    if (worth(*first) > worth(added)) return;
    known.erase(first);
  }
  known.push_back(added);
  if (recount(*record)) return;
  known.pop_back();
  recount(*record);
}

void Peerstore::add_addresses(const PeerId& peer, const std::vector<Multiaddr>& addresses, Nanos ttl, MonoTime now) {
  for (const auto& address : addresses) add_address(peer, address, ttl, now);
}

void Peerstore::remove_address(const PeerId& peer, const Multiaddr& address) {
  const auto found = records_.find(peer);
  if (found == records_.end()) return;
  const Multiaddr bare = address.without_peer_id();
  std::erase_if(found->second.addresses, [&](const KnownAddress& a) { return a.address == bare; });
  mark(found->second);
}

void Peerstore::keep_addresses(const PeerId& peer, MonoTime now) {
  const auto found = records_.find(peer);
  if (found == records_.end()) return;
  for (KnownAddress& known : found->second.addresses) {
    // Not each time: every change is written to a disk.
    if (known.expires <= now || known.expires >= now + kConnectedAddress / 2) continue;
    known.expires = now + kConnectedAddress;
    known.ttl = std::max(known.ttl, kConnectedAddress);
    mark(found->second);
  }
}

std::vector<Multiaddr> Peerstore::addresses(const PeerId& peer, MonoTime now) const {
  const Record* record = find(peer);
  if (record == nullptr) return {};
  std::vector<const KnownAddress*> alive;
  for (const auto& known : record->addresses) {
    if (known.expires > now) alive.push_back(&known);
  }
  std::stable_sort(alive.begin(), alive.end(), [](const KnownAddress* a, const KnownAddress* b) {
    return std::make_pair(a->dialled, a->expires) > std::make_pair(b->dialled, b->expires);
  });
  std::vector<Multiaddr> out;
  for (const auto* known : alive) out.push_back(known->address);
  return out;
}

void Peerstore::set_protocols(const PeerId& peer, std::vector<std::string> protocols) {
  Record* record = touch(peer);
  if (record == nullptr) return;
  std::erase_if(protocols, [this](const std::string& p) { return p.size() > limits_.text_bytes; });
  if (protocols.size() > limits_.protocols_per_peer) protocols.resize(limits_.protocols_per_peer);
  std::sort(protocols.begin(), protocols.end());
  protocols.erase(std::unique(protocols.begin(), protocols.end()), protocols.end());
  protocols.shrink_to_fit();  // what was dropped is not held
  record->protocols = std::move(protocols);
  // Too many for the record: the last in order go, and with a key and an address no more than fits is ever lost by
  // others.
  while (!recount(*record) && !record->protocols.empty()) record->protocols.resize(record->protocols.size() / 2);
}

std::vector<std::string> Peerstore::protocols(const PeerId& peer) const {
  const Record* record = find(peer);
  return record == nullptr ? std::vector<std::string>{} : record->protocols;
}

bool Peerstore::supports(const PeerId& peer, std::string_view protocol) const {
  const Record* record = find(peer);
  return record != nullptr && std::binary_search(record->protocols.begin(), record->protocols.end(), protocol);
}

void Peerstore::set_agent(const PeerId& peer, std::string agent, std::string protocol_version) {
  Record* record = touch(peer);
  if (record == nullptr) return;
  if (agent.size() <= limits_.text_bytes) record->agent = std::move(agent);
  if (protocol_version.size() <= limits_.text_bytes) record->protocol_version = std::move(protocol_version);
  if (recount(*record)) return;
  record->agent.clear();
  record->protocol_version.clear();
  recount(*record);
}

std::string Peerstore::agent(const PeerId& peer) const {
  const Record* record = find(peer);
  return record == nullptr ? std::string() : record->agent;
}

std::string Peerstore::protocol_version(const PeerId& peer) const {
  const Record* record = find(peer);
  return record == nullptr ? std::string() : record->protocol_version;
}

bool Peerstore::set_key(const PeerId& peer, const crypto::PublicKey& key) {
  if (!peer.matches(key)) return false;
  if (Record* record = touch(peer)) record->key = key;
  return true;
}

std::optional<crypto::PublicKey> Peerstore::key(const PeerId& peer) const {
  const Record* record = find(peer);
  if (record != nullptr && record->key) return record->key;
  return peer.public_key();
}

void Peerstore::record_latency(const PeerId& peer, Nanos round_trip) {
  Record* record = touch(peer);
  if (record == nullptr) return;
  record->latency = record->latency ? *record->latency * 9 / 10 + round_trip / 10 : round_trip;
}

std::optional<Nanos> Peerstore::latency(const PeerId& peer) const {
  const Record* record = find(peer);
  return record == nullptr ? std::nullopt : record->latency;
}

void Peerstore::set_value(const PeerId& peer, const std::string& name, std::string value) {
  if (name.size() > limits_.text_bytes || value.size() > limits_.value_bytes) return;
  Record* record = touch(peer);
  if (record == nullptr) return;
  if (record->values.size() >= limits_.values_per_peer && !record->values.contains(name)) return;
  record->values.insert_or_assign(name, std::move(value));
  if (recount(*record)) return;
  record->values.erase(name);
  recount(*record);
}

std::optional<std::string> Peerstore::value(const PeerId& peer, const std::string& name) const {
  const Record* record = find(peer);
  if (record == nullptr) return std::nullopt;
  const auto found = record->values.find(name);
  if (found == record->values.end()) return std::nullopt;
  return found->second;
}

void Peerstore::pin(const PeerId& peer, const AddressBlocks& source) {
  Record* record = touch(peer);
  // Everything else is pinned or better: pins are bounded by connections and the configuration, so this one is taken as
  // well.
  if (record == nullptr) record = &insert(peer);
  if (record->pins++ == 0) by_touch_[static_cast<std::size_t>(record->rank)].erase(record->touched);
  if (sources_.held(peer) > 0) return;
  OPP2P_ASSERT(record->pins > 0, "a pinned record is pinned");
  const ShareFull full = sources_.check(peer, source, 1);
  if (full == ShareFull::narrow) evict_from_source(source.narrow);
  if (full == ShareFull::wide) evict_from_source(source.wide);
  sources_.take(peer, source, 1);
}

void Peerstore::mark_proven(const PeerId& peer) {
  Record* record = touch(peer, Rank::proven);
  if (record != nullptr) raise(peer, *record, Rank::proven);
}

bool Peerstore::is_proven(const PeerId& peer) const {
  const Record* record = find(peer);
  return record != nullptr && record->rank == Rank::proven;
}

void Peerstore::unpin(const PeerId& peer) {
  const auto found = records_.find(peer);
  if (found == records_.end() || found->second.pins == 0) return;
  if (--found->second.pins > 0) return;
  found->second.touched = next_touch_++;
  const bool is_new =
      by_touch_[static_cast<std::size_t>(found->second.rank)].emplace(found->second.touched, peer).second;
  OPP2P_ASSERT(is_new, "a moment belongs to one record", found->second.touched);
}

bool Peerstore::contains(const PeerId& peer) const { return records_.contains(peer); }

std::vector<PeerId> Peerstore::peers() const {
  std::vector<PeerId> out;
  out.reserve(records_.size());
  for (const auto& [peer, record] : records_) out.push_back(peer);
  return out;
}

void Peerstore::erase(const PeerId& peer) {
  const auto found = records_.find(peer);
  if (found == records_.end()) return;
  if (found->second.pins > 0) {
    found->second.addresses.clear();
    found->second.forget_identity();
    found->second.rank = Rank::newcomer;
    recount(found->second);
    return mark(found->second);
  }
  erase_record(found);
}

void Peerstore::collect(MonoTime now) {
  for (auto it = records_.begin(); it != records_.end();) {
    const auto at = it++;
    if (collect_record(at->first, at->second, now)) {
      erase_record(at);
    } else {
      recount(at->second);
    }
  }
}

bool Peerstore::collect_record(const PeerId& peer, Record& record, MonoTime now) {
  if (std::erase_if(record.addresses, [now](const KnownAddress& a) { return a.expires <= now; }) > 0) mark(record);
  if (record.pins == 0) {
    if (!record.idle_since) record.idle_since = now;
    const Nanos idle = now - *record.idle_since;
    if (idle >= kForgetIdentity && record.has_identity()) {
      record.forget_identity();
      mark(record);
    }
    if (idle >= kForgetProof && record.rank == Rank::proven) {
      by_touch_[static_cast<std::size_t>(record.rank)].erase(record.touched);
      record.rank = Rank::dialled;
      by_touch_[static_cast<std::size_t>(record.rank)].emplace(record.touched, peer);
      mark(record);
    }
  }
  return record.blank();
}

}  // namespace libp2p
