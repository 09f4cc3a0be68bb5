// The invariants of the peerstore, for simulations, fuzzers and tests.
#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/host/peerstore.hpp"

namespace libp2p {

void Peerstore::check() const {
  sources_.check();
  std::size_t bytes = 0;
  for (const auto& [peer, record] : records_) {
    check_record(peer, record);
    bytes += record.bytes;
  }
  OPP2P_CHECK(bytes == bytes_, "the bytes of all records are counted", bytes, bytes_);
  OPP2P_CHECK(memory_ == nullptr || memory_->used() >= bytes_, "the bytes of all records are taken from the account",
              bytes_);
  for (const auto& [peer, holding] : sources_.holders())
    OPP2P_CHECK(records_.contains(peer) && holding.amount == 1, "a record counts once where it came from", peer,
                holding.amount);
  check_order();
}

void Peerstore::check_record(const PeerId& peer, const Record& record) const {
  OPP2P_CHECK(!peer.empty(), "a record is of somebody");
  OPP2P_CHECK(record.addresses.size() <= limits_.addresses_per_peer &&
                  record.values.size() <= limits_.values_per_peer &&
                  record.protocols.size() <= limits_.protocols_per_peer,
              "a record is bounded in items", peer, record.addresses, record.values, record.protocols);
  OPP2P_CHECK(record.agent.size() <= limits_.text_bytes && record.protocol_version.size() <= limits_.text_bytes,
              "texts are bounded", peer);
  for (const auto& [name, value] : record.values)
    OPP2P_CHECK(name.size() <= limits_.text_bytes && value.size() <= limits_.value_bytes, "values are bounded", peer);
  OPP2P_CHECK(std::is_sorted(record.protocols.begin(), record.protocols.end()) &&
                  std::adjacent_find(record.protocols.begin(), record.protocols.end()) == record.protocols.end(),
              "protocols are sorted, without repeats", peer);
  OPP2P_CHECK(record.bytes <= limits_.record_bytes, "a record is bounded in bytes", peer, record.bytes);
  // Addresses that expire or are removed are counted until the next change.
  OPP2P_CHECK(record.bytes == 0 || record.cost() <= record.bytes, "what a record costs is counted", peer, record.bytes,
              record.cost());
  OPP2P_CHECK(record.touched < next_touch_, "a record was touched in the past", peer, record.touched);
  OPP2P_CHECK(!record.key || peer.matches(*record.key), "a key is the peer's", peer);
  OPP2P_CHECK(record.pins == 0 || !record.idle_since, "who is connected is not idle", peer);
}

void Peerstore::check_order() const {
  std::size_t unpinned = 0;
  for (const auto& [peer, record] : records_) unpinned += record.pins == 0 ? 1 : 0;
  std::size_t listed = 0;
  for (std::size_t rank = 0; rank < kRanks; ++rank) {
    for (const auto& [touched, peer] : by_touch_[rank]) {
      const auto record = records_.find(peer);
      OPP2P_CHECK(record != records_.end() && record->second.pins == 0 && record->second.touched == touched &&
                      static_cast<std::size_t>(record->second.rank) == rank,
                  "a record that may go stands in the order of its rank", peer, touched, rank);
      ++listed;
    }
  }
  OPP2P_CHECK(listed == unpinned, "each record that may go stands in one order", listed, unpinned);
}

}  // namespace libp2p
