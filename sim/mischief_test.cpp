#include "sim/mischief.hpp"

#include <gtest/gtest.h>

#include "opstack/rules/block_rules.hpp"

namespace opp2p::sim {
namespace {

namespace secp256k1 = libp2p::crypto::secp256k1;

constexpr std::uint64_t kNow = 1'700'000'100;

opstack::rules::Outcome judge(opstack::chain::Fork fork, Mischief kind) {
  libp2p::SeededRng rng(11);
  opstack::testing::ChainOptions options;
  options.fork = fork;
  options.genesis_time = 1'700'000'000;
  const auto signer = secp256k1::generate(rng);
  MischiefMaker maker(options, signer, rng);
  const auto message = maker.make(kind, kNow);
  opstack::rules::BlockRulesConfig config;
  config.chain_id = options.chain_id;
  config.version = opstack::testing::version_of(fork);
  if (fork == opstack::chain::Fork::jovian) config.jovian_time = 0;
  opstack::rules::BlockRules rules(config);
  opstack::rules::SignerState signers;
  signers.current = secp256k1::address_of(signer);
  return rules.judge(message.data, signers, libp2p::from_unix_seconds(static_cast<std::int64_t>(kNow)));
}

TEST(MischiefMaker, each_kind_is_rejected_by_the_rule_that_it_is_meant_for) {
  for (const auto fork : opstack::testing::kBlockForks) {
    SCOPED_TRACE(to_string(fork));
    const auto expect = [&](Mischief kind, std::initializer_list<opstack::rules::Reason> reasons) {
      SCOPED_TRACE(to_string(kind));
      const auto outcome = judge(fork, kind);
      EXPECT_EQ(outcome.verdict, opstack::rules::Verdict::reject);
      EXPECT_TRUE(std::find(reasons.begin(), reasons.end(), outcome.reason) != reasons.end()) << outcome.text();
    };
    using opstack::rules::Reason;
    expect(Mischief::bad_signature, {Reason::invalid_signature});
    expect(Mischief::wrong_hash, {Reason::bad_block_hash});
    expect(Mischief::stale, {Reason::too_old});
    expect(Mischief::wrong_version, {Reason::invalid_payload, Reason::invalid_envelope});
    expect(Mischief::garbage, {Reason::invalid_snappy});
  }
}

}  // namespace
}  // namespace opp2p::sim
