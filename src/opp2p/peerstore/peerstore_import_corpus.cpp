#include "opp2p/peerstore/peerstore_record.hpp"
#include "opp2p/peerstore/peerstore_test_support.hpp"
#include "testing/corpus.hpp"

namespace libp2p::fuzzing {
namespace {

// As peerstore_import_fuzz.cpp reads it: the base of a key is its number.
Bytes seed(const storage::Change& change) {
  std::string key = change.key;
  const auto bases = opp2p::record_bases();
  for (std::size_t i = 0; i < bases.size(); ++i)
    if (key.starts_with(bases[i])) key.replace(0, bases[i].size(), 1, static_cast<char>(i));
  Bytes out{static_cast<std::uint8_t>(key.size())};
  append(out, as_bytes(key));
  std::uint8_t size[2];
  store_be16(size, static_cast<std::uint16_t>(change.value->size()));
  append(out, size);
  append(out, *change.value);
  return out;
}

}  // namespace

void make_corpus(Corpus& corpus) {
  Bytes all;
  std::size_t number = 0;
  auto records = opp2p::testing_peerstore::one_of_each(1);
  records.push_back(opp2p::testing_peerstore::private_key_of(opp2p::testing_peerstore::make_key(1)));
  for (const auto& record : records) {
    const auto one = seed(record);
    corpus.save("record-" + std::to_string(number++), one);
    append(all, one);
  }
  corpus.save("all", all);
}

}  // namespace libp2p::fuzzing
