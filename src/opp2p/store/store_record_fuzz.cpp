// Any bytes as a stored record: what passes the checksum is written to the same bytes; a changed byte in it does not
// pass.

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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  if (const auto block = decode_record(7, input)) check(*block, input);
  (void)decode_record(7, input, false);
  if (const auto staged = decode_staged(7, input)) {
    require(staged_size(*staged) == size);
    Bytes again(size);
    write_staged(*staged, again);
    require(libp2p::equal(again, input));
  }
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
