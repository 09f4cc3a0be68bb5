#include "opp2p/store/chain_tables.hpp"
#include "opp2p/store/store_record.hpp"
#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

// A record without a body, and one entry of each table whose values have fields.
void make_corpus(Corpus& corpus) {
  opp2p::StoredBlock block;
  block.number = 7;
  block.hash.fill(1);
  block.parent_hash.fill(2);
  block.timestamp = 1'760'000'000;
  block.version = opp2p::Version::v3;
  block.header = share(Bytes(600, 3));
  corpus.save("entry", opp2p::encode_block_entry(block));
  block.bodiless = true;
  Bytes record(opp2p::record_size(block));
  opp2p::write_record(block, record);
  corpus.save("record-bodiless", record);
  const auto now = from_unix_seconds(1'760'000'000);
  const opp2p::BlockName name{block.number, block.hash};
  corpus.save("orphan", opp2p::encode_orphan({now, opp2p::OrphanReason::reorganised}));
  corpus.save("block-key", opp2p::block_key(name));
  corpus.save("age-key", opp2p::age_key(now, name));
  opp2p::Attestation attestation;
  attestation.signature.fill(4);
  attestation.signer.fill(5);
  attestation.era = 6;
  attestation.arrived = now;
  corpus.save("costs", opp2p::encode_costs({1'000'000, 2000}));
  Bytes era{0, 0, 0, 6};
  append(era, opp2p::encode_era({6, attestation.signer, now}));
  corpus.save("era", era);
  corpus.save("attestation", opp2p::encode_attestation(attestation));
}

}  // namespace libp2p::fuzzing
