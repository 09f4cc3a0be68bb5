#include "opp2p/metrics/node_mirrors.hpp"

namespace opp2p {
namespace {

using R = NodeReadings;

template <class Number>
constexpr double value(Number number) {
  return static_cast<double>(number);
}

// What op-node's tracer calls a rejected message: also one that was not looked at for want of room.
std::uint64_t rejected(const libp2p::gossipsub::Counters& c) {
  return c.rejected + c.ignored + c.throttled + c.unexpected_author + c.missing_signature + c.invalid_signature +
         c.too_large + c.self_origin + c.authors_blacklisted + c.dropped_validation_full + c.dropped_refused_often +
         c.dropped_naming_budget;
}

std::uint64_t gap(const R& r) {
  if (!r.lowest_waiting || r.lowest_waiting->number <= r.head_number) return 0;
  return r.lowest_waiting->number - r.head_number - 1;
}

using enum Metric;
constexpr NodeMirror kMirrors[] = {
    // --- op-node's ---
    {p2p_stream_count, "", [](const R& r) { return value(r.sizes.streams); }},
    {p2p_gossip_events, "PUBLISH_MESSAGE", [](const R& r) { return value(r.router.published); }},
    {p2p_gossip_events, "REJECT_MESSAGE", [](const R& r) { return value(rejected(r.router)); }},
    {p2p_gossip_events, "DUPLICATE_MESSAGE", [](const R& r) { return value(r.router.duplicates); }},
    {p2p_gossip_events, "DELIVER_MESSAGE", [](const R& r) { return value(r.router.delivered + r.router.relayed); }},
    {p2p_gossip_events, "RECV_RPC", [](const R& r) { return value(r.router.rpcs_received); }},
    {p2p_gossip_events, "SEND_RPC", [](const R& r) { return value(r.router.rpcs_sent); }},
    {p2p_gossip_events, "DROP_RPC",
     [](const R& r) { return value(r.router.dropped_outbox_forwarded + r.router.dropped_outbox_own); }},
    {p2p_gossip_events, "JOIN", [](const R& r) { return value(r.router.joined); }},
    {p2p_gossip_events, "LEAVE", [](const R& r) { return value(r.router.left); }},
    {p2p_gossip_events, "GRAFT", [](const R& r) { return value(r.router.grafted); }},
    {p2p_gossip_events, "PRUNE", [](const R& r) { return value(r.router.pruned); }},
    {p2p_gossip_events, "ON_NEW_OUTBOUND_STREAM", [](const R& r) { return value(r.router.streams_opened); }},
    {p2p_gossip_events, "ON_CLOSED_OUTBOUND_STREAM", [](const R& r) { return value(r.router.streams_closed); }},
    {unsafe_payloads_buffer_len, "", [](const R& r) { return value(r.sizes.waiting_blocks); }},
    {unsafe_payloads_buffer_mem_size, "", [](const R& r) { return value(r.sizes.waiting_bytes); }},
    {publish_queue_len, "", [](const R& r) { return value(r.publishing); }},
    // --- the chain ---
    {head_number, "", [](const R& r) { return value(r.head_number); }},
    {highest_seen, "", [](const R& r) { return value(r.highest_seen); }},
    {gap_blocks, "", [](const R& r) { return value(gap(r)); }},
    {holes, "", [](const R& r) { return value(r.holes); }},
    // --- peers and connections ---
    {peers, "inbound", [](const R& r) { return value(r.peers[0]); }},
    {peers, "outbound", [](const R& r) { return value(r.peers[1]); }},
    {connections, "inbound", [](const R& r) { return value(r.connections[0]); }},
    {connections, "outbound", [](const R& r) { return value(r.connections[1]); }},
    {static_peers, "", [](const R& r) { return value(r.static_peers); }},
    {static_connected, "", [](const R& r) { return value(r.static_connected); }},
    {known_peers, "", [](const R& r) { return value(r.known_peers); }},
    {busiest_connection, "", [](const R& r) { return value(r.sizes.most_streams); }},
    {connections_refused, "pending_inbound", [](const R& r) { return value(r.host.refused_pending_inbound); }},
    {connections_refused, "inbound_connections", [](const R& r) { return value(r.host.refused_inbound_connections); }},
    {connections_refused, "connections_per_address", [](const R& r) { return value(r.host.refused_per_address); }},
    {connections_refused, "connections_per_ip6_48", [](const R& r) { return value(r.host.refused_per_ip6_48); }},
    {connections_refused, "address_rate", [](const R& r) { return value(r.host.refused_address_rate); }},
    {connections_refused, "ip6_48_rate", [](const R& r) { return value(r.host.refused_ip6_48_rate); }},
    {connections_refused, "connections_per_peer",
     [](const R& r) { return value(r.host.refused_connections_per_peer); }},
    {connections_refused, "pending_dials", [](const R& r) { return value(r.host.refused_pending_dials); }},
    {connections_refused, "gater", [](const R& r) { return value(r.host.denied_by_gater); }},
    {evictions, "pending_inbound", [](const R& r) { return value(r.host.evicted_pending_inbound); }},
    {evictions, "inbound_connections", [](const R& r) { return value(r.host.evicted_inbound_connections); }},
    {evictions, "peerstore", [](const R& r) { return value(r.peerstore.evicted); }},
    {evictions, "unfinished_messages", [](const R& r) { return value(r.gossip.frames_evicted); }},
    {host_events, "handshake_delayed", [](const R& r) { return value(r.host.delayed_handshakes); }},
    {host_events, "closed_by_gater", [](const R& r) { return value(r.host.closed_by_gater); }},
    {host_events, "handshake_failed", [](const R& r) { return value(r.host.failed_handshakes); }},
    {host_events, "dial_failed", [](const R& r) { return value(r.host.failed_dials); }},
    {host_events, "dial_abandoned", [](const R& r) { return value(r.host.abandoned_dials); }},
    {host_events, "connection_trimmed", [](const R& r) { return value(r.host.trimmed); }},
    {host_events, "stream_reset_for_memory", [](const R& r) { return value(r.host.reset_for_memory); }},
    {peerstore_refused, "peers", [](const R& r) { return value(r.peerstore.refused_peers); }},
    {peerstore_refused, "bytes", [](const R& r) { return value(r.peerstore.refused_bytes); }},
    {identify_refused, "push", [](const R& r) { return value(r.identify.refused_pushes); }},
    {identify_refused, "request", [](const R& r) { return value(r.identify.refused_requests); }},
    // --- gossip ---
    {mesh_peers, "blocks_v1", [](const R& r) { return value(r.mesh[0]); }},
    {mesh_peers, "blocks_v2", [](const R& r) { return value(r.mesh[1]); }},
    {mesh_peers, "blocks_v3", [](const R& r) { return value(r.mesh[2]); }},
    {mesh_peers, "blocks_v4", [](const R& r) { return value(r.mesh[3]); }},
    {topic_peers, "blocks_v1", [](const R& r) { return value(r.topic_peers[0]); }},
    {topic_peers, "blocks_v2", [](const R& r) { return value(r.topic_peers[1]); }},
    {topic_peers, "blocks_v3", [](const R& r) { return value(r.topic_peers[2]); }},
    {topic_peers, "blocks_v4", [](const R& r) { return value(r.topic_peers[3]); }},
    {gossip_messages, "received", [](const R& r) { return value(r.router.messages_received); }},
    {gossip_messages, "duplicate", [](const R& r) { return value(r.router.duplicates); }},
    {gossip_messages, "delivered", [](const R& r) { return value(r.router.delivered); }},
    {gossip_messages, "relayed", [](const R& r) { return value(r.router.relayed); }},
    {gossip_messages, "rejected", [](const R& r) { return value(r.router.rejected); }},
    {gossip_messages, "ignored", [](const R& r) { return value(r.router.ignored); }},
    {gossip_messages, "throttled", [](const R& r) { return value(r.router.throttled); }},
    {gossip_messages, "unexpected_author", [](const R& r) { return value(r.router.unexpected_author); }},
    {gossip_messages, "missing_signature", [](const R& r) { return value(r.router.missing_signature); }},
    {gossip_messages, "invalid_signature", [](const R& r) { return value(r.router.invalid_signature); }},
    {gossip_messages, "too_large", [](const R& r) { return value(r.router.too_large); }},
    {gossip_messages, "self_origin", [](const R& r) { return value(r.router.self_origin); }},
    {gossip_messages, "author_blacklisted", [](const R& r) { return value(r.router.authors_blacklisted); }},
    {gossip_messages, "published", [](const R& r) { return value(r.router.published); }},
    {gossip_messages, "forwarded", [](const R& r) { return value(r.router.forwarded); }},
    {gossip_messages, "not_sent_unwanted", [](const R& r) { return value(r.router.suppressed_unwanted); }},
    {gossip_messages, "not_sent_partial", [](const R& r) { return value(r.router.suppressed_partial); }},
    {gossip_dropped, "rpc_graylisted", [](const R& r) { return value(r.router.rpcs_graylisted); }},
    {gossip_dropped, "rpc_blacklisted", [](const R& r) { return value(r.router.rpcs_blacklisted); }},
    {gossip_dropped, "not_subscribed", [](const R& r) { return value(r.router.dropped_not_subscribed); }},
    {gossip_dropped, "validation_full", [](const R& r) { return value(r.router.dropped_validation_full); }},
    {gossip_dropped, "refused_often", [](const R& r) { return value(r.router.dropped_refused_often); }},
    {gossip_dropped, "naming_budget", [](const R& r) { return value(r.router.dropped_naming_budget); }},
    {gossip_dropped, "outbox_forwarded", [](const R& r) { return value(r.router.dropped_outbox_forwarded); }},
    {gossip_dropped, "outbox_own", [](const R& r) { return value(r.router.dropped_outbox_own); }},
    {gossip_dropped, "outbox_partial", [](const R& r) { return value(r.router.dropped_outbox_partial); }},
    {gossip_dropped, "cache_bytes", [](const R& r) { return value(r.router.dropped_cache_bytes); }},
    {gossip_dropped, "seen_items", [](const R& r) { return value(r.router.dropped_seen_items); }},
    {gossip_dropped, "partial_not_enabled", [](const R& r) { return value(r.router.dropped_partial_not_enabled); }},
    {gossip_dropped, "partial_bounds", [](const R& r) { return value(r.router.dropped_partial_bounds); }},
    {gossip_dropped, "entries_beyond_bounds", [](const R& r) { return value(r.router.ignored_entries); }},
    {gossip_dropped, "frame_timed_out", [](const R& r) { return value(r.gossip.frames_timed_out); }},
    {gossip_dropped, "validation_timed_out", [](const R& r) { return value(r.gossip.validations_timed_out); }},
    {gossip_dropped, "dial_without_room", [](const R& r) { return value(r.gossip.dials_dropped); }},
    {gossip_dropped, "peer_record_refused", [](const R& r) { return value(r.gossip.records_refused); }},
    {gossip_dropped, "trouble_not_told", [](const R& r) { return value(r.gossip.troubles_not_told); }},
    {gossip_control, "iwant_sent", [](const R& r) { return value(r.router.iwant_sent); }},
    {gossip_control, "iwant_served", [](const R& r) { return value(r.router.iwant_served); }},
    {gossip_control, "idontwant_sent", [](const R& r) { return value(r.router.idontwant_sent); }},
    {gossip_control, "idontwant_received", [](const R& r) { return value(r.router.idontwant_received); }},
    {gossip_control, "peers_named", [](const R& r) { return value(r.router.peers_named); }},
    {gossip_control, "peers_taken", [](const R& r) { return value(r.router.peers_taken); }},
    {gossip_control, "peers_not_taken", [](const R& r) { return value(r.router.peers_not_taken); }},
    {gossip_control, "partials_received", [](const R& r) { return value(r.router.partials_received); }},
    {gossip_control, "partials_sent", [](const R& r) { return value(r.router.partials_sent); }},
    {gossip_control, "partials_invalid", [](const R& r) { return value(r.router.partials_invalid); }},
    {gossip_control, "partial_groups_ended", [](const R& r) { return value(r.router.partial_groups_ended); }},
    {gossip_control, "heartbeats", [](const R& r) { return value(r.router.heartbeats); }},
    {gossip_control, "dials", [](const R& r) { return value(r.gossip.dials); }},
    {gossip_table, "peers", [](const R& r) { return value(r.sizes.gossip.peers); }},
    {gossip_table, "topics", [](const R& r) { return value(r.sizes.gossip.topics); }},
    {gossip_table, "subscriptions", [](const R& r) { return value(r.sizes.gossip.subscriptions); }},
    {gossip_table, "mesh_links", [](const R& r) { return value(r.sizes.gossip.mesh_links); }},
    {gossip_table, "fanout_links", [](const R& r) { return value(r.sizes.gossip.fanout_links); }},
    {gossip_table, "backoffs", [](const R& r) { return value(r.sizes.gossip.backoffs); }},
    {gossip_table, "promises", [](const R& r) { return value(r.sizes.gossip.promises); }},
    {gossip_table, "seen", [](const R& r) { return value(r.sizes.gossip.seen); }},
    {gossip_table, "cached", [](const R& r) { return value(r.sizes.gossip.cached); }},
    {gossip_table, "refusers", [](const R& r) { return value(r.sizes.gossip.refusers); }},
    {gossip_table, "blacklisted", [](const R& r) { return value(r.sizes.gossip.blacklisted); }},
    {gossip_table, "partial_groups", [](const R& r) { return value(r.sizes.gossip.partial_groups); }},
    // --- what is blocked ---
    {blocked, "peer", [](const R& r) { return value(r.blocked_peers); }},
    {blocked, "ip", [](const R& r) { return value(r.blocked_ips); }},
    {blocked, "subnet", [](const R& r) { return value(r.blocked_subnets); }},
    // --- queues and memory ---
    {queue_items, "gossip_outbox", [](const R& r) { return value(r.sizes.gossip.outbox_items); }},
    {queue_items, "gossip_outbox_partials", [](const R& r) { return value(r.sizes.gossip.outbox_partials); }},
    {queue_items, "gossip_validation", [](const R& r) { return value(r.sizes.gossip.validating); }},
    {queue_items, "block_validation", [](const R& r) { return value(r.sizes.validating); }},
    {queue_items, "waiting_blocks", [](const R& r) { return value(r.sizes.waiting_blocks); }},
    {queue_items, "sync_requests", [](const R& r) { return value(r.sizes.requests); }},
    {queue_items, "served_requests", [](const R& r) { return value(r.sizes.serving); }},
    {queue_items, "own_blocks", [](const R& r) { return value(r.publishing); }},
    {queue_bytes, "gossip_outbox", [](const R& r) { return value(r.sizes.gossip.outbox_bytes); }},
    {queue_bytes, "gossip_cache", [](const R& r) { return value(r.sizes.gossip.cached_bytes); }},
    {queue_bytes, "gossip_validation", [](const R& r) { return value(r.sizes.gossip.validating_bytes); }},
    {queue_bytes, "gossip_partials", [](const R& r) { return value(r.sizes.gossip.partial_bytes); }},
    {queue_bytes, "gossip_sending", [](const R& r) { return value(r.sizes.gossip_sending); }},
    {queue_bytes, "gossip_receiving", [](const R& r) { return value(r.sizes.gossip_receiving); }},
    {queue_bytes, "waiting_blocks", [](const R& r) { return value(r.sizes.waiting_bytes); }},
    {queue_bytes, "sync_blocks", [](const R& r) { return value(r.sizes.sync_bytes); }},
    {queue_bytes, "served_blocks", [](const R& r) { return value(r.sizes.serving_bytes); }},
    {stranger_memory, "", [](const R& r) { return value(r.stranger_memory); }},
    {stranger_memory_limit, "", [](const R& r) { return value(r.stranger_memory_limit); }},
};

}  // namespace

std::span<const NodeMirror> node_mirrors() { return kMirrors; }

}  // namespace opp2p
