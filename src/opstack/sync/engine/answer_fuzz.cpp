// Any bytes as an answer to payload_by_number, in pieces: what is taken for a block has the number that was asked for
// and the hash of its contents, and encodes to what came. The first bytes choose the fork, the number and the size of
// the pieces. With the rules of the chain the answer is the same, and says whether the block has the time of its
// number. The same bytes as the decimal text of a chain id, and as a topic.
#include "opstack/chain/chain_id.hpp"
#include "opstack/rules/topics.hpp"
#include "opstack/sync/engine/answer.hpp"
#include "testing/fuzz_script.hpp"

namespace {

// A chain on which all blocks have one version.
opstack::chain::RollupConfig rollup_of(opstack::payload::Version version) {
  opstack::chain::RollupConfig out;
  out.block_time = 2;
  const std::pair<opstack::payload::Version, opstack::chain::Fork> forks[] = {
      {opstack::payload::Version::v2, opstack::chain::Fork::canyon},
      {opstack::payload::Version::v3, opstack::chain::Fork::ecotone},
      {opstack::payload::Version::v4, opstack::chain::Fork::isthmus}};
  for (const auto& [from, fork] : forks)
    if (version >= from) out.set_activation_time(fork, 0);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace opstack::sync;
  using libp2p::fuzzing::require;
  libp2p::fuzzing::Script script({data, size});
  const auto at_block = static_cast<opstack::payload::Version>(1 + script.next() % 4);
  const std::uint64_t asked = script.next();
  const std::size_t step = 1U + script.next();
  const ByteView answer = script.take(size);

  opstack::sync::wire::ResponseDecoder decoder;
  libp2p::Result<void> status;
  for (ByteView rest = answer; status && !rest.empty(); rest = rest.subspan(std::min(step, rest.size())))
    status = decoder.push(rest.first(std::min(step, rest.size())));
  const auto version = decoder.version();
  const Bytes body = decoder.body();
  const Answer judged = judge_answer(asked, at_block, decoder);
  if (judged.kind == AnswerKind::block) {
    require(status.has_value() && judged.block.number() == asked);
    require(opstack::payload::compute_block_hash(*judged.block.envelope) == judged.block.hash());
    require(judged.block.version == answer_payload_version(*version, at_block) && judged.block.body == body);
    require(opstack::payload::encode_envelope(judged.block.version, *judged.block.envelope) == body);
  } else {
    require(judged.block.envelope == nullptr);
  }

  const auto rollup = rollup_of(at_block);
  require(rollup.payload_version(0) == at_block);
  opstack::sync::wire::ResponseDecoder again;
  (void)again.push(answer);
  const Answer by_rules = judge_answer(asked, rollup, again);
  require(by_rules.kind == judged.kind);
  if (by_rules.kind == AnswerKind::block)
    require(by_rules.wrong_time.empty() == (by_rules.block.payload().timestamp == 2 * asked));
  else
    require(by_rules.wrong_time.empty() && by_rules.broken_rule.empty());

  if (const auto id = opstack::chain::ChainId::from_decimal(libp2p::as_text(answer)))
    require(opstack::chain::ChainId::from_decimal(id->to_decimal()).value() == *id);
  if (const auto topic = opstack::rules::parse_blocks_topic(libp2p::as_text(answer)))
    require(opstack::rules::blocks_topic(topic->chain_id, topic->version) == libp2p::as_text(answer));
  return 0;
}
