// Runs the parts of a message's examination in every order, and compares each verdict with that of BlockRules::judge().
// Shared by the tests and the fuzz target of the block rules.
#pragma once

#include <string>
#include <thread>
#include <vector>

#include "libp2p/base/rng.hpp"
#include "opstack/encoding/snappy_block.hpp"
#include "opstack/rules/block_rules.hpp"
#include "testing/blocks.hpp"

namespace testing_parts {

using libp2p::Bytes;
using libp2p::ByteView;
using opstack::rules::BlockRules;
using opstack::rules::BlockRulesConfig;
using opstack::rules::Examination;
using opstack::rules::Outcome;
using opstack::rules::SignerState;

enum class Order {
  what_is_needed,  // as Examination::run() has it
  signature_then_block,
  block_then_signature,
  together,
  signature_alone,  // the block only when the conclusion asks for it
  everything_twice,
  on_two_threads,
};
inline constexpr Order kOrders[] = {Order::what_is_needed, Order::signature_then_block, Order::block_then_signature,
                                    Order::together,       Order::signature_alone,      Order::everything_twice,
                                    Order::on_two_threads};

inline void run_on_two_threads(Examination& examination) {
  std::optional<opstack::rules::RecoveredSigner> signer;
  std::optional<opstack::rules::CheckedBlock> block;
  const auto recover = examination.signature_part();
  const auto check = examination.block_part();
  std::thread first([&] { signer = recover.run(); });
  std::thread second([&] { block = check.run(); });
  first.join();
  second.join();
  examination.take(*std::move(block));
  examination.take(*std::move(signer));
}

inline void run_in(Order order, Examination& examination) {
  if (order == Order::what_is_needed) return examination.run();
  if (examination.needs().contents) examination.take(examination.unpack_part().run());
  if (!examination.needs().any()) return;  // refused before its signature
  const auto signature = examination.signature_part();
  const auto block = examination.block_part();
  switch (order) {
    case Order::what_is_needed: break;
    case Order::signature_then_block:
      examination.take(signature.run());
      examination.take(block.run());
      break;
    case Order::block_then_signature:
      examination.take(block.run());
      examination.take(signature.run());
      break;
    case Order::together: examination.take(run_together(signature, block)); break;
    case Order::signature_alone: examination.take(signature.run()); break;
    case Order::everything_twice:
      examination.take(run_together(signature, block));
      examination.take(block.run());
      examination.take(signature.run());
      break;
    case Order::on_two_threads: run_on_two_threads(examination); break;
  }
}

// The verdict when the parts run in that order.
inline Outcome judge_in(Order order, BlockRules& rules, ByteView message, const libp2p::SharedBytes& contents,
                        SignerState& signers, libp2p::UnixTime wall) {
  Examination examination = rules.begin(message, contents, signers, wall);
  run_in(order, examination);
  auto outcome = rules.conclude(examination, signers);
  if (!outcome) {
    examination.take(examination.block_part().run());
    outcome = rules.conclude(examination, signers);
  }
  rules.check();
  return *std::move(outcome);
}

// How two outcomes differ; empty when they do not.
inline std::string difference(const Outcome& a, const Outcome& b) {
  const auto text = [](const Outcome& o) { return std::string(to_string(o.verdict)) + ", " + o.text(); };
  if (text(a) != text(b)) return text(a) + " / " + text(b);
  if (a.signer != b.signer || a.by_previous_signer != b.by_previous_signer) return "another signer: " + text(a);
  if (a.actual_block_hash != b.actual_block_hash) return "another hash: " + text(a);
  if (!a.envelope != !b.envelope || (a.envelope && *a.envelope != *b.envelope)) return "another envelope: " + text(a);
  if (!a.contents != !b.contents || (a.contents && *a.contents != *b.contents)) return "other contents: " + text(a);
  if (!a.header != !b.header || (a.header && *a.header != *b.header)) return "another header: " + text(a);
  return {};
}

// Rules that have accepted a block, and so expect the next signature to count too.
inline BlockRules expectant_rules(const BlockRulesConfig& config, libp2p::UnixTime wall) {
  BlockRules rules(config);
  SignerState usual;
  usual.current = libp2p::crypto::secp256k1::address_of(testing_blocks::sequencer_key());
  const auto seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(0, libp2p::unix_seconds(wall)));
  const auto block = testing_blocks::block(config.version, UINT64_MAX, seconds);
  (void)rules.judge(testing_blocks::message(config.chain_id, config.version, block), usual, wall);
  return rules;
}

enum class Effort { quick, full };

// The first order in which a message is not judged as by judge(), with what differs; empty when there is none. The
// order that needs() gives is tried by rules that have seen nothing and by rules that expect the signature to count. In
// full: also on two threads, and with the contents unpacked before as well as not.
inline std::string first_difference(const BlockRulesConfig& config, ByteView message, const SignerState& signers,
                                    libp2p::UnixTime wall, Effort effort = Effort::full) {
  SignerState signers_then = signers;
  BlockRules reference(config);
  const Outcome expected = reference.judge(message, signers_then, wall);
  const auto try_one = [&](Order order, const libp2p::SharedBytes& contents, BlockRules rules) -> std::string {
    SignerState live = signers;
    const Outcome outcome = judge_in(order, rules, message, contents, live, wall);
    std::string differs = difference(outcome, expected);
    if (differs.empty() && live != signers_then) differs = "the signers are left otherwise";
    if (differs.empty()) return {};
    return "order " + std::to_string(static_cast<int>(order)) + ": " + differs;
  };
  std::vector<libp2p::SharedBytes> given = {opstack::rules::read_message("topic", message).decompressed};
  if (effort == Effort::full && given[0] != nullptr) given.push_back(nullptr);
  for (const auto& contents : given) {
    if (auto differs = try_one(Order::what_is_needed, contents, expectant_rules(config, wall)); !differs.empty())
      return "expectant, " + differs;
    for (const Order order : kOrders) {
      if (order == Order::on_two_threads && effort == Effort::quick) continue;
      if (auto differs = try_one(order, contents, BlockRules(config)); !differs.empty()) return differs;
    }
  }
  return {};
}

// `message` with a few bytes changed: half of the time in what is sent, else in its contents, compressed again.
inline Bytes mutated(ByteView message, libp2p::SeededRng& rng) {
  Bytes bytes = libp2p::to_bytes(message);
  bool inside = false;
  if (rng.below(2) == 0) {
    if (auto contents = opstack::encoding::snappy_decompress(message, opstack::rules::kMaxGossipSize)) {
      bytes = *std::move(contents);
      inside = true;
    }
  }
  for (auto left = 1 + rng.below(3); left > 0 && !bytes.empty(); --left)
    bytes[rng.below(bytes.size())] ^= static_cast<std::uint8_t>(1 + rng.below(255));
  return inside ? opstack::encoding::snappy_compress(bytes) : bytes;
}

}  // namespace testing_parts
