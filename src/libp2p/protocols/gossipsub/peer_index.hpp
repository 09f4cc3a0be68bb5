// A hash table that leads from peer ids to the rows of a table: one block of memory with a word of hash beside each
// pointer, so that a look-up touches the block and the row, and nothing else. Rows stay where they are and have the id.
// Without an order, and never iterated.
//
// Owner: whoever owns the rows. Thread: its. Bounds: the rows. At most half of its places are in use. `secret` keeps
// strangers from choosing where their ids land.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "libp2p/base/assert.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace libp2p::gossipsub {

// `IdOf` answers a row's id.
template <class Row, class IdOf>
class PeerIndex {
 public:
  explicit PeerIndex(std::uint64_t secret) : hash_{secret} {}

  std::size_t size() const { return size_; }

  // Null when there is none.
  Row* find(const PeerId& id) const {
    if (size_ == 0) return nullptr;
    return places_[place_of(id, hash_(id))].row;
  }

  // False when there is one of this id.
  bool insert(Row& row) {
    if (2 * (size_ + 1) > places_.size()) grow();
    const PeerId& id = IdOf()(row);
    const std::size_t hash = hash_(id);
    Place& place = places_[place_of(id, hash)];
    if (place.row != nullptr) return false;
    place = {hash, &row};
    ++size_;
    return true;
  }

  // Does nothing when there is none.
  void erase(const PeerId& id) {
    if (size_ == 0) return;
    std::size_t hole = place_of(id, hash_(id));
    if (places_[hole].row == nullptr) return;
    --size_;
    // Those that were pushed on by it move up.
    for (std::size_t at = next(hole); places_[at].row != nullptr; at = next(at)) {
      const std::size_t home = places_[at].hash & mask();
      if (((at - home) & mask()) < ((at - hole) & mask())) continue;
      places_[hole] = places_[at];
      hole = at;
    }
    places_[hole] = {};
  }

  void check() const {
    std::size_t used = 0;
    for (const Place& place : places_) {
      if (place.row == nullptr) continue;
      ++used;
      OPP2P_CHECK(find(IdOf()(*place.row)) == place.row, "a row is found by its id", IdOf()(*place.row));
    }
    OPP2P_CHECK(used == size_ && 2 * used <= places_.size(), "places in use are counted", used, size_, places_);
  }

 private:
  static constexpr std::size_t kLeast = 8;
  struct Place {
    std::size_t hash = 0;
    Row* row = nullptr;
  };

  std::size_t mask() const { return places_.size() - 1; }  // their number is a power of two
  std::size_t next(std::size_t at) const { return (at + 1) & mask(); }
  // Where the id is, or would be.
  std::size_t place_of(const PeerId& id, std::size_t hash) const {
    std::size_t at = hash & mask();
    while (places_[at].row != nullptr && (places_[at].hash != hash || IdOf()(*places_[at].row) != id)) at = next(at);
    return at;
  }
  void grow() {
    std::vector<Place> before = std::exchange(places_, std::vector<Place>(std::max(kLeast, 2 * places_.size())));
    for (const Place& place : before) {
      if (place.row == nullptr) continue;
      std::size_t at = place.hash & mask();
      while (places_[at].row != nullptr) at = next(at);
      places_[at] = place;
    }
  }

  PeerIdHash hash_;
  std::vector<Place> places_;
  std::size_t size_ = 0;
};

}  // namespace libp2p::gossipsub
