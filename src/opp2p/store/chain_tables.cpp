#include "opp2p/store/chain_tables.hpp"

#include <algorithm>

#include "opp2p/store/store_record.hpp"

namespace opp2p {
namespace {

constexpr std::uint8_t kFramed = 0x80;
constexpr std::uint8_t kBodiless = 0x40;
constexpr std::size_t kSignature = std::tuple_size_v<opstack::rules::Signature>;
constexpr std::size_t kAddress = std::tuple_size_v<opstack::rules::Address>;
constexpr std::size_t kAttestation = kSignature + kAddress + 4 + 8;

Error damaged(Table table) {
  return Error(Errc::malformed, std::string("an entry of the table ") + table_name(table) + " is damaged");
}

std::uint64_t nanos(UnixTime time) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.time_since_epoch().count()));
}

UnixTime from_nanos(std::uint64_t value) { return UnixTime(libp2p::Nanos(static_cast<std::int64_t>(value))); }

template <std::size_t N>
libp2p::ByteArray<N> array_at(const std::uint8_t* at) {
  libp2p::ByteArray<N> out;
  std::copy_n(at, N, out.begin());
  return out;
}

}  // namespace

const char* table_name(Table table) {
  constexpr std::array<const char*, kTables> kNames = {"meta",        "headers",  "signatures", "canonical",
                                                       "hashes",      "segments", "waiting",    "orphans",
                                                       "orphan_ages", "eras",     "denied"};
  return kNames[static_cast<std::size_t>(table)];
}

NumberKey number_key(std::uint64_t number) {
  NumberKey key;
  libp2p::store_be64(key.data(), number);
  return key;
}

BlockKey block_key(const BlockName& name) {
  BlockKey key;
  libp2p::store_be64(key.data(), name.number);
  std::copy(name.hash.begin(), name.hash.end(), key.begin() + 8);
  return key;
}

AgeKey age_key(UnixTime since, const BlockName& name) {
  AgeKey key;
  libp2p::store_be64(key.data(), nanos(since));
  const BlockKey block = block_key(name);
  std::copy(block.begin(), block.end(), key.begin() + 8);
  return key;
}

std::uint8_t version_byte(const StoredBlock& block) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(block.version) | (block.framed ? kFramed : 0U) |
                                   (block.bodiless ? kBodiless : 0U));
}

bool read_version(std::uint8_t byte, Version& version, bool& framed, bool& bodiless) {
  const auto number = static_cast<std::uint8_t>(byte & ~(kFramed | kBodiless));
  framed = (byte & kFramed) != 0;
  bodiless = (byte & kBodiless) != 0;
  if (number < 1 || number > 4 || (framed && bodiless)) return false;
  version = static_cast<Version>(number);
  return true;
}

Bytes encode_block_entry(const StoredBlock& block) {
  Bytes out(kBlockEntry);
  std::copy(block.parent_hash.begin(), block.parent_hash.end(), out.begin());
  libp2p::store_le64(out.data() + 32, block.timestamp);
  out[40] = version_byte(block);
  libp2p::store_le64(out.data() + 41, cost_of(block));
  if (block.header) libp2p::append(out, *block.header);
  return out;
}

libp2p::ByteArray<9> encode_orphan(const OrphanEntry& orphan) {
  libp2p::ByteArray<9> out;
  libp2p::store_le64(out.data(), nanos(orphan.since));
  out[8] = static_cast<std::uint8_t>(orphan.reason);
  return out;
}

Bytes encode_attestation(const Attestation& attestation) {
  Bytes out(kAttestation);
  std::copy(attestation.signature.begin(), attestation.signature.end(), out.begin());
  std::copy(attestation.signer.begin(), attestation.signer.end(), out.begin() + kSignature);
  libp2p::store_le32(out.data() + kSignature + kAddress, attestation.era);
  libp2p::store_le64(out.data() + kSignature + kAddress + 4, nanos(attestation.arrived));
  return out;
}

Bytes encode_era(const EraRecord& era) {
  Bytes out(kAddress + 8);
  std::copy(era.signer.begin(), era.signer.end(), out.begin());
  libp2p::store_le64(out.data() + kAddress, nanos(era.opened));
  return out;
}

