// Advertised messages that we asked for: of every IWANT one id, drawn at random, is watched, and a peer that has not
// sent it within the follow-up time has broken a promise (gossipsub v1.1, "Spam Protection"). Owned by the router;
// bounded by the IHAVE messages that are heeded per peer and heartbeat; a peer that goes takes its promises along.
#pragma once

#include <map>
#include <vector>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/protocols/gossipsub/message_id.hpp"

namespace libp2p::gossipsub {

class IWantPromises {
 public:
  using PeerKey = std::uint64_t;

  void add(PeerKey peer, const MessageId& id, MonoTime expires) { promises_[id].try_emplace(peer, expires); }
  // Somebody delivered it: nobody can keep the promise any more, so all are released.
  void fulfil(const MessageId& id) { promises_.erase(id); }
  // Who broke how many; those are forgotten then.
  std::map<PeerKey, unsigned> take_broken(MonoTime now);
  void remove_peer(PeerKey peer);
  std::size_t size() const { return promises_.size(); }
  // `is_known` says whether a peer is there.
  template <class IsKnown>
  void check(IsKnown&& is_known) const {
    for (const auto& [id, peers] : promises_) {
      OPP2P_CHECK(!peers.empty(), "a promise was made by somebody");
      for (const auto& [peer, expires] : peers)
        OPP2P_CHECK(is_known(peer), "a peer that goes takes its promises along", peer);
    }
  }

 private:
  std::map<MessageId, std::map<PeerKey, MonoTime>> promises_;
};

}  // namespace libp2p::gossipsub
