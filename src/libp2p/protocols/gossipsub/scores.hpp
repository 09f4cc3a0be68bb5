// The seam between the router and whatever judges peers. The router asks for a score where the specification (gossipsub
// v1.1, "Peer Scoring") compares one with a threshold, and tells what happened where a score function counts something.
// The neutral default gives everybody zero, which op-node calls scoring `none`. Called on the router's thread; an
// implementation does its own decay on its own timer and must not call back into the router.
#pragma once

#include <string_view>

#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/protocols/gossipsub/message_id.hpp"

namespace libp2p::gossipsub {

// Why a message is not delivered. What a block breaks is told by the rules of blocks, not here.
enum class RejectCause : std::uint8_t {
  invalid,            // the validator said reject: P4 counts it
  ignored,            // the validator said ignore
  unexpected_author,  // StrictNoSign: from, seqno, signature or key is there: P4 counts it
  queue_full,         // no room at the validator; the peer is not to blame
};

class PeerScores {
 public:
  virtual ~PeerScores() = default;

  virtual double score(const PeerId& peer) const = 0;

  virtual void on_peer_added(const PeerId&, Now) {}
  virtual void on_peer_removed(const PeerId&, Now) {}
  virtual void on_graft(const PeerId&, std::string_view /*topic*/, Now) {}
  virtual void on_prune(const PeerId&, std::string_view /*topic*/, Now) {}
  // The life of a message: validation begins; then delivered or rejected; duplicates at any time in between and after.
  virtual void on_validation_begun(const PeerId&, std::string_view /*topic*/, const MessageId&, Now) {}
  virtual void on_delivered(const PeerId&, std::string_view /*topic*/, const MessageId&, Now) {}
  virtual void on_rejected(const PeerId&, std::string_view /*topic*/, const MessageId&, RejectCause, Now) {}
  virtual void on_duplicate(const PeerId&, std::string_view /*topic*/, const MessageId&, Now) {}
  // P7: `count` is added to the behaviour penalty.
  virtual void on_penalty(const PeerId&, unsigned /*count*/, Now) {}
};

class NeutralScores final : public PeerScores {
 public:
  double score(const PeerId&) const override { return 0; }
};

}  // namespace libp2p::gossipsub
