// Makes the cases: valid encodings from our own encoders, messages drawn from the protobuf schemas with padded numbers,
// groups and wrong wire types, the fuzz corpora, and damages of all of these. The same seed gives the same cases.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "formats.hpp"
#include "libp2p/base/rng.hpp"
#include "libp2p/crypto/keys.hpp"

namespace differential {

class CaseMaker {
 public:
  // `corpora`: the folder fuzz/corpus.
  CaseMaker(std::uint64_t seed, const std::string& corpora);
  Bytes make(Format format);

 private:
  bool chance(unsigned percent) { return rng_.below(100) < percent; }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(rng_.below(bound)); }
  std::uint8_t byte() { return static_cast<std::uint8_t>(rng_.below(256)); }
  Bytes random_bytes(std::size_t size);
  Bytes repetitive(std::size_t size);

  void damage(Bytes& bytes, std::size_t times);
  void damage_once(Bytes& bytes);
  void damage_some(Bytes& bytes, unsigned percent);  // of the cases
  void pad_number(Bytes& bytes, std::size_t at);

  void append_number(Bytes& out, std::uint64_t value, unsigned percent_odd = 6);
  void append_minimal(Bytes& out, std::uint64_t value);
  Bytes message(int schema, int depth = 0);
  void append_field(Bytes& out, int schema, int depth);
  void append_unknown(Bytes& out, int depth);
  void append_group(Bytes& out, std::uint64_t number, int depth);
  Bytes field_value(int depth);
  Bytes number_case();
  Bytes elements();

  Bytes snappy_block();
  Bytes snappy_frames();
  Bytes frames();
  Bytes tokens();
  Bytes identify();
  Bytes rpc();
  Bytes record();
  Bytes ssz_body(unsigned version);
  Bytes ssz();
  Bytes signature();
  Bytes message_id();
  Bytes block();
  const Bytes& seed(Format format);

  libp2p::SeededRng rng_;
  std::map<Format, std::vector<Bytes>> seeds_;
  std::vector<libp2p::crypto::PrivateKey> identities_;
};

}  // namespace differential
