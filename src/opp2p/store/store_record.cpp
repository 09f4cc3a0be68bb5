#include "opp2p/store/store_record.hpp"

#include <algorithm>
#include <utility>

#include "opstack/encoding/crc32c.hpp"
#include "opstack/encoding/snappy_frame.hpp"
#include "opstack/sync/wire/codec.hpp"

namespace opp2p {
namespace {

constexpr std::size_t kVersionAt = 72;
constexpr std::uint8_t kFramed = 0x80;
constexpr std::size_t kChecksumAt = 73;

std::uint32_t checksum(ByteView record) {
  return opstack::encoding::crc32c(record.first(kChecksumAt)) ^ opstack::encoding::crc32c(record.subspan(kRecordHead));
}

Error damaged(std::uint64_t number, std::string_view what) {
  return Error(Errc::malformed,
               "the stored record of block " + std::to_string(number) + " is damaged: " + std::string(what));
}

}  // namespace

StoredBlock::StoredBlock(const opstack::sync::Block& block)
    : number(block.number()),
      hash(block.hash()),
      parent_hash(block.parent_hash()),
      timestamp(block.payload().timestamp),
      version(block.version),
      body(block.body) {}

StoredBlock framed(StoredBlock block) {
  if (std::exchange(block.framed, true)) return block;
  block.body = libp2p::share(opstack::encoding::snappy_frame_encode(block.body));
  return block;
}

Result<StoredBlock> unframed(StoredBlock block) {
  if (!std::exchange(block.framed, false)) return block;
  // Frames are made of bodies that somebody could be sent.
  auto body = opstack::encoding::snappy_frame_decode(block.body, opstack::sync::wire::kMaxDecompressed);
  if (!body) return damaged(block.number, body.error().text());
  block.body = libp2p::share(std::move(*body));
  return block;
}

Error no_room_to_stage(std::uint64_t number, std::uint64_t used, std::uint64_t budget) {
  return Error(Errc::exhausted, "block " + std::to_string(number) + " cannot be staged: the block store would use " +
                                    std::to_string(used) + " bytes and may use " + std::to_string(budget) +
                                    ", and what is staged is nearer to the chain. The gap is filled in several turns; "
                                    "raise --store.max-size to fill it in one");
}

std::size_t record_size(const StoredBlock& block) { return kRecordHead + block.body.size(); }

void write_record(const StoredBlock& block, libp2p::MutableBytes out) {
  std::copy(block.hash.begin(), block.hash.end(), out.begin());
  std::copy(block.parent_hash.begin(), block.parent_hash.end(), out.begin() + 32);
  libp2p::store_le64(out.data() + 64, block.timestamp);
  out[kVersionAt] = static_cast<std::uint8_t>(static_cast<std::uint8_t>(block.version) | (block.framed ? kFramed : 0));
  std::copy(block.body.begin(), block.body.end(), out.begin() + kRecordHead);
  libp2p::store_le32(out.data() + kChecksumAt, checksum(out));
}

Result<StoredBlock> decode_record(std::uint64_t number, ByteView record, bool with_body) {
  if (record.size() < kRecordHead) return damaged(number, "it is shorter than its head");
  const std::uint8_t version = record[kVersionAt] & ~kFramed;
  if (version < 1 || version > 4) return damaged(number, "it names no payload version");
  if (with_body && checksum(record) != libp2p::load_le32(record.data() + kChecksumAt))
    return damaged(number, "its checksum does not fit");
  StoredBlock out;
  out.number = number;
  std::copy_n(record.begin(), 32, out.hash.begin());
  std::copy_n(record.begin() + 32, 32, out.parent_hash.begin());
  out.timestamp = libp2p::load_le64(record.data() + 64);
  out.version = static_cast<Version>(version);
  out.framed = (record[kVersionAt] & kFramed) != 0;
  if (with_body) out.body = libp2p::share(libp2p::to_bytes(record.subspan(kRecordHead)));
  return out;
}

std::size_t staged_size(const StagedRecord& staged) { return 2 + staged.peer.size() + record_size(staged.block); }

void write_staged(const StagedRecord& staged, libp2p::MutableBytes out) {
  out[0] = static_cast<std::uint8_t>(staged.peer.size());
  out[1] = static_cast<std::uint8_t>(staged.peer.size() >> 8);
  std::copy(staged.peer.begin(), staged.peer.end(), out.begin() + 2);
  write_record(staged.block, out.subspan(2 + staged.peer.size()));
}

Result<StagedRecord> decode_staged(std::uint64_t number, ByteView record) {
  if (record.size() < 2) return damaged(number, "it is shorter than its head");
  const std::size_t peer = std::size_t{record[0]} | std::size_t{record[1]} << 8;
  if (record.size() < 2 + peer) return damaged(number, "it ends within the peer's id");
  StagedRecord out;
  out.peer = libp2p::to_bytes(record.subspan(2, peer));
  OPP2P_TRY(out.block, decode_record(number, record.subspan(2 + peer)));
  return out;
}

libp2p::ByteArray<8> number_key(std::uint64_t number) {
  libp2p::ByteArray<8> key;
  libp2p::store_be64(key.data(), number);
  return key;
}

libp2p::ByteArray<16> staged_key(std::uint64_t segment, std::uint64_t number) {
  libp2p::ByteArray<16> key;
  libp2p::store_be64(key.data(), segment);
  libp2p::store_be64(key.data() + 8, number);
  return key;
}

}  // namespace opp2p
