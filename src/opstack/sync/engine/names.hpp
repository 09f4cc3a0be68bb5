// The names that the sync code uses of libp2p/base and payload/block.hpp.
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

// Whether `child` names this block as its parent, and is the next above it.
inline bool is_parent(const BlockRef& parent, const BlockRef& child) {
  return child.number > 0 && child.number - 1 == parent.number && child.parent_hash == parent.hash;
}

// For unordered tables of blocks: the first bytes of a block's hash are as good as any hash of it.
struct FirstBytes {
  std::size_t operator()(const Hash& hash) const { return static_cast<std::size_t>(libp2p::load_le64(hash.data())); }
};

}  // namespace opstack::sync
