#include "network/peerstore.hpp"

#include <algorithm>

namespace libp2p::network {

Peerstore::Peerstore(PeerstoreLimits limits) : limits_(limits) {}

bool Peerstore::Record::blank() const {
  return addresses.empty() && protocols.empty() && agent.empty() && protocol_version.empty() && !key && !latency &&
         values.empty() && pins == 0;
}

const Peerstore::Record* Peerstore::find(const PeerId& peer) const {
  const auto found = records_.find(peer);
  return found == records_.end() ? nullptr : &found->second;
}

bool Peerstore::make_room() {
  if (records_.size() < limits_.peers) return true;
  if (by_touch_.empty()) return false;
  records_.erase(by_touch_.begin()->second);
  by_touch_.erase(by_touch_.begin());
  return true;
}

Peerstore::Record* Peerstore::touch(const PeerId& peer) {
  auto found = records_.find(peer);
  if (found == records_.end()) {
    if (peer.empty() || !make_room()) return nullptr;
    found = records_.emplace(peer, Record{}).first;
  }
  Record& record = found->second;
  if (record.pins == 0) {
    by_touch_.erase(record.touched);
    record.touched = next_touch_++;
    by_touch_.emplace(record.touched, peer);
  }
  return &record;
}

void Peerstore::add_address(const PeerId& peer, const Multiaddr& address, Nanos ttl, MonoTime now) {
  const auto named = address.peer_id();
  if (address.empty() || (named && *named != peer)) return;
  Record* record = touch(peer);
  if (record == nullptr) return;
  const MonoTime expires = ttl == kPermanentAddress ? MonoTime::max() : now + ttl;
  const Multiaddr bare = address.without_peer_id();
  auto& known = record->addresses;
  std::erase_if(known, [now](const KnownAddress& a) { return a.expires <= now; });
  const auto same = std::find_if(known.begin(), known.end(), [&](const KnownAddress& a) { return a.address == bare; });
  if (same != known.end()) {
    same->expires = std::max(same->expires, expires);
    return;
  }
  if (known.size() >= limits_.addresses_per_peer) {
    const auto first = std::min_element(known.begin(), known.end(), [](const KnownAddress& a, const KnownAddress& b) {
      return a.expires < b.expires;
    });
    if (first->expires > expires) return;
    known.erase(first);
  }
  known.push_back({bare, expires});
}

void Peerstore::add_addresses(const PeerId& peer, const std::vector<Multiaddr>& addresses, Nanos ttl, MonoTime now) {
  for (const auto& address : addresses) add_address(peer, address, ttl, now);
}

void Peerstore::remove_address(const PeerId& peer, const Multiaddr& address) {
  const auto found = records_.find(peer);
  if (found == records_.end()) return;
  const Multiaddr bare = address.without_peer_id();
  std::erase_if(found->second.addresses, [&](const KnownAddress& a) { return a.address == bare; });
}

std::vector<Multiaddr> Peerstore::addresses(const PeerId& peer, MonoTime now) const {
  const Record* record = find(peer);
  if (record == nullptr) return {};
  std::vector<const KnownAddress*> alive;
  for (const auto& known : record->addresses) {
    if (known.expires > now) alive.push_back(&known);
  }
  std::stable_sort(alive.begin(), alive.end(),
                   [](const KnownAddress* a, const KnownAddress* b) { return a->expires > b->expires; });
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
  record->protocols = std::move(protocols);
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
  if (name.size() > limits_.text_bytes || value.size() > limits_.text_bytes) return;
  Record* record = touch(peer);
  if (record == nullptr) return;
  if (record->values.size() >= limits_.values_per_peer && !record->values.contains(name)) return;
  record->values.insert_or_assign(name, std::move(value));
}

std::optional<std::string> Peerstore::value(const PeerId& peer, const std::string& name) const {
  const Record* record = find(peer);
  if (record == nullptr) return std::nullopt;
  const auto found = record->values.find(name);
  if (found == record->values.end()) return std::nullopt;
  return found->second;
}

void Peerstore::pin(const PeerId& peer) {
  Record* record = touch(peer);
  if (record == nullptr) {
    // Everything else is pinned: pins are bounded by connections and the configuration, so this one is taken as well.
    record = &records_.emplace(peer, Record{}).first->second;
  }
  if (record->pins++ == 0) by_touch_.erase(record->touched);
}

void Peerstore::unpin(const PeerId& peer) {
  const auto found = records_.find(peer);
  if (found == records_.end() || found->second.pins == 0) return;
  if (--found->second.pins > 0) return;
  found->second.touched = next_touch_++;
  by_touch_.emplace(found->second.touched, peer);
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
    Record kept;
    kept.pins = found->second.pins;
    found->second = std::move(kept);
    return;
  }
  by_touch_.erase(found->second.touched);
  records_.erase(found);
}

void Peerstore::collect(MonoTime now) {
  for (auto it = records_.begin(); it != records_.end();) {
    std::erase_if(it->second.addresses, [now](const KnownAddress& a) { return a.expires <= now; });
    if (it->second.blank()) {
      by_touch_.erase(it->second.touched);
      it = records_.erase(it);
    } else {
      ++it;
    }
  }
}

}  // namespace libp2p::network
