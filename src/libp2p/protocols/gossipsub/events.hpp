// What the router says to its driver: actions to carry out, faults of peers, and the trace of what it did. All are
// values; the driver drains them after every input.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "libp2p/base/connection_id.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/protocols/gossipsub/frame.hpp"
#include "libp2p/protocols/gossipsub/message_id.hpp"
#include "libp2p/protocols/gossipsub/partial_messages.hpp"
#include "libp2p/protocols/gossipsub/scores.hpp"

namespace libp2p::gossipsub {

// What was agreed for the stream that we write to. `pending`: that stream is still being opened.
enum class ProtocolVersion : std::uint8_t { pending, floodsub, v1_0, v1_1, v1_2, v1_3 };
// What a validator makes of a message. `throttled`: it had no room to judge it. Such a message goes no further, as one
// that is ignored, and nobody is blamed for it. `reject_unblamed`: it is rejected, and whoever sent it may have taken
// it for valid: the score function does not count it, and copies are no fault. The network sees no difference to
// `reject`.
enum class ValidationResult : std::uint8_t { accept, reject, ignore, throttled, reject_unblamed };

using RequestId = std::uint64_t;

// There is something to send: pull next_frame(peer) while the stream takes bytes. Said once until the outbox ran empty.
struct SendReady {
  PeerId peer;
};

// Judge this message and answer with on_validation(request, …), in any order, exactly once.
struct Validate {
  RequestId request = 0;
  std::string topic;
  MessageId id;
  SharedSlice data;
  SharedBytes contents;  // the data unpacked, if naming the message had to do that; may be null
  PeerId from;           // who forwarded it; empty for our own
  bool local = false;    // an own publication that asked to be validated
  PeerId author = {};    // who published it, if it is signed
};

// Dial this peer, which is not there: a direct one, or one that a pruning peer has named.
struct Connect {
  PeerId peer;
  PeerId named_by = PeerId();  // empty for a direct one
  Bytes record = {};           // its signed peer record as it came, not looked at; may be empty
};

// An accepted message of another peer, for the subscriber.
struct Deliver {
  std::string topic;
  MessageId id;
  SharedSlice data;
  PeerId from;         // who forwarded it
  PeerId author = {};  // who published it, if it is signed
};

// The end of a publication that asked to be validated.
struct Published {
  RequestId request = 0;
  MessageId id;
  ValidationResult verdict = ValidationResult::accept;
};

enum class FaultKind : std::uint8_t {
  graft_in_backoff,     // GRAFT before the backoff was over
  graft_flood,          // and within the flood threshold of the PRUNE
  broken_promise,       // IHAVE without the message after our IWANT
  invalid_message,      // the validator rejected
  unexpected_author,    // a message that breaks StrictNoSign
  missing_signature,    // a message that breaks StrictSign
  invalid_signature,    // a message whose signature, author or key is wrong
  repeated_extensions,  // the v1.3 extensions control in another RPC than the first
  ihave_flood,          // more IHAVE than max_ihave_messages in a heartbeat, or more ids than max_ihave_length
  idontwant_flood,      // more IDONTWANT than max_idontwant_messages in a heartbeat
  direct_graft,         // a GRAFT of a direct peer: the agreement is not mutual; it costs nothing
  too_many_topics,      // more subscriptions than max_topics_per_peer
  partial_flood,        // more partial messages, groups or metadata than PartialParams allows; it costs nothing
  invalid_partial,      // the application found a partial message invalid
  too_large_message,    // larger than its topic allows
};
std::string_view to_string(FaultKind kind);

struct Fault {
  PeerId peer;
  FaultKind kind{};
  unsigned count = 1;
};

enum class TraceKind : std::uint8_t {
  joined,  // we joined a topic
  left,    // we left it
  peer_added,
  peer_removed,
  version_agreed,    // with tracing only: with a peer that was added while its version was pending
  peer_joined,       // a peer subscribed
  peer_left,         // a peer unsubscribed or went
  graft,             // a peer is in our mesh now
  prune,             // and is not any more
  published,         // own message sent out
  duplicate,         // a message that was seen before
  delivered,         // accepted and handed to the subscriber
  relayed,           // accepted in a topic that we relay only
  rejected,          // see `reason`
  dropped,           // see `drop`
  graylisted,        // an RPC that was not looked at for its sender's score
  blacklisted,       // an RPC that was not looked at for its sender is blacklisted
  iwant_sent,        // `count` ids asked for
  iwant_served,      // `count` messages given
  partial_received,  // a partial message, or metadata, for the application: `count` bytes of message
  partial_sent,      // the same to the peer
};
std::string_view to_string(TraceKind kind);

enum class DropCause : std::uint8_t {
  none,
  not_subscribed,       // message of a topic that we have not joined
  validation_full,      // no room at the validator
  refused_often,        // the validator has refused too much of the peer, or of its addresses
  naming_budget,        // reading it to name it would take more than the peer, or all peers, may cost
  outbox_forwarded,     // a peer's outbox was full: the oldest forwarded message
  outbox_own,           // and nothing but own messages was left to drop
  cancelled_unwanted,   // the peer said IDONTWANT while the message waited
  cache_bytes,          // the message cache was full
  seen_items,           // the seen cache was full
  partial_not_enabled,  // a partial message in a topic, or of a peer, without them
  partial_bounds,       // a partial message beyond PartialParams
  outbox_partial,       // a peer's outbox was full: the oldest partial message
};
// Why a peer is not in our mesh any more.
enum class PruneCause : std::uint8_t {
  none,
  score,      // its score is negative: see Trace::score
  blacklist,  // it was blacklisted
  excess,     // the mesh was too large
  peer,       // the peer pruned us
  we_left,    // we left the topic
  peer_left,  // the peer left the topic, or is gone
  version,    // the peer turned out to read no control
};
std::string_view to_string(PruneCause cause);
std::string_view to_string(DropCause cause);
std::string_view to_string(RejectCause cause);

struct Trace {
  TraceKind kind{};
  PeerId peer;
  std::string topic;
  MessageId id;
  RejectCause reason = RejectCause::invalid;  // when rejected
  DropCause drop = DropCause::none;           // when dropped
  PruneCause prune = PruneCause::none;        // when pruned
  double score = 0;                           // when graylisted, and when pruned for its score
  std::size_t count = 1;
  ProtocolVersion version = ProtocolVersion::pending;  // of a peer that is added or removed, or when it is agreed
};

struct RpcMeta;

// An RPC that came in or went out, whole; only with Router::Config::tracing.
struct RpcTrace {
  bool received = false;  // else it was sent
  PeerId peer;
  std::shared_ptr<const RpcMeta> meta;
};

using Action = std::variant<SendReady, Validate, Deliver, Published, Connect, Fault, Trace, RpcTrace, PartialReceived,
                            PartialGossip>;

}  // namespace libp2p::gossipsub
