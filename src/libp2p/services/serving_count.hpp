// How many inbound streams of a protocol each peer has open, for services that bound it. Owned by a service, whose
// coroutines hold a Place for as long as they serve a stream. Thread: the network thread. Bounds: one entry per peer
// with an open stream.
#pragma once

#include <cstddef>
#include <map>
#include <utility>

#include "libp2p/multiformats/peer_id.hpp"

namespace libp2p {

class ServingCount {
 public:
  explicit ServingCount(std::size_t per_peer) : per_peer_(per_peer) {}

  class Place {
   public:
    Place(ServingCount& count, PeerId peer) : count_(count), peer_(std::move(peer)) {
      auto& open = count_.open_[peer_];
      granted_ = open < count_.per_peer_;
      ++open;
      ++count_.total_;
    }
    ~Place() {
      const auto entry = count_.open_.find(peer_);
      if (--entry->second == 0) count_.open_.erase(entry);
      --count_.total_;
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    // False: the peer has as many streams as it may; reset this one.
    bool granted() const { return granted_; }

   private:
    ServingCount& count_;
    PeerId peer_;
    bool granted_ = false;
  };

  std::size_t total() const { return total_; }

 private:
  std::size_t per_peer_;
  std::size_t total_ = 0;
  std::map<PeerId, std::size_t> open_;
};

}  // namespace libp2p
