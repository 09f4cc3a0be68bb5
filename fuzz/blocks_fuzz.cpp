// Blocks of every version, made by a script: each comes back as it was from SSZ, from JSON, from its gossip message,
// from an answer to payload_by_number, and from the store; and an answer with any other byte in it is no block, or the
// very same.
#include "opp2p/store/store_record.hpp"
#include "opstack/payload/payload_json.hpp"
#include "opstack/rules/block_message.hpp"
#include "opstack/rules/block_rules.hpp"
#include "opstack/sync/engine/answer.hpp"
#include "testing/blocks.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace opp2p;
using libp2p::fuzzing::require;
using libp2p::fuzzing::Script;
using opstack::payload::Envelope;
using opstack::payload::Version;
namespace payload = opstack::payload;
namespace gossip = opstack::rules;
namespace requests = opstack::sync::wire;

constexpr std::uint64_t kChain = 901;

template <class Array>
void fill(Script& script, Array& out) {
  const ByteView part = script.take(script.below(out.size() + 1));
  std::copy(part.begin(), part.end(), out.begin());
}
std::uint64_t number(Script& script) { return std::uint64_t{script.next16()} << script.below(49); }

Envelope envelope_of(Script& script, Version version) {
  Envelope out;
  auto& p = out.payload;
  fill(script, p.parent_hash);
  fill(script, p.fee_recipient);
  fill(script, p.state_root);
  fill(script, p.receipts_root);
  fill(script, p.logs_bloom);
  fill(script, p.prev_randao);
  p.block_number = number(script);
  p.gas_limit = number(script);
  p.gas_used = number(script);
  p.timestamp = number(script);
  p.extra_data = libp2p::to_bytes(script.take(script.below(33)));
  fill(script, p.base_fee_per_gas);
  for (std::size_t left = script.below(5); left > 0; --left)
    p.transactions.push_back(libp2p::to_bytes(script.take(script.below(300))));
  if (payload::has_withdrawals(version)) {
    p.withdrawals.emplace();
    for (std::size_t left = script.below(3); left > 0; --left) {
      payload::Withdrawal withdrawal{number(script), number(script), {}, number(script)};
      fill(script, withdrawal.address);
      p.withdrawals->push_back(withdrawal);
    }
  }
  if (payload::has_blob_gas(version)) {
    p.blob_gas_used = number(script);
    p.excess_blob_gas = number(script);
    fill(script, out.parent_beacon_block_root.emplace());
  }
  if (payload::has_withdrawals_root(version)) fill(script, p.withdrawals_root.emplace());
  return testing_blocks::sealed(std::move(out));
}

void codecs(Version version, const Envelope& envelope, const Bytes& body) {
  require(body.size() == payload::encoded_envelope_size(version, envelope));
  require(payload::check_encodable(version, envelope).has_value());
  require(payload::decode_envelope(version, body).value() == envelope);
  const Bytes ssz = payload::encode_payload(version, envelope.payload);
  require(ssz.size() == payload::encoded_payload_size(version, envelope.payload));
  require(payload::decode_payload(version, ssz).value() == envelope.payload);
  require(payload::envelope_from_json(payload::to_json(envelope)).value() == envelope);
}

void gossiped(Version version, const Envelope& envelope, const Bytes& body) {
  const auto message = opstack::rules::make_block_message(kChain, version, envelope, testing_blocks::sequencer_key());
  require(message.has_value() && message->version == version);
  const auto read = opstack::rules::read_message(message->topic, *message->data);
  require(read.decompressed != nullptr && read.decompressed->size() == sizeof(opstack::rules::Signature) + body.size());
  require(libp2p::equal(ByteView(*read.decompressed).subspan(sizeof(opstack::rules::Signature)), body));
  require(libp2p::equal(ByteView(*read.decompressed).first(sizeof(opstack::rules::Signature)), message->signature));
}

void answered(Script& script, Version version, const Envelope& envelope, const Bytes& body) {
  Bytes wire = requests::encode_response(opstack::sync::response_version(version), body);
  const auto judge = [&](std::uint64_t asked) {
    requests::ResponseDecoder decoder;
    (void)decoder.push(wire);
    return opstack::sync::judge_answer(asked, version, decoder);
  };
  const std::uint64_t asked = envelope.payload.block_number;
  const auto good = judge(asked);
  if (payload::has_uncovered_withdrawals(envelope.payload))
    return require(good.kind == opstack::sync::AnswerKind::altered);
  require(good.kind == opstack::sync::AnswerKind::block && *good.block.envelope == envelope);
  require(judge(asked + 1).kind == opstack::sync::AnswerKind::wrong_number);
  wire[script.below(wire.size())] ^= static_cast<std::uint8_t>(1U << script.below(8));
  const auto damaged = judge(asked);
  require(damaged.kind != opstack::sync::AnswerKind::block || *damaged.block.envelope == envelope);
}

void stored(Script& script, Version version, const Envelope& envelope, const Bytes& body) {
  const opstack::sync::Block block(version, std::make_shared<const Envelope>(envelope), libp2p::share(Bytes(body)));
  const auto same = [&](const StoredBlock& read, bool with_body) {
    return read.number == block.number() && read.hash == block.hash() && read.parent_hash == block.parent_hash() &&
           read.timestamp == envelope.payload.timestamp && read.version == version && (!with_body || read.body == body);
  };
  Bytes record(record_size(StoredBlock(block)));
  write_record(StoredBlock(block), record);
  require(same(decode_record(block.number(), record).value(), true));
  require(same(decode_record(block.number(), record, false).value(), false));
  record[script.below(record.size())] ^= static_cast<std::uint8_t>(1U << script.below(8));
  require(!decode_record(block.number(), record));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Script script({data, std::min<std::size_t>(size, 3000)});
  for (int blocks = 0; !script.done() && blocks < 8; ++blocks) {
    const auto version = static_cast<Version>(1 + script.next() % 4);
    const Envelope envelope = envelope_of(script, version);
    const Bytes body = payload::encode_envelope(version, envelope);
    codecs(version, envelope, body);
    gossiped(version, envelope, body);
    answered(script, version, envelope, body);
    stored(script, version, envelope, body);
  }
  return 0;
}
