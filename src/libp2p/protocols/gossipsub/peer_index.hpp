// A hash table that leads from peer ids to the rows of a table: a boost::unordered_flat_set of pointers to rows, which
// have the ids and stay where they are. Without an order, so it is not iterated.
//
// Owner: whoever owns the rows. Thread: its. Bounds: the rows. `secret` keeps strangers from choosing where their ids
// land.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <cstdint>

#include "libp2p/multiformats/peer_id.hpp"

namespace libp2p::gossipsub {

// `IdOf` answers a row's id.
template <class Row, class IdOf>
class PeerIndex {
 public:
  explicit PeerIndex(std::uint64_t secret) : rows_(0, Hash{{secret}}) {}

  std::size_t size() const { return rows_.size(); }

  // Null when there is none.
  Row* find(const PeerId& id) const {
    const auto found = rows_.find(id);
    return found == rows_.end() ? nullptr : *found;
  }

  // False when there is one of this id.
  bool insert(Row& row) { return rows_.insert(&row).second; }

  // Does nothing when there is none.
  void erase(const PeerId& id) { rows_.erase(id); }

 private:
  static const PeerId& id_of(const PeerId& id) { return id; }
  static const PeerId& id_of(const Row* row) { return IdOf()(*row); }

  struct Hash : PeerIdHash {
    using is_transparent = void;
    using is_avalanching = void;  // each bit of an id reaches all bits of the hash: Boost need not mix it again
    std::size_t operator()(const auto& one) const { return PeerIdHash::operator()(id_of(one)); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const auto& one, const auto& other) const { return id_of(one) == id_of(other); }
  };

  boost::unordered_flat_set<Row*, Hash, Equal> rows_;
};

}  // namespace libp2p::gossipsub
