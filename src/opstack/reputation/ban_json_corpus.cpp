#include "opstack/reputation/ban_json.hpp"
#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

// The operator's ban, which has no evidence, and one for two faults.
void make_corpus(Corpus& corpus) {
  using namespace opstack::reputation;
  Ban ban;
  ban.since = from_unix_seconds(1'760'000'000);
  ban.until = from_unix_seconds(1'760'003'600);
  ban.rule = BanRule::operator_request;
  ban.text = "asked for by the operator";
  corpus.save("operator", encode_ban_reason(ban));
  ban.rule = BanRule::blamed_messages;
  ban.score = -23.25;
  ban.scores.gossip.total = -23.25;
  Fault fault;
  fault.at = ban.since;
  fault.kind = FaultKind::bad_block_hash;
  fault.reason_id = fault_id(fault.kind);
  fault.message_id = std::string(40, 'a');
  fault.block_number = 77;
  fault.block_hash = Hash{};
  fault.text = "payload has bad block hash";
  ban.evidence.push_back(fault);
  fault.kind = FaultKind::invalid_snappy;
  fault.block_number.reset();
  fault.block_hash.reset();
  ban.evidence.push_back(fault);
  corpus.save("blamed", encode_ban_reason(ban));
}

}  // namespace libp2p::fuzzing
