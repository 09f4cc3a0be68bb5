// How the block store writes a block: fixed fields, a checksum, then the body. Formats 1 and 2 of the store have the
// same records. Pure functions. Thread: any. Bounds: a record is its block's body and 77 bytes.
#pragma once

#include "opp2p/store/stored_block.hpp"

namespace opp2p {

// hash 32 | parent 32 | timestamp u64 | version u8, and 128 where the body is framed, 64 where there is none | CRC-32C
// of all else u32 | body. Little-endian integers.
inline constexpr std::size_t kRecordHead = 77;

std::size_t record_size(const StoredBlock& block);
// Into `out`, which is record_size() long: the database gives the place, so that a block is copied once.
void write_record(const StoredBlock& block, libp2p::MutableBytes out);
// Errc::malformed when the checksum does not fit: the disk has lied. `with_body` false leaves the body out (and
// unchecked).
Result<StoredBlock> decode_record(std::uint64_t number, ByteView record, bool with_body = true);

}  // namespace opp2p
