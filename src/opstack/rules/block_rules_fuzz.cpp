// A script against the rules of one topic. The first byte picks the version and how the message comes: raw, or signed
// and compressed from the bytes as a body; with a small change to a good block in between. Every order of the parts
// must give one verdict, and nothing is accepted whose hash or signer is wrong.

#include "opstack/rules/block_message.hpp"
#include "opstack/rules/block_rules.hpp"
#include "testing/block_rule_parts.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace opstack::rules;
using libp2p::fuzzing::require;
namespace payload = opstack::payload;

constexpr std::uint64_t kChain = 901;
constexpr std::int64_t kNow = 1'700'000'000;

Secret key() {
  Secret out{};
  out.fill(0x11);
  return out;
}

payload::Envelope good_block(Version version) {
  payload::Envelope out;
  out.payload.timestamp = kNow;
  out.payload.transactions = {{1, 2, 3}};
  if (has_withdrawals(version)) out.payload.withdrawals.emplace();
  if (has_blob_gas(version)) {
    out.payload.blob_gas_used = 0;
    out.payload.excess_blob_gas = 0;
    out.parent_beacon_block_root.emplace();
  }
  if (has_withdrawals_root(version)) out.payload.withdrawals_root.emplace();
  out.payload.block_hash = payload::compute_block_hash(out);
  return out;
}

Bytes signed_body(ByteView body) { return compress_message(sign_body(key(), kChain, body), body); }

Bytes message_of(Version version, unsigned kind, ByteView input) {
  if (kind == 0) return libp2p::to_bytes(input);
  if (kind == 1) return signed_body(input);
  Bytes body = payload::encode_envelope(version, good_block(version));
  for (std::size_t i = 0; i + 2 < input.size(); i += 3)
    body[(std::size_t{input[i]} << 8 | input[i + 1]) % body.size()] = input[i + 2];
  if (kind == 2) return signed_body(body);
  auto decoded = payload::decode_envelope(version, body);
  if (!decoded) return signed_body(body);
  decoded->payload.block_hash = payload::compute_block_hash(*decoded);
  return signed_body(payload::encode_envelope(version, *decoded));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  BlockRulesConfig config;
  config.chain_id = kChain;
  config.version = kVersions[data[0] & 3];
  if ((data[0] & 16) != 0) config.jovian_time = kNow;
  const Bytes message = message_of(config.version, data[0] >> 2 & 3, {data + 1, size - 1});
  SignerState signers;
  signers.current = libp2p::crypto::secp256k1::address_of(key());
  BlockRules rules(config);
  const auto wall = libp2p::from_unix_seconds(kNow);
  require(testing_parts::first_difference(config, message, signers, wall, testing_parts::Effort::quick).empty());
  for (int round = 0; round < 2; ++round) {
    const auto outcome = rules.judge(message, signers, wall);
    rules.check();
    require(outcome.reason != Reason::internal_error);
    if (outcome.verdict != Verdict::accept) {
      require(round == 0 || outcome.verdict == Verdict::reject || outcome.reason == Reason::already_seen);
      continue;
    }
    require(round == 0);
    require(outcome.signer == signers.current);
    require(payload::compute_block_hash(*outcome.envelope) == outcome.envelope->payload.block_hash);
    require(check_encodable(config.version, *outcome.envelope).has_value());
  }
  return 0;
}
