// What an archive needs of the peerstore: records as copies, and which of them have changed.
#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/host/peerstore.hpp"

namespace libp2p {

std::optional<PeerFacts> Peerstore::facts(const PeerId& peer) const {
  const Record* record = find(peer);
  if (record == nullptr) return std::nullopt;
  PeerFacts out;
  out.addresses = record->addresses;
  out.protocols = record->protocols;
  out.agent = record->agent;
  out.protocol_version = record->protocol_version;
  out.key = record->key;
  out.latency = record->latency;
  out.values = record->values;
  out.proven = record->rank == Rank::proven;
  return out;
}

std::size_t Peerstore::cost_of(const PeerFacts& facts) {
  Record record;
  record.addresses = facts.addresses;
  record.protocols = facts.protocols;
  record.agent = facts.agent;
  record.protocol_version = facts.protocol_version;
  record.values = facts.values;
  return record.cost();
}

bool Peerstore::fits(const PeerFacts& facts) const {
  const auto fits_text = [this](const std::string& text) { return text.size() <= limits_.text_bytes; };
  const auto fits_value = [&](const auto& one) {
    return fits_text(one.first) && one.second.size() <= limits_.value_bytes;
  };
  const auto fits_address = [this](const KnownAddress& known) {
    return !known.address.empty() && known.address.bytes().size() <= limits_.text_bytes && !known.address.peer_id();
  };
  return facts.addresses.size() <= limits_.addresses_per_peer && facts.protocols.size() <= limits_.protocols_per_peer &&
         facts.values.size() <= limits_.values_per_peer && fits_text(facts.agent) &&
         fits_text(facts.protocol_version) &&
         std::all_of(facts.addresses.begin(), facts.addresses.end(), fits_address) &&
         std::all_of(facts.protocols.begin(), facts.protocols.end(), fits_text) &&
         std::all_of(facts.values.begin(), facts.values.end(), fits_value);
}

bool Peerstore::restore(const PeerId& peer, const PeerFacts& facts, MonoTime now) {
  const std::size_t cost = cost_of(facts);
  if (peer.empty() || records_.contains(peer) || records_.size() >= limits_.peers || !fits(facts)) return false;
  if (cost > limits_.record_bytes || bytes_ + cost > limits_.bytes) return false;
  if (facts.key && !peer.matches(*facts.key)) return false;
  if (memory_ != nullptr) {  // else the record would evict others from the account's share
    if (!memory_->try_take(cost)) return false;
    memory_->give(cost);
  }
  Record* record = touch(peer);
  OPP2P_ASSERT(record != nullptr, "there is room for one record more", peer);
  for (const KnownAddress& known : facts.addresses)
    if (known.expires > now) record->addresses.push_back(known);
  record->protocols = facts.protocols;
  std::sort(record->protocols.begin(), record->protocols.end());
  record->protocols.erase(std::unique(record->protocols.begin(), record->protocols.end()), record->protocols.end());
  record->agent = facts.agent;
  record->protocol_version = facts.protocol_version;
  record->key = facts.key;
  record->latency = facts.latency;
  record->values = facts.values;
  const bool dialled = std::any_of(record->addresses.begin(), record->addresses.end(),
                                   [](const KnownAddress& known) { return known.dialled; });
  if (dialled) raise(peer, *record, Rank::dialled);
  if (facts.proven) raise(peer, *record, Rank::proven);
  const bool counted = recount(*record);
  OPP2P_ASSERT(counted, "what was looked at before fits", peer);
  return true;
}

std::vector<PeerId> Peerstore::take_changed(std::size_t most) {
  std::vector<PeerId> out;
  for (auto& [peer, record] : records_) {
    if (out.size() >= most) break;
    if (std::exchange(record.changed, false)) out.push_back(peer);
  }
  return out;
}

void Peerstore::mark_changed(const PeerId& peer) {
  const auto found = records_.find(peer);
  if (found != records_.end()) mark(found->second);
}

}  // namespace libp2p
