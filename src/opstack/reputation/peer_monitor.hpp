// PeerMonitor: whom to ban. It looks at one connected peer after the other, one a second, and bans whose score is below
// the threshold; and it bans at once who was blamed for so many different messages lately, eight within ten minutes.
// Static peers are spared. It bans no address. A pure engine: the owner calls it, gives it scores, and bans.
//
// Owner: Reputation. Thread: the network thread. Bounds: a list of the connected peers. Source: op-node surface,
// section 3; the second rule is our own, because GossipSub does not read the messages of a peer below the graylist
// threshold, so that invalid messages alone hardly bring a score to the ban threshold.
#pragma once

#include <concepts>
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

class PeerMonitor {
 public:
  // `messages_to_ban`: of the second rule; 0: it is not in force.
  PeerMonitor(double threshold, std::size_t messages_to_ban)
      : threshold_(threshold), messages_to_ban_(messages_to_ban) {}
  PeerMonitor(double, std::same_as<bool> auto) = delete;  // a number of messages is meant

  // The peer to look at now; nothing when nobody is connected. `connected` is asked for a new list when the last one is
  // used up.
  std::optional<PeerId> next(const std::function<std::vector<PeerId>()>& connected);

  // Whether the score is a reason to ban, and so the number of blamed messages.
  bool is_too_low(double score, bool is_static) const { return !is_static && score < threshold_; }
  bool are_too_many(std::size_t blamed_messages, bool is_static) const {
    return messages_to_ban_ > 0 && !is_static && blamed_messages >= messages_to_ban_;
  }
  double threshold() const { return threshold_; }

  // The sentences of the bans.
  std::string text_of_score(double score) const;
  static std::string text_of_messages(std::size_t blamed_messages, Nanos window);

 private:
  double threshold_;
  std::size_t messages_to_ban_;
  std::vector<PeerId> list_;  // the next one last
};

}  // namespace opstack::reputation
