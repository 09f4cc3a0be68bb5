// Every number of the GossipSub router in one place, with the values that op-node runs with: those it sets itself, and
// the defaults of go-libp2p-pubsub 0.17 that it keeps. Bounds of this implementation's own are named as such. Durations
// carry their unit in the type; counts are peers, messages or ids; sizes are bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"

namespace libp2p::gossipsub {

// How large a mesh is. A topic can have its own (TopicParams).
struct MeshSizes {
  std::size_t degree = 8;    // D: the mesh size that is aimed at (op-node)
  std::size_t low = 6;       // Dlo: below it, peers are grafted (op-node)
  std::size_t high = 12;     // Dhi: at or above it, peers are pruned (op-node)
  std::size_t outbound = 2;  // Dout: mesh peers that we dialled; below low, at most degree / 2 (library)
};

struct MeshParams : MeshSizes {
  std::size_t lazy = 6;                          // Dlazy: least number of peers that get IHAVE (op-node)
  std::size_t keep_by_score = 4;                 // Dscore: best peers that survive over-subscription (library)
  double gossip_factor = 0.25;                   // share of the other peers that get IHAVE (library)
  Nanos prune_backoff = Seconds(60);             // told to pruned peers and held to ourselves (library)
  Nanos unsubscribe_backoff = Seconds(10);       // the same after leaving a topic (library)
  Nanos backoff_slack = Seconds(2);              // waited on top before we graft again: the other clock (library)
  Nanos max_peer_backoff = Seconds(3600);        // the longest backoff that a peer can impose (own bound)
  Nanos graft_flood_threshold = Seconds(10);     // a GRAFT this soon after the PRUNE costs twice (library)
  std::uint64_t opportunistic_graft_ticks = 60;  // heartbeats between two opportunistic grafts (library)
  std::size_t opportunistic_graft_peers = 2;     // peers grafted then (library)
  Nanos fanout_ttl = Seconds(24);                // since the last publication in a topic that is not joined (op-node)
  bool flood_publish = false;                    // own messages go to every peer in the topic (op-node's flag)
  bool peer_exchange = false;                    // PRUNE names other peers of the topic (op-node: off)
  std::size_t prune_peers = 16;                  // named in a PRUNE, and taken of one (library)
  std::size_t max_named_record = 1024;        // bytes of a signed record that is sent; longer ones stay out (own bound)
  std::size_t max_named_taken = 64;           // of what one peer names in a heartbeat (own bound)
  std::size_t max_backoffs_per_topic = 4096;  // own bound; the one that ends last is forgotten
};

struct GossipParams {
  std::size_t history_windows = 12;           // heartbeats that a message can be asked for (op-node)
  std::size_t gossip_windows = 3;             // heartbeats that it is advertised (op-node)
  std::size_t cache_bytes = 64U << 20;        // message cache; the oldest goes first (own bound)
  std::size_t max_ihave_length = 5000;        // ids per IHAVE, and ids asked of one peer per heartbeat (library)
  std::size_t max_ihave_messages = 10;        // RPCs with IHAVE per peer and heartbeat (library)
  Nanos iwant_followup = Seconds(3);          // an advertised message must follow within it (library)
  unsigned retransmissions = 3;               // answers to one peer's IWANT for one message (library)
  std::size_t idontwant_threshold = 1024;     // IDONTWANT is sent for data of at least this size (library)
  std::uint64_t idontwant_ttl = 3;            // heartbeats that a received IDONTWANT holds (library)
  std::size_t max_idontwant_length = 10;      // ids heeded, and sent, per RPC (library)
  std::size_t max_idontwant_messages = 1000;  // RPCs with IDONTWANT per peer and heartbeat (library)
  std::size_t max_unwanted_ids = 512;         // remembered per peer; more are not heeded (own bound)
};

struct ScoreThresholds {
  double gossip = -10;                // below: no gossip to or from the peer (op-node)
  double publish = -40;               // below: own messages do not go there by flood or fanout (op-node)
  double graylist = -40;              // below: the peer's RPCs are ignored (op-node)
  double accept_px = 20;              // below: the peers that a PRUNE names are not dialled (op-node)
  double opportunistic_graft = 0.05;  // median of the mesh below: look for better peers (op-node)
};

// What one RPC may hold. What comes in is checked before anything is allocated for it.
struct RpcLimits {
  std::size_t max_rpc = 10U << 20;    // the whole RPC, both ways (op-node)
  std::size_t max_control = 524'288;  // everything but the data of its messages (library)
  // What goes out is split: a frame of control, or of subscriptions, has this size at most, unless a single entry is
  // larger. Rust's 0.50 refuses more by default (own bound).
  std::size_t max_sent_control = 16U << 10;
  std::size_t max_messages = 1024;  // more are an error (own bound)
  std::size_t max_entries = 4096;   // subscriptions and control entries; those beyond are ignored (own bound)
  std::size_t max_ids = 24'576;     // message ids; those beyond are ignored (own bound)
  bool older_fields = true;         // unknown fields of a message also as op-node up to v1.19.2 passes them on
  // Partial messages are read: max_rpc alone bounds them, not max_control (library 0.19). The router sets it.
  bool partial_messages = false;
};

struct ValidationParams {
  // Messages that are with the validator. A message that finds no room is dropped and not marked seen, so that gossip
  // can bring it again. op-node has a queue of 256, and then four at a time; a burst of 64 small blocks must pass here.
  std::size_t max_items = 512;        // op-node's global throttle
  std::size_t max_bytes = 64U << 20;  // own bound
  // Besides, what a peer may hold shrinks with what is still free (admission.hpp), so that few cannot fill the room.
  std::size_t max_items_per_peer = 256;        // op-node's queue, held per peer so that one cannot fill it for all
  std::size_t max_bytes_per_peer = 32U << 20;  // own bound
};

// What a peer's messages may cost before they are accepted; own bounds, see admission.hpp. op-node has none of them.
struct AdmissionParams {
  double refusal_rate = 10;               // refused messages a second of one peer; twice that of an IPv4 address
  double refusal_burst = 64;              // and at once
  std::size_t max_refusers = 4096;        // peers, and blocks of addresses, whose refusals are remembered
  double naming_rate = 4U << 20;          // bytes a second that are read to name messages of one peer
  double naming_burst = 24U << 20;        // and at once: a message of 10 MiB that unpacks to as much
  double naming_sure_rate = 128U << 10;   // of those, what a peer gets whatever others use
  double naming_sure_burst = 512U << 10;  // and at once: a block of usual size
  double naming_rate_of_all = 64U << 20;  // the same for all peers
  double naming_burst_of_all = 64U << 20;
};

struct OutboxParams {
  std::size_t max_items = 256;        // messages that wait for one peer (op-node)
  std::size_t max_bytes = 16U << 20;  // their frames; the buffers are shared with the other peers (own bound)
  std::size_t max_iwant = 5000;       // ids that wait to be asked for; the oldest goes first (own bound)
  std::size_t max_idontwant = 1024;   // the same for IDONTWANT (own bound)
};

// The extension of /meshsub/1.3.0 (partial_messages.hpp). Its library is go-libp2p-pubsub 0.19.
struct PartialParams {
  bool enabled = false;                        // op-node knows nothing of it
  std::uint64_t group_ttl = 5;                 // heartbeats after the last publication to a group (rust-libp2p 0.50)
  std::size_t max_groups_of_peers = 255;       // that peers have opened, per topic (library)
  std::size_t max_groups_of_peer = 8;          // and one peer, per topic (library)
  std::size_t max_own_groups = 1024;           // that we publish to, per topic (own bound)
  std::size_t max_group_id = 256;              // bytes of a group's id (own bound)
  std::size_t max_metadata = 4096;             // bytes of what a peer says that it has and wants (own bound)
  std::size_t max_metadata_bytes = 16U << 20;  // of all peers and groups (own bound)
  std::size_t max_rpcs = 1000;                 // with partial messages, of one peer per heartbeat (own bound)
  std::size_t max_outbox_items = 256;          // that wait for one peer; the oldest goes first (own bound)
  std::size_t max_outbox_bytes = 16U << 20;    // their frames (own bound)
};

// What a topic has of its own, as rust-libp2p's TopicConfigs; what is not set is as for all topics.
struct TopicParams {
  std::optional<MeshSizes> mesh;
  // Bytes of the frame of one message, both ways; at most RpcLimits::max_rpc. A peer that sends a larger one is held
  // responsible for it, as for an invalid message.
  std::optional<std::size_t> max_message;
};

struct Params {
  Nanos heartbeat = Millis(500);                // op-node
  Nanos heartbeat_initial_delay = Millis(100);  // library
  Nanos seen_ttl = Seconds(65);                 // 130 heartbeats from the first sight (op-node)
  std::size_t seen_items = 262'144;             // own bound; the oldest not accepted of who has most goes first
  std::uint64_t direct_connect_ticks =
      300;                                // heartbeats between two looks at who of the direct peers is away (library)
  std::size_t max_topics_per_peer = 256;  // own bound; more subscriptions are refused
  Nanos blacklist_ttl = Seconds(30);      // that a peer is not listened to, unless it is said otherwise (op-node)
  std::size_t max_blacklisted = 4096;     // own bound; the one whose time ends first goes
  std::size_t max_topic_length = 1024;    // bytes of a topic's name; own bound
  MeshParams mesh;
  GossipParams gossip;
  ScoreThresholds thresholds;
  RpcLimits rpc;
  ValidationParams validation;
  AdmissionParams admission;
  OutboxParams outbox;
  PartialParams partial;
  std::map<std::string, TopicParams, std::less<>> topics;  // by name; the others have none
};

// Errc::invalid_argument with a text that names the field and says what is allowed: outbound below low (or 0), low at
// most degree, degree at most high, outbound at most half of degree.
Result<void> validate(const MeshSizes& sizes);
Result<void> validate(const TopicParams& params, const RpcLimits& limits);

}  // namespace libp2p::gossipsub
