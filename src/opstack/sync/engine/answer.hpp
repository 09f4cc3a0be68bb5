// What an answer to payload_by_number is worth: decodes the payload by the fork of the block that was asked for, and
// holds number, block hash and the rules of its fork against it. What the hash covers is the block's, whoever sends it;
// what it does not cover is the sender's. Hashing a large block takes milliseconds, so the client calls this on a
// worker. Pure function. Thread: any. Source: op-node surface, section 7 (client).
#pragma once

#include "opstack/chain/rollup_config.hpp"
#include "opstack/sync/engine/names.hpp"
#include "opstack/sync/wire/codec.hpp"

namespace opstack::sync {

// How an exchange with a peer ended.
enum class AnswerKind : std::uint8_t {
  block,            // a well-formed block of that number whose hash is right; whether it links is not known yet
  not_found,        // code 1: no fault
  invalid_request,  // code 2: the peer's clock or chain differs; no fault
  throttled,        // code 3 and above: the peer is busy; no fault
  failed,           // no connection, time-out, reset, early end
  unsupported,      // the peer does not speak the protocol
  malformed,        // broken frames, unknown version, payload that does not decode
  wrong_number,     // a good block of another number
  bad_hash,         // the hash that it claims is not the hash of its contents
  altered,          // its hash is right and does not cover a list of withdrawals that no block can have
};
std::string_view to_string(AnswerKind kind);

struct Answer {
  AnswerKind kind = AnswerKind::failed;
  std::string detail;  // evidence, for a person; empty for a block
  Block block;         // of kind block only
  // Of kind block, where its hash covers what is said here: which rule for the fields of its fork it breaks, if any,
  // and how its time differs from the one that the rollup configuration gives for its number, if it does. A block of a
  // wrong time is in no chain of ours.
  std::string broken_rule;
  std::string wrong_time;

  Answer() = default;
  Answer(AnswerKind k, std::string why) : kind(k), detail(std::move(why)) {}
  explicit Answer(Block b) : kind(AnswerKind::block), block(std::move(b)) {}
};

// Which payload version an answer holds: the response version tells V1/V2 from V3/V4, the fork schedule the rest.
payload::Version answer_payload_version(opstack::sync::wire::ResponseVersion response, payload::Version at_block);
// The version that a payload is sent under.
opstack::sync::wire::ResponseVersion response_version(payload::Version version);

// Judges what a decoder has taken in. `at_block` is what the fork schedule says for the number asked for.
Answer judge_answer(std::uint64_t requested, payload::Version at_block, opstack::sync::wire::ResponseDecoder& decoder);
// The same for a block of this chain, with the rules of its fork and the time of its number.
Answer judge_answer(std::uint64_t requested, const chain::RollupConfig& rollup,
                    opstack::sync::wire::ResponseDecoder& decoder);

}  // namespace opstack::sync
