"""Changes that nothing can tell from the code as it stands, each with the reason: (file, expression, changed): why."""

EQUIVALENTS = {
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
    ("src/opstack/encoding/crc32c.cpp", "left >= 8", "left > 8"):
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
}
