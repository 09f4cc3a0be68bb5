// PeerMonitor: whom to ban. It looks at one connected peer after the other, one a second, and bans whose score is below
// the threshold; and it bans at once who was blamed for kMostBlamedMessages different messages within ten minutes.
// Static peers are spared. It bans no address. A pure engine: the owner calls it, gives it scores, and bans.
//
// Owner: Reputation. Thread: the network thread. Bounds: a list of the connected peers. Source: op-node surface,
// section 3; the second rule is our own, because GossipSub does not read the messages of a peer below the graylist
// threshold, so that invalid messages alone hardly bring a score to the ban threshold.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "opstack/reputation/ban.hpp"

namespace opstack::reputation {

using libp2p::Nanos;
using libp2p::PeerId;

inline constexpr Nanos kMonitorInterval = libp2p::Seconds(1);
// That is, the eighth is followed by the ban.
inline constexpr std::size_t kMostBlamedMessages = 8;

class PeerMonitor {
 public:
  // `counts_messages`: the second rule is in force.
  PeerMonitor(double threshold, bool counts_messages) : threshold_(threshold), counts_messages_(counts_messages) {}

  // The peer to look at now; nothing when nobody is connected. `connected` is asked for a new list when the last one is
  // used up.
  std::optional<PeerId> next(const std::function<std::vector<PeerId>()>& connected);

  // Whether the score is a reason to ban, and so the number of blamed messages.
  bool is_too_low(double score, bool is_static) const { return !is_static && score < threshold_; }
  bool are_too_many(std::size_t blamed_messages, bool is_static) const {
    return counts_messages_ && !is_static && blamed_messages >= kMostBlamedMessages;
  }
  double threshold() const { return threshold_; }

  // The sentences of the bans.
  std::string text_of_score(double score) const;
  static std::string text_of_messages(std::size_t blamed_messages);

 private:
  double threshold_;
  bool counts_messages_;
  std::vector<PeerId> list_;  // the next one last
};

}  // namespace opstack::reputation
