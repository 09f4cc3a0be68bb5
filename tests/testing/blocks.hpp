// Small valid blocks for tests: envelopes of every version with a correct block hash, and a key to sign them.
#pragma once

#include "opstack/payload/payload.hpp"
#include "opstack/rules/block_message.hpp"

namespace testing_blocks {

using opstack::payload::Envelope;
using opstack::payload::Version;

// A throw-away key, and another one.
inline opstack::rules::Secret sequencer_key() {
  opstack::rules::Secret out{};
  out.fill(0x11);
  return out;
}
inline opstack::rules::Secret other_key() {
  opstack::rules::Secret out{};
  out.fill(0x22);
  return out;
}

// Gives the envelope the block hash that its fields have.
inline Envelope sealed(Envelope envelope) {
  envelope.payload.block_hash = opstack::payload::compute_block_hash(envelope);
  return envelope;
}

// `variant` makes another block of the same number and time.
inline Envelope block(Version version, std::uint64_t number, std::uint64_t timestamp, std::uint8_t variant = 0) {
  Envelope out;
  auto& p = out.payload;
  p.parent_hash.fill(0x01);
  p.fee_recipient.fill(0x42);
  p.state_root.fill(0x02);
  p.receipts_root.fill(0x03);
  p.prev_randao.fill(variant);
  p.block_number = number;
  p.gas_limit = 30'000'000;
  p.gas_used = 21'000;
  p.timestamp = timestamp;
  p.base_fee_per_gas[31] = 7;
  p.transactions = {{0x7e, 0x01, 0x02}, {0x02, 0xff}};
  if (has_withdrawals(version)) p.withdrawals.emplace();
  if (has_blob_gas(version)) {
    p.blob_gas_used = 0;
    p.excess_blob_gas = 0;
    out.parent_beacon_block_root.emplace().fill(0x04);
  }
  if (has_withdrawals_root(version)) p.withdrawals_root.emplace().fill(0x05);
  return sealed(std::move(out));
}

// The message of an envelope as it is, right or wrong: nothing is checked.
inline libp2p::Bytes message(const opstack::chain::ChainId& chain_id, Version version, const Envelope& envelope,
                             const opstack::rules::Secret& key = sequencer_key()) {
  const auto body = opstack::payload::encode_envelope(version, envelope);
  return opstack::rules::compress_message(opstack::rules::sign_body(key, chain_id, body), body);
}

}  // namespace testing_blocks
