// A block with its bytes. The bytes are those that it was decoded from: a slice of the message or the answer that
// brought it. The store writes them and the sync server sends them as they are, so a block that came from a peer is
// never encoded again.
//
// A plain value; copies share the envelope and the bytes. Thread: any. Bounds: memory_bytes() is what queues count.
// Source: specs/protocol/rollup-node-p2p.md, "Block encoding".
#pragma once

#include <utility>

#include "libp2p/base/shared_slice.hpp"
#include "opstack/payload/payload.hpp"

namespace opstack::payload {

struct BlockRef {
  std::uint64_t number = 0;
  Hash hash{};
  Hash parent_hash{};
  friend bool operator==(const BlockRef&, const BlockRef&) = default;
};

struct Block {
  Version version = Version::v1;
  SharedEnvelope envelope;
  SharedSlice body;    // beacon root (V3, V4) and payload SSZ: what a signature covers and payload_by_number sends
  SharedBytes header;  // RLP, of who has computed the block's hash; null otherwise

  Block() = default;
  Block(Version v, SharedEnvelope e, SharedSlice b) : version(v), envelope(std::move(e)), body(std::move(b)) {}

  const ExecutionPayload& payload() const { return envelope->payload; }
  std::uint64_t number() const { return envelope->payload.block_number; }
  const Hash& hash() const { return envelope->payload.block_hash; }
  const Hash& parent_hash() const { return envelope->payload.parent_hash; }
  BlockRef ref() const { return {number(), hash(), parent_hash()}; }
  // What the block costs in memory: 1000 bytes for fields and tables, all bytes that its body keeps alive, 16 bytes for
  // each transaction, and the transactions' own bytes where they do not lie in those of the body.
  std::size_t memory_bytes() const;
};

// The block that `body` decodes to. It keeps `body`.
Result<Block> decode_block(Version version, SharedSlice body);
// The block of an envelope that came without its bytes (JSON, a builder of blocks), which are encoded here.
Block encode_block(Version version, SharedEnvelope envelope);

}  // namespace opstack::payload
