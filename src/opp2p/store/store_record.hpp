// How the block store writes a block: fixed fields, a checksum, then the body; and its keys, big-endian so that byte
// order is the order of numbers. Pure functions. Thread: any. Bounds: a record is its block's body and 77 bytes.
#pragma once

#include "opp2p/store/block_store.hpp"

namespace opp2p {

// hash 32 | parent 32 | timestamp u64 | version u8, and 128 where the body is framed | CRC-32C of all else u32 | body.
// Little-endian integers.
inline constexpr std::size_t kRecordHead = 77;

std::size_t record_size(const StoredBlock& block);
// Into `out`, which is record_size() long: the database gives the place, so that a block is copied once.
void write_record(const StoredBlock& block, libp2p::MutableBytes out);
// Errc::malformed when the checksum does not fit: the disk has lied. `with_body` false leaves the body out (and
// unchecked).
Result<StoredBlock> decode_record(std::uint64_t number, ByteView record, bool with_body = true);

// peer id length u16 | peer id | record
std::size_t staged_size(const StagedRecord& staged);
void write_staged(const StagedRecord& staged, libp2p::MutableBytes out);
Result<StagedRecord> decode_staged(std::uint64_t number, ByteView record);

libp2p::ByteArray<8> number_key(std::uint64_t number);
libp2p::ByteArray<16> staged_key(std::uint64_t segment, std::uint64_t number);

}  // namespace opp2p
