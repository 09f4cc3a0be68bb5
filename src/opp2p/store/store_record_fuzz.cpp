// Any bytes as a stored record: what passes the checksum is written to the same bytes; a changed byte in it does not
// pass. Any bytes as an entry of the other tables: what is taken is written to the same bytes.

#include "opp2p/store/chain_tables.hpp"
#include "opp2p/store/store_record.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace opp2p;
using libp2p::fuzzing::require;

void check(const StoredBlock& block, ByteView record) {
  require(record_size(block) == record.size());
  Bytes again(record.size());
  write_record(block, again);
  require(libp2p::equal(again, record));
  again[record.size() / 2] ^= 1;
  require(!decode_record(block.number, again).has_value());
}

// Times are stored as they are from 1970 until 2262.
bool is_time(std::uint64_t nanos) { return nanos <= INT64_MAX; }

void check_entries(ByteView input) {
  if (const auto orphan = read_orphan(input); orphan && is_time(libp2p::load_le64(input.data())))
    require(libp2p::equal(encode_orphan(*orphan), input));
  if (const auto attestation = read_attestation(input);
      attestation && is_time(libp2p::load_le64(&input[input.size() - 8])))
    require(libp2p::equal(encode_attestation(*attestation), input));
  if (const auto name = read_block_key(input)) require(libp2p::equal(block_key(*name), input));
  if (const auto age = read_age_key(input); age && is_time(libp2p::load_be64(input.data())))
    require(libp2p::equal(age_key(age->first, age->second), input));
  if (const auto number = read_number(input)) require(libp2p::equal(number_key(*number), input));
  if (const auto hash = read_hash(input)) require(libp2p::equal(*hash, input));
  if (const auto costs = read_costs(input)) require(libp2p::equal(encode_costs(*costs), input));
  const ByteView key = input.first(std::min<std::size_t>(4, input.size()));
  const ByteView rest = input.subspan(key.size());
  if (const auto era = read_era(key, rest); era && is_time(libp2p::load_le64(&rest[rest.size() - 8])))
    require(libp2p::equal(encode_era(*era), rest));
  if (const auto entry = read_block_entry(input)) {
    StoredBlock block;
    block.parent_hash = entry->parent_hash;
    block.timestamp = entry->timestamp;
    block.version = entry->version;
    block.framed = entry->framed;
    block.bodiless = entry->bodiless;
    block.header = libp2p::share(libp2p::to_bytes(header_of_entry(input)));
    Bytes again = encode_block_entry(block);
    libp2p::store_le64(again.data() + 41, entry->cost);
    require(libp2p::equal(again, input));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  if (const auto block = decode_record(7, input)) check(*block, input);
  (void)decode_record(7, input, false);
  check_entries(input);
  // The same bytes as the body of a good record.
  StoredBlock block;
  block.number = 7;
  block.version = Version::v3;
  block.body = libp2p::share(libp2p::to_bytes(input));
  Bytes record(record_size(block));
  write_record(block, record);
  const auto read = decode_record(7, record);
  require(read && read->version == block.version && read->body == block.body);
  check(*read, record);
  const StoredBlock compressed = framed(block);
  Bytes smaller(record_size(compressed));
  write_record(compressed, smaller);
  const auto held = decode_record(7, smaller);
  require(held && held->framed && held->version == block.version);
  const auto whole = unframed(*held);
  require(whole && !whole->framed && whole->body == block.body);
  check(*held, smaller);
  return 0;
}