Result<std::uint64_t> read_number(ByteView bytes) {
  if (bytes.size() != 8) return damaged(Table::canonical);
  return libp2p::load_be64(bytes.data());
}

Result<Hash> read_hash(ByteView bytes) {
  if (bytes.size() != 32) return damaged(Table::canonical);
  return array_at<32>(bytes.data());
}

Result<BlockName> read_block_key(ByteView key) {
  if (key.size() != 40) return damaged(Table::headers);
  return BlockName{libp2p::load_be64(key.data()), array_at<32>(key.data() + 8)};
}

Result<std::pair<UnixTime, BlockName>> read_age_key(ByteView key) {
  if (key.size() != 48) return damaged(Table::orphan_ages);
  return std::pair(from_nanos(libp2p::load_be64(key.data())),
                   BlockName{libp2p::load_be64(key.data() + 8), array_at<32>(key.data() + 16)});
}

Result<BlockEntry> read_block_entry(ByteView value) {
  BlockEntry out;
  if (value.size() < kBlockEntry || !read_version(value[40], out.version, out.framed, out.bodiless))
    return damaged(Table::headers);
  out.parent_hash = array_at<32>(value.data());
  out.timestamp = libp2p::load_le64(value.data() + 32);
  out.cost = libp2p::load_le64(value.data() + 41);
  return out;
}

ByteView header_of_entry(ByteView value) { return value.subspan(kBlockEntry); }

Result<OrphanEntry> read_orphan(ByteView value) {
  if (value.size() != 9 || value[8] < 1 || value[8] > 5) return damaged(Table::orphans);
  return OrphanEntry{from_nanos(libp2p::load_le64(value.data())), static_cast<OrphanReason>(value[8])};
}

Result<Attestation> read_attestation(ByteView value) {
  if (value.size() != kAttestation) return damaged(Table::signatures);
  Attestation out;
  out.signature = array_at<kSignature>(value.data());
  out.signer = array_at<kAddress>(value.data() + kSignature);
  out.era = libp2p::load_le32(value.data() + kSignature + kAddress);
  out.arrived = from_nanos(libp2p::load_le64(value.data() + kSignature + kAddress + 4));
  return out;
}

Result<EraRecord> read_era(ByteView key, ByteView value) {
  if (key.size() != 4 || value.size() != kAddress + 8) return damaged(Table::eras);
  EraRecord out;
  out.era = libp2p::load_be32(key.data());
  out.signer = array_at<kAddress>(value.data());
  out.opened = from_nanos(libp2p::load_le64(value.data() + kAddress));
  return out;
}

libp2p::ByteArray<16> encode_costs(const ChainCosts& costs) {
  libp2p::ByteArray<16> out;
  libp2p::store_le64(out.data(), costs.canonical);
  libp2p::store_le64(out.data() + 8, costs.others);
  return out;
}

Result<ChainCosts> read_costs(ByteView value) {
  if (value.size() != 16) return damaged(Table::meta);
  return ChainCosts{libp2p::load_le64(value.data()), libp2p::load_le64(value.data() + 8)};
}

std::uint64_t cost_of(std::size_t record_size, std::size_t header_size) {
  constexpr std::uint64_t kPage = 4096;
  constexpr std::uint64_t kPageHead = 16;
  constexpr std::uint64_t kInPage = 2000;  // a larger value has pages of its own
  constexpr std::uint64_t kEntry = 48;     // key and place of a value in a page
  constexpr std::uint64_t kSmall = 400;    // of the tables beside `blocks` and `headers`
  const std::uint64_t own = record_size <= kInPage ? 0 : (record_size + kPageHead + kPage - 1) / kPage * kPage;
  const std::uint64_t shared = (own == 0 ? record_size : 0) + kEntry + kEntry + kBlockEntry + header_size + kSmall;
  return own + shared * 3 / 2;
}

std::uint64_t cost_of(const StoredBlock& block) {
  return cost_of(record_size(block), block.header ? block.header->size() : 0);
}

}  // namespace opp2p
