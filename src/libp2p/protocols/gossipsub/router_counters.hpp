// What the router has counted since its start. Every drop is counted by its cause. The router fills it; the same
// numbers reach metrics. A value.
#pragma once

#include <cstdint>

namespace libp2p::gossipsub {

struct Counters {
  std::uint64_t rpcs_received = 0;
  std::uint64_t rpcs_sent = 0;  // given to the driver
  std::uint64_t rpcs_graylisted = 0;
  std::uint64_t rpcs_blacklisted = 0;
  std::uint64_t authors_blacklisted = 0;  // messages whose author is
  std::uint64_t messages_received = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t delivered = 0;
  std::uint64_t relayed = 0;  // accepted in topics without a subscriber here
  std::uint64_t rejected = 0;
  std::uint64_t ignored = 0;
  std::uint64_t throttled = 0;  // the validator had no room for it
  std::uint64_t unexpected_author = 0;
  std::uint64_t missing_signature = 0;
  std::uint64_t invalid_signature = 0;
  std::uint64_t too_large = 0;    // TopicParams::max_message
  std::uint64_t self_origin = 0;  // others' messages that name us as their author
  std::uint64_t published = 0;
  std::uint64_t forwarded = 0;     // message, peer pairs put into outboxes, own ones included
  std::uint64_t iwant_sent = 0;    // ids
  std::uint64_t iwant_served = 0;  // messages
  std::uint64_t idontwant_sent = 0;
  std::uint64_t idontwant_received = 0;
  std::uint64_t suppressed_unwanted = 0;  // not sent or taken out of an outbox for an IDONTWANT
  std::uint64_t dropped_not_subscribed = 0;
  std::uint64_t dropped_validation_full = 0;
  std::uint64_t dropped_refused_often = 0;  // AdmissionParams::refusal_rate
  std::uint64_t dropped_naming_budget = 0;  // AdmissionParams::naming_rate
  std::uint64_t dropped_outbox_forwarded = 0;
  std::uint64_t dropped_outbox_own = 0;
  std::uint64_t dropped_cache_bytes = 0;
  std::uint64_t dropped_seen_items = 0;
  std::uint64_t peers_named = 0;      // in PRUNEs that we sent
  std::uint64_t peers_taken = 0;      // of those named to us: to be dialled
  std::uint64_t peers_not_taken = 0;  // for the score of who named them, or beyond a bound
  std::uint64_t ignored_entries = 0;  // RPC entries and ids beyond a bound
  std::uint64_t partials_received = 0;
  std::uint64_t partials_sent = 0;         // put into outboxes
  std::uint64_t partials_invalid = 0;      // by the application's word
  std::uint64_t partial_groups_ended = 0;  // by time
  std::uint64_t suppressed_partial = 0;    // messages not sent to peers that take them in parts
  std::uint64_t dropped_partial_not_enabled = 0;
  std::uint64_t dropped_partial_bounds = 0;
  std::uint64_t dropped_outbox_partial = 0;
  std::uint64_t heartbeats = 0;
  std::uint64_t joined = 0;  // topics, by us
  std::uint64_t left = 0;
  std::uint64_t grafted = 0;  // peers into our meshes
  std::uint64_t pruned = 0;
  std::uint64_t streams_opened = 0;  // that we write to: peers whose version is agreed
  std::uint64_t streams_closed = 0;
};

}  // namespace libp2p::gossipsub
