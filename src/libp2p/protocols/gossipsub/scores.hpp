// The seam between the router and whatever judges peers. The router asks for a score where the specification (gossipsub
// v1.1, "Peer Scoring") compares one with a threshold, and tells what happened where a score function counts something.
// The neutral default gives everybody zero, which op-node calls scoring `none`. Called on the router's thread; an
// implementation must not call back into the router.
//
// What the owner of the router does: one timer, on_timeout() at next_deadline(), before the router's own heartbeat;
// on_addresses() after the router has added a peer, and whenever the peer's connections change.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/protocols/gossipsub/message_id.hpp"

namespace libp2p::gossipsub {

// Why a message is not delivered. What a block breaks is told by the rules of blocks, not here.
enum class RejectCause : std::uint8_t {
  invalid,            // the validator said reject: P4 counts it
  ignored,            // the validator said ignore
  unexpected_author,  // StrictNoSign: from, seqno, signature or key is there: P4 counts it
  missing_signature,  // StrictSign: from, seqno or signature is not there: P4 counts it
  invalid_signature,  // P4 counts it
  self_origin,        // it says that we are the author, and we do not know it: perhaps we were started anew
  blacklisted,        // its author is blacklisted, whoever forwards it
  queue_full,         // no room at the validator; the message was not named, and the peer is not to blame
  throttled,          // the validator took it and then had no room: nobody knows whether it is valid
  not_to_blame,       // no verdict at all: the validator did not answer in time
  too_large,          // for its topic (TopicParams::max_message): P4 counts it
  invalid_unblamed,   // the validator said reject, and that the peer is not to blame
};

// The message breaks the signature policy of its topic, by itself or with its signature, or the topic's bound.
constexpr bool is_fault_of_author(RejectCause cause) {
  return cause == RejectCause::unexpected_author || cause == RejectCause::missing_signature ||
         cause == RejectCause::invalid_signature || cause == RejectCause::too_large;
}

// The message was not looked at far enough to say anything of it: nothing is counted, and it has no record.
constexpr bool says_nothing(RejectCause cause) {
  return cause == RejectCause::queue_full || cause == RejectCause::self_origin || cause == RejectCause::blacklisted;
}

// The far end of one open connection of a peer.
struct PeerAddress {
  Multiaddr remote;
  bool limited = false;  // a relay carries it
};

struct ScoreSnapshot;  // peer_scorer.hpp

class PeerScores {
 public:
  virtual ~PeerScores() = default;

  virtual double score(const PeerId& peer) const = 0;

  virtual void on_peer_added(const PeerId&, Now) {}
  virtual void on_peer_removed(const PeerId&, Now) {}
  // P6: all open connections of a peer that was added; told after on_peer_added() and whenever they change.
  virtual void on_addresses(const PeerId&, std::span<const PeerAddress>, Now) {}
  virtual void on_graft(const PeerId&, std::string_view /*topic*/, Now) {}
  virtual void on_prune(const PeerId&, std::string_view /*topic*/, Now) {}
  // The life of a message: validation begins; then delivered or rejected; duplicates at any time in between and after.
  // A message that is our own has an empty peer id, and its validation begins unsaid.
  virtual void on_validation_begun(const PeerId&, std::string_view /*topic*/, const MessageId&, Now) {}
  virtual void on_delivered(const PeerId&, std::string_view /*topic*/, const MessageId&, Now) {}
  virtual void on_rejected(const PeerId&, std::string_view /*topic*/, const MessageId&, RejectCause, Now) {}
  virtual void on_duplicate(const PeerId&, std::string_view /*topic*/, const MessageId&, Now) {}
  // P7: `count` is added to the behaviour penalty.
  virtual void on_penalty(const PeerId&, unsigned /*count*/, Now) {}

  // A partial message was useful (as P2 counts it), or invalid (as P4 does).
  virtual void on_partial(const PeerId&, std::string_view /*topic*/, bool /*useful*/, Now) {}
  // The score of each connected peer with its parts, for people who look at them. Nothing where there are no parts.
  virtual void show(ScoreSnapshot&) const {}

  // What changes by time alone: counters decay, peers that are away are forgotten.
  virtual void on_timeout(Now) {}
  virtual std::optional<MonoTime> next_deadline() const { return std::nullopt; }
};

class NeutralScores final : public PeerScores {
 public:
  double score(const PeerId&) const override { return 0; }
};

}  // namespace libp2p::gossipsub
