// The values of partial messages (/meshsub/1.3.0, extension `partialMessages`): a large message travels in parts, each
// peer is sent what it lacks, and only the application knows what a part is. Parts of one message share a group id.
// What a peer has and wants of a group is its metadata, bytes that only the application reads.
//
// What the application does: it enables a topic (Router::set_partial), gets PartialReceived and PartialGossip as
// actions, and answers both, as well as news of its own, with Router::publish_partial. The router asks it then for each
// peer of the group what to send. Values without a thread. Source: go-libp2p-pubsub 0.19 (partialmessages/) and
// rust-libp2p gossipsub 0.50 (extensions/partial_messages.rs), whose wire fields agree.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/shared_slice.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace libp2p::gossipsub {

// What we, or a peer, do with partial messages of a topic. `supports`: sends them, and metadata, but wants whole
// messages itself. `requests`: wants them instead of whole messages, and sends them too.
enum class PartialUse : std::uint8_t { none, supports, requests };

// A peer of a group, as the application is asked about it.
struct PartialPeer {
  PeerId peer;
  bool wants_parts = false;  // false: it is sent metadata only, and PartialParts::message is not looked at
  ByteView metadata;         // what it has and wants by its newest word, or by PartialParts::peer_metadata; else empty
  ByteView told;             // our metadata that it was sent last; else empty
};

// What to send to a peer; both empty: nothing. Metadata that it was told last is not sent again without a message.
struct PartialParts {
  Bytes message;   // the parts, encoded
  Bytes metadata;  // what we have and want
  // What the peer's metadata becomes with these parts, so that it is not sent them again; none: it stays.
  std::optional<Bytes> peer_metadata = std::nullopt;
};
using PartialPartsFn = std::function<PartialParts(const PartialPeer& peer)>;

// A peer sent a partial message, or metadata, or both. The application judges it (Router::judge_partial) and publishes
// to the group again when it has something for somebody.
struct PartialReceived {
  PeerId peer;
  std::string topic;
  Bytes group;
  SharedSlice message;   // may be empty
  SharedSlice metadata;  // may be empty
};

// Gossip: these peers outside of the mesh have not heard of a group that we published. They are in the group now, so
// that Router::publish_partial asks for them too.
struct PartialGossip {
  std::string topic;
  Bytes group;
  std::vector<PeerId> peers;
};

}  // namespace libp2p::gossipsub
