// Field numbers of GossipSub's protobuf schema (pubsub/README, gossipsub v1.0 to v1.3), for the two halves of the
// codec.
#pragma once

#include <cstddef>
#include <cstdint>

#include "libp2p/multiformats/varint.hpp"

namespace libp2p::gossipsub {

// Bytes of a field that holds `content` bytes, if its number is below 16.
inline std::size_t field_size(std::size_t content) { return 1 + multiformats::varint_size(content) + content; }

namespace field {

enum Rpc : std::uint32_t { subscriptions = 1, publish = 2, control = 3, partial = 10, test_extension = 6492434 };
enum Subscription : std::uint32_t { subscribe = 1, topicid = 2, requests_partial = 3, supports_sending_partial = 4 };
enum Message : std::uint32_t { from = 1, data = 2, seqno = 3, topic = 4, signature = 5, key = 6 };
enum Control : std::uint32_t { ihave = 1, iwant = 2, graft = 3, prune = 4, idontwant = 5, extensions = 6 };
enum IHave : std::uint32_t { ihave_topic = 1, ihave_ids = 2 };
enum Ids : std::uint32_t { ids = 1 };
enum Graft : std::uint32_t { graft_topic = 1 };
enum Prune : std::uint32_t { prune_topic = 1, prune_peers = 2, prune_backoff = 3 };
enum PeerInfo : std::uint32_t { peer_id = 1, signed_peer_record = 2 };
enum Partial : std::uint32_t { partial_topic = 1, partial_group = 2, partial_message = 3, partial_metadata = 4 };
enum Extensions : std::uint32_t { partial_messages = 10, extensions_test = 6492434 };

}  // namespace field
}  // namespace libp2p::gossipsub
