// What moves through the sync code: a block with its bytes as they were gossiped (the store keeps and serves them
// without encoding anything again), and a reference to a block by number and hashes. Plain values, shared without
// copies. Thread: any. Bounds: memory_bytes() is what queues count.
#pragma once

#include <memory>
#include <string>

#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "opstack/payload/payload.hpp"

namespace opstack::sync {

using libp2p::Bytes;
using libp2p::ByteView;
using libp2p::Errc;
using libp2p::Error;
using libp2p::MonoTime;
using libp2p::Nanos;
using libp2p::Now;
using libp2p::PeerId;
using libp2p::Result;
using libp2p::SharedBytes;
using payload::Hash;

struct BlockRef {
  std::uint64_t number = 0;
  Hash hash{};
  Hash parent_hash{};
  friend bool operator==(const BlockRef&, const BlockRef&) = default;
};

struct Block {
  payload::Version version = payload::Version::v1;
  payload::SharedEnvelope envelope;
  SharedBytes body;  // beacon root (V3, V4) and payload SSZ: what a signature covers and payload_by_number sends

  Block() = default;
  Block(payload::Version v, payload::SharedEnvelope e, SharedBytes b)
      : version(v), envelope(std::move(e)), body(std::move(b)) {}

  const payload::ExecutionPayload& payload() const { return envelope->payload; }
  std::uint64_t number() const { return envelope->payload.block_number; }
  const Hash& hash() const { return envelope->payload.block_hash; }
  const Hash& parent_hash() const { return envelope->payload.parent_hash; }
  BlockRef ref() const { return {number(), hash(), parent_hash()}; }
  // What the block costs in memory: 1000 bytes for fields and tables, its bytes, and each transaction with 24 bytes
  // around it.
  std::size_t memory_bytes() const;
};

// The block of an envelope whose bytes are not at hand.
Block make_block(payload::Version version, payload::SharedEnvelope envelope);
// The block that `body` decodes to.
Result<Block> decode_block(payload::Version version, SharedBytes body);

// A block that was linked to the trusted end of a range and waits on disk for the rest, with the peer that sent it.
struct StagedBlock {
  PeerId peer;
  Block block;
  StagedBlock() = default;
  StagedBlock(PeerId p, Block b) : peer(std::move(p)), block(std::move(b)) {}
};

}  // namespace opstack::sync
