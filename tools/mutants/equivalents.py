"""Changes that nothing can tell from the code as it stands, each with the reason: (file, expression, changed): why."""

EQUIVALENTS = {
    ("src/opstack/sync/engine/sync_scheduler_check.cpp",
     "std::is_sorted(peers.begin(), peers.end()) && std::adjacent_find(peers.begin(), peers.end()) == peers.end()",
     "std::is_sorted(peers.begin(), peers.end()) && std::adjacent_find(peers.begin(), peers.end()) != peers.end()"):
        "an invariant that check() asserts, and assertions are off",
    ("src/opstack/sync/engine/chain_view.hpp", "true", "false"):
        "who leaves it out moves to a canonical block, which is joined",
    ("src/opstack/sync/engine/unsafe_chain_load.cpp", "arrival(*a) < arrival(*b)", "arrival(*a) <= arrival(*b)"):
        "blocks that arrived in the same nanosecond are in no order",
    ("src/opstack/sync/engine/unsafe_chain_store.cpp", "kept.extends_head && !stored_head_", "kept.extends_head || !stored_head_"):
        "nothing waits to be given again once there is a head",
    ("src/opp2p/store/chain_reader.cpp", "number > 0", "number >= 0"):
        "looks for a block of the highest number, whose hash is that of the parent of block 0",
    ("src/libp2p/protocols/gossipsub/backoffs.cpp", "a.second < b.second", "a.second <= b.second"):
        "of two that end at the same time either may go",
    ("src/libp2p/runtime/asio/dns_channel.cpp", "cancelled || !core || core->channel == nullptr",
     "cancelled || !core && core->channel == nullptr"):
        "shows only when the timer has expired in the very turn in which its look-up ends: no test can time that",
    ("src/libp2p/crypto/keccak_permutation.cpp", '__builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")',
     '__builtin_cpu_supports("bmi") || __builtin_cpu_supports("bmi2")'):
        "a processor that has one and not the other is not at hand",
    ("src/opp2p/node/node_snapshots.cpp", "out.protocols->size() > kMaxPeerProtocols", "out.protocols->size() >= kMaxPeerProtocols"):
        "cutting to the size that is there changes nothing",
    ("src/libp2p/base/crc32c.cpp", "left >= 8", "left > 8"):
        "the last eight bytes go one by one instead, to the same sum",
    ("src/opstack/encoding/ordered_trie.cpp", "16 * 33 + 1", "16 * 33 - 1"):
        "a full branch writes two bytes behind the array; AddressSanitizer sees it (./test address)",
    ("src/opstack/sync/drive/follower.cpp",
     "elapsed > rollup.genesis.l2_time && elapsed - rollup.genesis.l2_time > limit",
     "elapsed >= rollup.genesis.l2_time && elapsed - rollup.genesis.l2_time > limit"):
        "at the same second nothing has passed, which is within every limit",
    ("src/libp2p/crypto/keccak_many.cpp", "lane.taken >= head && lane.taken - head + kRate <= message.tail.size()",
     "lane.taken >= head && lane.taken - head + kRate < message.tail.size()"):
        "a last block that lies whole in the message is copied instead of read in place",
    ("src/opp2p/node/node.cpp", "true", "false"):
        "only assertions read whether the node has been started",
    ("src/libp2p/runtime/asio/dns_channel.cpp", "true", "false"):
        "shows only when a socket has become ready in the very turn in which c-ares closes it: no test can time that",
    ("src/libp2p/services/gossipsub/unfinished_frames.cpp", "rank(a) > rank(b)", "rank(a) >= rank(b)"):
        "they are different there",
    ("src/libp2p/connection/socket_connection.cpp", "delay <= Nanos(0)", "delay < Nanos(0)"):
        "a delay of nothing ends in the same instant, one turn later",
    ("src/libp2p/connection/stream_state.cpp", "buffer.capacity() > kKeep", "buffer.capacity() >= kKeep"):
        "whether a buffer of just that size is used again costs nothing that a test sees",
    ("src/libp2p/host/swarm.hpp", "connections_.size() - admission_.half_open() - pending_outbound_",
     "connections_.size() + admission_.half_open() - pending_outbound_"):
        "only decides whether the trimmer looks, which counts for itself",
    ("src/libp2p/runtime/asio/asio_runtime.cpp", "*state->deadline > mono_now()", "*state->deadline >= mono_now()"):
        "at just that nanosecond the timer waits for one turn more",
    ("src/opstack/encoding/snappy_block.cpp", "i < pairs", "i <= pairs"):
        "looks at two bytes more, and behind the block at its end, which AddressSanitizer sees",
    ("src/opstack/encoding/snappy_frame.cpp",
     "out.size() + 10 + data.size() + 8 * chunks + kSnappyMaxChunkContents / 6 + 64",
     "out.size() - 10 + data.size() + 8 * chunks + kSnappyMaxChunkContents / 6 + 64"):
        "room for twenty bytes less is reserved at first",
    ("src/libp2p/multiformats/peer_id.cpp", "message.size() <= kMaxInlineKey", "message.size() < kMaxInlineKey"):
        "no kind of key has a message of just that length",
    ("src/opstack/chain/rollup_config.cpp", "blocks > last - genesis.l2.number", "blocks >= last - genesis.l2.number"):
        "at the bound the sum is the bound",
    ("src/opstack/chain/rollup_config_json.cpp", "!code && read == text.size()", "!code || read == text.size()"):
        "a parser that has failed fails again, and what follows a whole document is an error either way",
    ("src/libp2p/protocols/gossipsub/admission.hpp", "items_.held(key) > 0 && bytes_.held(key) > 0",
     "items_.held(key) > 0 || bytes_.held(key) > 0"):
        "only assertions and check() ask",
    ("src/libp2p/runtime/asio/asio_runtime.cpp", "!came && !context.stopped() && looked - idle_since < spin.window()",
     "!came && !context.stopped() && looked - idle_since <= spin.window()"):
        "at just that nanosecond the loop looks once more",
    ("src/opp2p/base/output.cpp", "terminal_ >= 0", "terminal_ > 0"):
        "the program holds descriptors 0 to 2, so that no other file gets them",
    ("src/libp2p/connection/stream_state.cpp", "taken > 64 * 1024 && taken > buffer.size() / 2",
     "taken > 64 * 1024 && taken >= buffer.size() / 2"):
        "when the rest is moved to the front is not seen from outside",
    ("src/libp2p/protocols/gossipsub/router_heartbeat.cpp", "cached_score(key, scores) < threshold",
     "cached_score(key, scores) <= threshold"):
        "who is taken out with just that score may be chosen again at once",
    ("src/opstack/encoding/ordered_trie.cpp", "size + 4", "size - 4"):
        "eight bytes less are reserved at first",
    ("src/libp2p/crypto/keccak_round.hpp", "Row * 5 + 0", "Row * 5 - 0"):
        "the same number",
    ("src/libp2p/connection/stream_table.cpp", "needed() < unread_taken_", "needed() <= unread_taken_"):
        "nothing is given back where nothing is left over",
    ("src/opstack/gossip/subscriber.cpp", "false", "true"):
        "leaving a topic twice does nothing",
    ("src/opstack/sync/engine/sync_scheduler_plan.cpp", "now.mono + Millis(1)", "now.mono - Millis(1)"):
        "a peer that is free again within a millisecond is looked at a millisecond sooner",
    ("src/libp2p/protocols/gossipsub/outbox.hpp", "false", "true"):
        "each change that is made says which it is",
    ("src/libp2p/base/protobuf.cpp", "i < in.size() && i < kMaxUvarintSize", "i <= in.size() && i < kMaxUvarintSize"):
        "a number that ends behind the message makes its field longer than the message, which is refused too",
    ("src/libp2p/crypto/keccak_many.cpp", "messages.size() < kWorthIt && alone", "messages.size() <= kWorthIt && alone"):
        "three messages are hashed one after the other, to the same hashes",
    ("src/opp2p/rpc/http_session.cpp",
     "error || self->ended_ || self->phase_ != HttpPhase::working || self->number_ != number",
     "error || self->ended_ && self->phase_ != HttpPhase::working || self->number_ != number"):
        "a session that has ended has no place, and a place forgets the end of its client when its next phase begins",
    ("src/opp2p/rpc/http_server.cpp", "memory.used() > memory.limit() / 4 * 3", "memory.used() >= memory.limit() / 4 * 3"):
        "at just three quarters a client that takes nothing is closed one byte earlier",
    ("src/opstack/sync/engine/sync_scheduler.cpp", "number >= work.lowest || !peers_.contains(peer)",
     "number > work.lowest || !peers_.contains(peer)"):
        "who was asked for a block that is there is forgotten with its height",
    ("src/opstack/sync/engine/sync_scheduler_plan.cpp",
     "work.lowest > 0 && !work.unfillable && !asked_.contains({id, work.due()})",
     "work.lowest >= 0 && !work.unfillable && !asked_.contains({id, work.due()})"):
        "no gap reaches down to block 0: its floor is above genesis",
    ("src/opstack/sync/engine/block_tree.cpp",
     "number <= gone.ref.number || !lost.contains({number - 1, at->second.block.ref.parent_hash})",
     "number <= gone.ref.number && !lost.contains({number - 1, at->second.block.ref.parent_hash})"):
        "blocks of other branches are taken out too, and put back where they were",
    ("src/opstack/sync/engine/unsafe_chain_store.cpp", "forks_.size() <= kMostForks", "forks_.size() < kMostForks"):
        "one fork less is kept apart, and its number with the next one",
    ("src/opp2p/store/lmdb_migration.cpp", "next_ && needed_ + cost > room", "next_ && needed_ + cost >= room"):
        "a block that just fits is left behind, which the budget would prune with the next one",
    ("src/libp2p/storage/lmdb/lmdb_file.cpp", "touched_.fetch_add(bytes) + bytes < kMappedAtMost",
     "touched_.fetch_add(bytes) + bytes <= kMappedAtMost"):
        "pages are given back one byte later",
    ("src/libp2p/storage/lmdb/folder_lock.cpp", "file_ >= 0", "file_ > 0"):
        "the program holds descriptors 0 to 2, so that no other file gets them",
}
