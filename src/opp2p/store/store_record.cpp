#include "opp2p/store/store_record.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/base/crc32c.hpp"
#include "opp2p/store/chain_tables.hpp"
#include "opstack/encoding/snappy_frame.hpp"
#include "opstack/sync/wire/codec.hpp"

namespace opp2p {
namespace {

constexpr std::size_t kVersionAt = 72;
constexpr std::size_t kChecksumAt = 73;

std::uint32_t checksum(ByteView record) {
  return libp2p::crc32c(record.first(kChecksumAt)) ^ libp2p::crc32c(record.subspan(kRecordHead));
}

Error damaged(std::uint64_t number, std::string_view what) {
  return Error(Errc::malformed,
               "the stored record of block " + std::to_string(number) + " is damaged: " + std::string(what));
}

}  // namespace

StoredBlock::StoredBlock(const opstack::payload::Block& block)
    : number(block.number()),
      hash(block.hash()),
      parent_hash(block.parent_hash()),
      timestamp(block.payload().timestamp),
      version(block.version),
      body(block.body),
      header(block.header),
      envelope(block.header ? nullptr : block.envelope) {}

std::size_t StoredBlock::memory_bytes() const {
  const std::size_t decoded = envelope ? 1000 + envelope->payload.transactions.memory_bytes(body.owner()) : 0;
  return body.memory_bytes() + (header ? header->capacity() : 0) + decoded;
}

StoredBlock framed(StoredBlock block) {
  if (block.bodiless || std::exchange(block.framed, true)) return block;
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

StoredBlock with_header(StoredBlock block) {
  if (block.header || !block.envelope) return block;
  const auto& transactions = block.envelope->payload.transactions;
  block.header = libp2p::share(
      opstack::payload::encode_header(*block.envelope, opstack::payload::transactions_root(transactions)));
  return block;
}

std::size_t record_size(const StoredBlock& block) { return kRecordHead + block.body.size(); }

void write_record(const StoredBlock& block, libp2p::MutableBytes out) {
  std::copy(block.hash.begin(), block.hash.end(), out.begin());
  std::copy(block.parent_hash.begin(), block.parent_hash.end(), out.begin() + 32);
  libp2p::store_le64(out.data() + 64, block.timestamp);
  out[kVersionAt] = version_byte(block);
  std::copy(block.body.begin(), block.body.end(), out.begin() + kRecordHead);
  libp2p::store_le32(out.data() + kChecksumAt, checksum(out));
}

Result<StoredBlock> decode_record(std::uint64_t number, ByteView record, bool with_body) {
  if (record.size() < kRecordHead) return damaged(number, "it is shorter than its head");
  StoredBlock out;
  if (!read_version(record[kVersionAt], out.version, out.framed, out.bodiless))
    return damaged(number, "it names no payload version");
  if (out.bodiless && record.size() != kRecordHead) return damaged(number, "it has a body that it says it has not");
  if (with_body && checksum(record) != libp2p::load_le32(record.data() + kChecksumAt))
    return damaged(number, "its checksum does not fit");
  out.number = number;
  std::copy_n(record.begin(), 32, out.hash.begin());
  std::copy_n(record.begin() + 32, 32, out.parent_hash.begin());
  out.timestamp = libp2p::load_le64(record.data() + 64);
  if (with_body) out.body = libp2p::share(libp2p::to_bytes(record.subspan(kRecordHead)));
  return out;
}

}  // namespace opp2p
