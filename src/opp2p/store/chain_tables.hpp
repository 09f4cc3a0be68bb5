// The tables of the block store, format 2, with their keys and entries. Every block that is stored has a record in
// `blocks` and an entry in `headers` and `hashes`. It is either canonical or has an entry in `orphans`. A block whose
// parent is not stored has an entry in `segments` if it is canonical, else in `waiting`. Of canonical blocks the parent
// is canonical, or not stored.
//
//   table        key                 value
//   meta         a word              format, chain: text. costs: two u64, of the canonical blocks and of all others
//   blocks       number, hash        record (store_record.hpp)
//   headers      number, hash        BlockEntry, then the RLP of the header if it is known
//   signatures   number, hash        Attestation
//   canonical    number              hash
//   hashes       hash                number
//   segments     number, hash        the hash of the parent, which is missing
//   waiting      number, hash        the same
//   orphans      number, hash        OrphanEntry
//   orphan_ages  since, number, hash nothing
//   eras         era                 signer, time
//   denied       hash                the last era when it was denied, u32
//
// Numbers of blocks and eras, and all numbers in keys, are big-endian, so that byte order is theirs; the rest is
// little-endian. Times are nanoseconds since 1970. Pure functions and plain values. Thread: any. Bounds: none of their
// own.
#pragma once

#include <array>
#include <compare>
#include <utility>

#include "opp2p/store/stored_block.hpp"
#include "opstack/rules/signing.hpp"
#include "opstack/sync/engine/chain_view.hpp"

namespace opp2p {

using libp2p::UnixTime;
using opstack::sync::Attestation;
using opstack::sync::Era;
using opstack::sync::EraRecord;
using opstack::sync::OrphanReason;
using opstack::sync::Pruned;

// All but `blocks`, whose values are blocks and not bytes to everybody but the database (table_txn.hpp).
enum class Table : std::uint8_t {
  meta,
  headers,
  signatures,
  canonical,
  hashes,
  segments,
  waiting,
  orphans,
  orphan_ages,
  eras,
  denied,
};
inline constexpr std::size_t kTables = 11;
inline constexpr const char* kBlocksTable = "blocks";
const char* table_name(Table table);

inline constexpr std::string_view kFormatKey = "format";
inline constexpr std::string_view kChainKey = "chain";
inline constexpr std::string_view kCostsKey = "costs";
inline constexpr std::string_view kFormat = "opp2p block store 2";
inline constexpr std::string_view kFormat1 = "opp2p block store 1";

using NumberKey = libp2p::ByteArray<8>;
using BlockKey = libp2p::ByteArray<40>;
using AgeKey = libp2p::ByteArray<48>;

struct BlockName {
  std::uint64_t number = 0;
  Hash hash{};
  friend auto operator<=>(const BlockName&, const BlockName&) = default;
};

NumberKey number_key(std::uint64_t number);
BlockKey block_key(const BlockName& name);
AgeKey age_key(UnixTime since, const BlockName& name);

// The part of a block that the chain's rules need.
struct BlockEntry {
  Hash parent_hash{};
  std::uint64_t timestamp = 0;
  Version version = Version::v1;
  bool framed = false;
  bool bodiless = false;
  std::uint64_t cost = 0;  // what the block takes of the budget
  friend bool operator==(const BlockEntry&, const BlockEntry&) = default;
};
inline constexpr std::size_t kBlockEntry = 49;

struct OrphanEntry {
  UnixTime since{};
  OrphanReason reason = OrphanReason::waiting;
};

// The last byte of a record's and an entry's fields: the payload's version, and flags.
std::uint8_t version_byte(const StoredBlock& block);
// Whether it is one, and if so sets the three fields of it.
bool read_version(std::uint8_t byte, Version& version, bool& framed, bool& bodiless);

Bytes encode_block_entry(const StoredBlock& block);
libp2p::ByteArray<9> encode_orphan(const OrphanEntry& orphan);
Bytes encode_attestation(const Attestation& attestation);
Bytes encode_era(const EraRecord& era);  // without its number, which is the key

// Errc::malformed when the bytes are no such entry.
Result<std::uint64_t> read_number(ByteView bytes);  // a key
Result<Hash> read_hash(ByteView bytes);
Result<BlockName> read_block_key(ByteView key);
Result<std::pair<UnixTime, BlockName>> read_age_key(ByteView key);
Result<BlockEntry> read_block_entry(ByteView value);
ByteView header_of_entry(ByteView value);  // the RLP; of bytes that read_block_entry() takes
Result<OrphanEntry> read_orphan(ByteView value);
Result<Attestation> read_attestation(ByteView value);
Result<EraRecord> read_era(ByteView key, ByteView value);

// What the blocks take of the budget.
struct ChainCosts {
  std::uint64_t canonical = 0;
  std::uint64_t others = 0;
  friend bool operator==(const ChainCosts&, const ChainCosts&) = default;
};
libp2p::ByteArray<16> encode_costs(const ChainCosts& costs);
Result<ChainCosts> read_costs(ByteView value);

// What a block takes of the budget: its record, its header and its entries, as LMDB lays them out in pages of 4 KiB
// that are two thirds full. Both stores count so; a database takes about as much and hardly more.
std::uint64_t cost_of(std::size_t record_size, std::size_t header_size);
std::uint64_t cost_of(const StoredBlock& block);

}  // namespace opp2p
