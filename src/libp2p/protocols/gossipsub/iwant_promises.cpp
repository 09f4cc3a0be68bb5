#include "libp2p/protocols/gossipsub/iwant_promises.hpp"

namespace libp2p::gossipsub {

std::map<IWantPromises::PeerKey, unsigned> IWantPromises::take_broken(MonoTime now) {
  std::map<PeerKey, unsigned> broken;
  for (auto promise = promises_.begin(); promise != promises_.end();) {
    std::erase_if(promise->second, [&](const auto& entry) {
      if (now <= entry.second) return false;
      ++broken[entry.first];
      return true;
    });
    promise = promise->second.empty() ? promises_.erase(promise) : std::next(promise);
  }
  return broken;
}

void IWantPromises::remove_peer(PeerKey peer) {
  for (auto promise = promises_.begin(); promise != promises_.end();) {
    promise->second.erase(peer);
    promise = promise->second.empty() ? promises_.erase(promise) : std::next(promise);
  }
}

}  // namespace libp2p::gossipsub
