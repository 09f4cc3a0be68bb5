// StagedBlock, and the names that the sync code uses of payload/block.hpp. Plain values; copies of a block share its
// bytes. Thread: any. Bounds: Block::memory_bytes() is what queues count.
#pragma once

#include <memory>
#include <string>

#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "opstack/payload/block.hpp"

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
using payload::Block;
using payload::BlockRef;
using payload::Hash;

// A block that was linked to the trusted end of a range and waits on disk for the rest, with the peer that sent it.
struct StagedBlock {
  PeerId peer;
  Block block;
  StagedBlock() = default;
  StagedBlock(PeerId p, Block b) : peer(std::move(p)), block(std::move(b)) {}
};

}  // namespace opstack::sync
