// Any records as an op-node's peerstore: the import takes the sound ones and no others, the export writes them as they
// are, and a second import finds every one sound. Any bytes as a table's footer. Input: records, each as the length of
// its key, the key, the length of its value in two bytes, the value. A key may begin with the number of a base.

#include "libp2p/base/rng.hpp"
#include "libp2p/storage/memory_datastore.hpp"
#include "opp2p/peerstore/leveldb_copy.hpp"
#include "opp2p/peerstore/peerstore_move.hpp"
#include "opp2p/peerstore/peerstore_view.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace opp2p;
using libp2p::ByteView;
using libp2p::fuzzing::require;
using libp2p::storage::Change;
using libp2p::storage::MemoryDatastore;

constexpr std::size_t kMostRecords = 64;

std::vector<Change> records_of(ByteView input) {
  std::vector<Change> out;
  const auto bases = record_bases();
  for (libp2p::fuzzing::Script script(input); !script.done() && out.size() < kMostRecords;) {
    const std::size_t key_size = script.next();
    std::string key(libp2p::as_text(script.take(key_size)));
    if (!key.empty() && static_cast<unsigned char>(key[0]) < bases.size())
      key.replace(0, 1, bases[static_cast<unsigned char>(key[0])]);
    if (key.empty()) key = "/";
    const std::size_t value_size = script.next16();
    out.push_back({key, libp2p::to_bytes(script.take(value_size))});
  }
  return out;
}

void check_move(std::span<const Change> records) {
  MemoryDatastore op_node, ours, back;
  require(op_node.apply(records).has_value());
  auto gathered = gather_records(op_node).value();
  const auto sound = gathered.records.size();
  require(sound + gathered.private_keys.size() + gathered.moved.skipped == op_node.entries());
  (void)decide_key(gathered.private_keys, {});
  require(import_records(std::move(gathered), ours)->total() == sound);
  require(ours.entries() == sound && view_peerstore(ours)->unread == 0);
  libp2p::SeededRng rng(1);
  static const auto key = libp2p::crypto::PrivateKey::generate(libp2p::crypto::KeyType::secp256k1, rng).value();
  const auto moved = export_records(ours, back, key).value();
  require(moved.total() == sound && moved.skipped == 0 && gather_records(back)->moved.skipped == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  const auto records = records_of(input);
  check_move(records);
  const auto footer = input.first(std::min(size, kTableFooter));
  (void)check_table_footer(footer, size);
  return 0;
}
