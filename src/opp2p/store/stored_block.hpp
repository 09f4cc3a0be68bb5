// A block as the block store takes it and gives it back, with the names that the store uses of others. A plain value;
// copies share its bytes. Thread: any. Bounds: those of its body.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "opstack/payload/block.hpp"

namespace opp2p {

using libp2p::Bytes;
using libp2p::ByteView;
using libp2p::Errc;
using libp2p::Error;
using libp2p::Result;
using libp2p::SharedBytes;
using opstack::payload::BlockRef;
using opstack::payload::Hash;
using opstack::payload::Version;

struct StoredBlock {
  std::uint64_t number = 0;
  Hash hash{};
  Hash parent_hash{};
  std::uint64_t timestamp = 0;  // seconds since 1970
  Version version = Version::v1;
  bool framed = false;    // whether `body` is compressed: the snappy frames that payload_by_number sends of it
  bool bodiless = false;  // only its place in the chain is known: genesis, where the node starts there
  libp2p::SharedSlice body;
  SharedBytes header;  // the RLP that `hash` is the Keccak-256 of; null where nobody has made it
  // What the body decodes to. Only of a block that is on its way into the store, which makes the header of it.
  opstack::payload::SharedEnvelope envelope;

  StoredBlock() = default;
  explicit StoredBlock(const opstack::payload::Block& block);

  BlockRef ref() const { return {number, hash, parent_hash}; }
  // What it keeps in memory, as opstack::payload::Block counts it.
  std::size_t memory_bytes() const;
};

// The same block with its body compressed, and not. Errc::malformed for frames that are none.
StoredBlock framed(StoredBlock block);
Result<StoredBlock> unframed(StoredBlock block);
// The same block with its header, if it has its envelope. This hashes all transactions.
StoredBlock with_header(StoredBlock block);

}  // namespace opp2p
