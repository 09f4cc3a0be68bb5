#include "opstack/rules/block_rules.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>

#include "libp2p/base/rng.hpp"
#include "opstack/encoding/snappy_block.hpp"
#include "testing/block_rule_parts.hpp"
#include "testing/blocks.hpp"

namespace opstack::rules {
namespace {

using libp2p::from_unix_seconds;
using opstack::encoding::snappy_compress;
using testing_blocks::block;
using testing_blocks::other_key;
using testing_blocks::sealed;
using testing_blocks::sequencer_key;

constexpr std::uint64_t kChain = 901;
constexpr std::int64_t kNow = 1'700'000'000;

Address address_of(const Secret& key) { return libp2p::crypto::secp256k1::address_of(key); }

SignerState one_signer() {
  SignerState out;
  out.current = address_of(sequencer_key());
  return out;
}

BlockRulesConfig config_of(Version version) {
  BlockRulesConfig out;
  out.chain_id = kChain;
  out.version = version;
  return out;
}

Bytes signed_message(Version version, const payload::Envelope& envelope, const Secret& key = sequencer_key()) {
  return testing_blocks::message(kChain, version, envelope, key);
}

payload::Envelope changed(Version version, const std::function<void(payload::Envelope&)>& change) {
  auto out = block(version, 7, kNow);
  change(out);
  return sealed(std::move(out));
}

// In every order of the parts, the verdict is the same.
Outcome check_one(Version version, const Bytes& message, SignerState signers = one_signer()) {
  const auto wall = from_unix_seconds(kNow);
  EXPECT_EQ(testing_parts::first_difference(config_of(version), message, signers, wall), "");
  BlockRules rules(config_of(version));
  return rules.judge(message, signers, wall);
}

void expect(const Outcome& outcome, Verdict verdict, Reason reason) {
  EXPECT_EQ(to_string(outcome.verdict), to_string(verdict)) << outcome.text();
  EXPECT_EQ(reason_id(outcome.reason), reason_id(reason)) << outcome.text();
}

TEST(BlockRules, line_1_a_length_that_cannot_be_read_is_rejected) {
  expect(check_one(Version::v1, {}), Verdict::reject, Reason::invalid_snappy_length);
  expect(check_one(Version::v1, {0xff, 0xff, 0xff}), Verdict::reject, Reason::invalid_snappy_length);
}

TEST(BlockRules, line_2_a_length_above_10_MiB_is_rejected_before_anything_is_decompressed) {
  expect(check_one(Version::v1, {0x81, 0x80, 0x80, 0x05}), Verdict::reject, Reason::decoded_length_too_large);
  expect(check_one(Version::v1, {0x80, 0x80, 0x80, 0x05}), Verdict::reject, Reason::invalid_snappy);
}

TEST(BlockRules, line_3_less_than_a_signature_and_a_byte_is_rejected) {
  expect(check_one(Version::v1, snappy_compress(Bytes(65))), Verdict::reject, Reason::undersized);
  expect(check_one(Version::v1, snappy_compress(Bytes(66))), Verdict::reject, Reason::invalid_signature);
}

TEST(BlockRules, line_4_corrupt_compression_is_rejected) {
  auto message = signed_message(Version::v1, block(Version::v1, 7, kNow));
  message.pop_back();
  expect(check_one(Version::v1, message), Verdict::reject, Reason::invalid_snappy);
}

TEST(BlockRules, line_5_without_a_configured_signer_everything_readable_is_ignored) {
  const auto message = signed_message(Version::v1, block(Version::v1, 7, kNow));
  SignerState zero;
  zero.current = Address{};
  expect(check_one(Version::v1, message, SignerState{}), Verdict::ignore, Reason::no_signer_configured);
  expect(check_one(Version::v1, message, zero), Verdict::ignore, Reason::no_signer_configured);
  zero.previous = address_of(sequencer_key());
  zero.previous_until = from_unix_seconds(kNow + 1);
  expect(check_one(Version::v1, message, zero), Verdict::ignore, Reason::no_signer_configured);
}

TEST(BlockRules, line_6_a_signature_of_neither_signer_is_rejected) {
  const auto message = signed_message(Version::v1, block(Version::v1, 7, kNow), other_key());
  const auto outcome = check_one(Version::v1, message);
  expect(outcome, Verdict::reject, Reason::invalid_signature);
  EXPECT_EQ(outcome.signer, address_of(other_key()));
  EXPECT_EQ(outcome.envelope, nullptr);
  expect(check_one(Version::v1, snappy_compress(Bytes(70))), Verdict::reject, Reason::invalid_signature);
}

TEST(BlockRules, line_6_the_previous_signer_counts_within_its_grace) {
  const auto message = signed_message(Version::v1, block(Version::v1, 7, kNow), other_key());
  auto signers = one_signer();
  signers.previous = address_of(other_key());
  signers.previous_until = from_unix_seconds(kNow + 1);
  const auto outcome = check_one(Version::v1, message, signers);
  expect(outcome, Verdict::accept, Reason::valid);
  EXPECT_TRUE(outcome.by_previous_signer);
  signers.previous_until = from_unix_seconds(kNow);
  expect(check_one(Version::v1, message, signers), Verdict::reject, Reason::invalid_signature);
}

TEST(BlockRules, line_6_the_first_block_of_the_current_signer_ends_the_grace_even_if_it_is_rejected_later) {
  BlockRules rules(config_of(Version::v1));
  auto signers = one_signer();
  signers.previous = address_of(other_key());
  signers.previous_until = from_unix_seconds(kNow + 3600);
  const auto of_previous = [](std::uint64_t number) {
    return signed_message(Version::v1, block(Version::v1, number, kNow), other_key());
  };
  expect(rules.judge(of_previous(1), signers, from_unix_seconds(kNow)), Verdict::accept, Reason::valid);
  ASSERT_TRUE(signers.previous);
  const auto too_old = signed_message(Version::v1, block(Version::v1, 2, kNow - 1000));
  expect(rules.judge(too_old, signers, from_unix_seconds(kNow)), Verdict::reject, Reason::too_old);
  EXPECT_FALSE(signers.previous);
  expect(rules.judge(of_previous(3), signers, from_unix_seconds(kNow)), Verdict::reject, Reason::invalid_signature);
}

TEST(BlockRules, line_7_a_body_that_does_not_decode_is_rejected) {
  const auto as_v1 = signed_message(Version::v1, block(Version::v1, 7, kNow));
  const auto as_v4 = signed_message(Version::v4, block(Version::v4, 7, kNow));
  expect(check_one(Version::v2, as_v1), Verdict::reject, Reason::invalid_payload);
  expect(check_one(Version::v3, as_v4), Verdict::reject, Reason::invalid_envelope);
}

TEST(BlockRules, lines_8_and_9_time_is_bounded_on_both_sides_and_the_bounds_pass) {
  const auto at = [](std::int64_t timestamp, Seconds max_age = Seconds(60)) {
    auto config = config_of(Version::v1);
    config.max_age = max_age;
    BlockRules rules(config);
    auto signers = one_signer();
    const auto message = signed_message(Version::v1, block(Version::v1, 7, static_cast<std::uint64_t>(timestamp)));
    // Late in the second: the time is rounded down.
    return rules.judge(message, signers, from_unix_seconds(kNow) + libp2p::Millis(999));
  };
  expect(at(kNow - 61), Verdict::reject, Reason::too_old);
  expect(at(kNow - 60), Verdict::accept, Reason::valid);
  expect(at(kNow + 5), Verdict::accept, Reason::valid);
  expect(at(kNow + 6), Verdict::reject, Reason::too_new);
  expect(at(kNow - 11, Seconds(10)), Verdict::reject, Reason::too_old);
}

TEST(BlockRules, lines_8_and_9_hold_when_the_clock_stands_at_its_beginning) {
  BlockRules rules(config_of(Version::v1));
  auto signers = one_signer();
  const auto message = signed_message(Version::v1, block(Version::v1, 7, 3));
  expect(rules.judge(message, signers, from_unix_seconds(0)), Verdict::accept, Reason::valid);
  const auto later = signed_message(Version::v1, block(Version::v1, 8, 6));
  expect(rules.judge(later, signers, from_unix_seconds(-100)), Verdict::reject, Reason::too_new);
}

TEST(BlockRules, line_10_a_wrong_block_hash_is_rejected) {
  auto wrong = block(Version::v3, 7, kNow);
  wrong.payload.gas_used += 1;
  const auto outcome = check_one(Version::v3, signed_message(Version::v3, wrong));
  expect(outcome, Verdict::reject, Reason::bad_block_hash);
  ASSERT_TRUE(outcome.actual_block_hash);
  EXPECT_EQ(*outcome.actual_block_hash, payload::compute_block_hash(wrong));
}

TEST(BlockRules, line_11_withdrawals_must_fit_the_version) {
  const auto none = changed(Version::v2, [](auto& e) { e.payload.withdrawals.reset(); });
  const auto empty = changed(Version::v1, [](auto& e) { e.payload.withdrawals.emplace(); });
  const auto one = changed(Version::v2, [](auto& e) { e.payload.withdrawals->emplace_back(); });
  expect(check_block_fields(config_of(Version::v1), empty), Verdict::reject, Reason::unexpected_withdrawals);
  expect(check_block_fields(config_of(Version::v2), none), Verdict::reject, Reason::missing_withdrawals);
  expect(check_one(Version::v2, signed_message(Version::v2, one)), Verdict::reject, Reason::non_empty_withdrawals);
}

TEST(BlockRules, line_12_the_first_two_versions_have_no_blob_gas) {
  const auto used = changed(Version::v2, [](auto& e) { e.payload.blob_gas_used = 0; });
  const auto excess = changed(Version::v1, [](auto& e) { e.payload.excess_blob_gas = 0; });
  expect(check_block_fields(config_of(Version::v2), used), Verdict::reject, Reason::unexpected_blob_gas_used);
  expect(check_block_fields(config_of(Version::v1), excess), Verdict::reject, Reason::unexpected_excess_blob_gas);
}

TEST(BlockRules, line_13_blob_gas_used_is_zero_before_jovian_and_anything_from_then_on) {
  const auto missing = changed(Version::v3, [](auto& e) { e.payload.blob_gas_used.reset(); });
  expect(check_block_fields(config_of(Version::v3), missing), Verdict::reject, Reason::missing_blob_gas_used);
  const auto used =
      signed_message(Version::v4, changed(Version::v4, [](auto& e) { e.payload.blob_gas_used = 131072; }));
  for (const auto& [jovian, verdict] :
       std::initializer_list<std::pair<std::optional<std::uint64_t>, Verdict>>{{std::nullopt, Verdict::reject},
                                                                               {kNow + 1, Verdict::reject},
                                                                               {kNow, Verdict::accept},
                                                                               {0, Verdict::accept}}) {
    auto config = config_of(Version::v4);
    config.jovian_time = jovian;
    BlockRules rules(config);
    auto signers = one_signer();
    const auto outcome = rules.judge(used, signers, from_unix_seconds(kNow));
    expect(outcome, verdict, verdict == Verdict::accept ? Reason::valid : Reason::non_zero_blob_gas_used);
  }
}

TEST(BlockRules, line_14_excess_blob_gas_is_there_and_zero) {
  const auto missing = changed(Version::v3, [](auto& e) { e.payload.excess_blob_gas.reset(); });
  const auto one = changed(Version::v3, [](auto& e) { e.payload.excess_blob_gas = 1; });
  expect(check_block_fields(config_of(Version::v3), missing), Verdict::reject, Reason::missing_excess_blob_gas);
  expect(check_one(Version::v3, signed_message(Version::v3, one)), Verdict::reject, Reason::non_zero_excess_blob_gas);
}

TEST(BlockRules, line_15_the_parent_beacon_block_root_is_there) {
  const auto missing = changed(Version::v3, [](auto& e) { e.parent_beacon_block_root.reset(); });
  expect(check_block_fields(config_of(Version::v3), missing), Verdict::reject,
         Reason::missing_parent_beacon_block_root);
}

TEST(BlockRules, line_16_the_withdrawals_root_is_there) {
  const auto missing = changed(Version::v4, [](auto& e) { e.payload.withdrawals_root.reset(); });
  expect(check_block_fields(config_of(Version::v4), missing), Verdict::reject, Reason::missing_withdrawals_root);
}

TEST(BlockRules, lines_17_to_19_six_blocks_pass_at_a_height_repeats_are_ignored_then_all_is_rejected) {
  BlockRules rules(config_of(Version::v2));
  auto signers = one_signer();
  const auto give = [&](std::uint8_t variant, std::uint64_t height = 7) {
    return rules.judge(signed_message(Version::v2, block(Version::v2, height, kNow, variant)), signers,
                       from_unix_seconds(kNow));
  };
  for (std::uint8_t i = 0; i < 5; ++i) {
    expect(give(i), Verdict::accept, Reason::valid);
    expect(give(i), Verdict::ignore, Reason::already_seen);
    expect(give(0), Verdict::ignore, Reason::already_seen);
  }
  expect(give(5), Verdict::accept, Reason::valid);
  for (const auto i : std::initializer_list<std::uint8_t>{6, 0, 5, 7})
    expect(give(i), Verdict::reject, Reason::too_many_blocks_at_height);
  expect(give(0, 8), Verdict::accept, Reason::valid);
}

TEST(BlockRules, a_thousand_heights_are_remembered_and_the_oldest_is_forgotten) {
  BlockRules rules(config_of(Version::v1));
  auto signers = one_signer();
  const auto give = [&](std::uint64_t height) {
    return rules.judge(signed_message(Version::v1, block(Version::v1, height, kNow)), signers, from_unix_seconds(kNow));
  };
  for (std::uint64_t height = 0; height < 1000; ++height) ASSERT_EQ(give(height).verdict, Verdict::accept);
  expect(give(0), Verdict::ignore, Reason::already_seen);  // and now the most recently used
  expect(give(1000), Verdict::accept, Reason::valid);
  expect(give(0), Verdict::ignore, Reason::already_seen);
  expect(give(1), Verdict::accept, Reason::valid);
}

TEST(BlockRules, all_versions_pass_and_say_what_they_found) {
  for (const Version version : {Version::v1, Version::v2, Version::v3, Version::v4}) {
    const auto envelope = block(version, 7, kNow);
    const auto outcome = check_one(version, signed_message(version, envelope));
    expect(outcome, Verdict::accept, Reason::valid);
    ASSERT_NE(outcome.envelope, nullptr);
    EXPECT_EQ(*outcome.envelope, envelope);
    EXPECT_EQ(outcome.signer, address_of(sequencer_key()));
    EXPECT_EQ(ByteView(*outcome.contents).size(), 65 + payload::encoded_envelope_size(version, envelope));
  }
}

TEST(BlockRules, an_exception_in_a_rule_is_a_reject) {
  auto config = config_of(Version::v1);
  config.extra_rule = [](const payload::Envelope&) -> std::optional<std::string> {
    throw std::runtime_error("broken");
  };
  BlockRules rules(config);
  auto signers = one_signer();
  const auto message = signed_message(Version::v1, block(Version::v1, 7, kNow));
  const auto outcome = rules.judge(message, signers, from_unix_seconds(kNow));
  expect(outcome, Verdict::reject, Reason::internal_error);
  EXPECT_EQ(outcome.detail(), "broken");
  config.extra_rule = [](const payload::Envelope&) { return std::optional<std::string>("not today"); };
  BlockRules strict(config);
  expect(strict.judge(message, signers, from_unix_seconds(kNow)), Verdict::reject, Reason::extra_rule);
}

TEST(BlockRules, a_rotation_before_the_conclusion_asks_for_the_block) {
  BlockRules rules(config_of(Version::v1));
  const auto message = signed_message(Version::v1, block(Version::v1, 7, kNow), other_key());
  auto signers = one_signer();
  auto examination = rules.begin(message, nullptr, signers, from_unix_seconds(kNow));
  examination.run();
  EXPECT_FALSE(examination.needs().any());
  signers.rotate(address_of(other_key()), from_unix_seconds(kNow));
  EXPECT_FALSE(rules.conclude(examination, signers));
  EXPECT_EQ(examination.needs(), (Examination::Needs{.contents = false, .signature = false, .block = true}));
  examination.run();
  expect(rules.conclude(examination, signers).value(), Verdict::accept, Reason::valid);
}

TEST(BlockRules, the_block_is_needed_at_once_only_where_the_signature_is_expected_to_count) {
  BlockRules rules(config_of(Version::v1));
  auto signers = one_signer();
  const auto wall = from_unix_seconds(kNow);
  const auto needs = [&](const Bytes& message) {
    auto examination = rules.begin(message, read_message("topic", message).decompressed, signers, wall);
    return examination.needs();
  };
  const auto good = signed_message(Version::v1, block(Version::v1, 1, kNow));
  const auto of_stranger = signed_message(Version::v1, block(Version::v1, 2, kNow), other_key());
  auto large = block(Version::v1, 3, kNow);
  large.payload.transactions.clear();
  for (int i = 0; i < 5; ++i) large.payload.transactions.push_back(Bytes(1 << 20));
  EXPECT_FALSE(needs(good).block) << "nothing was accepted yet";
  expect(rules.judge(good, signers, wall), Verdict::accept, Reason::valid);
  EXPECT_TRUE(needs(good).signature && needs(good).block);
  EXPECT_TRUE(needs(of_stranger).block) << "whose it is, is not known";
  EXPECT_FALSE(needs(signed_message(Version::v1, large)).block) << "more than 4 MiB";
  expect(rules.judge(of_stranger, signers, wall), Verdict::reject, Reason::invalid_signature);
  EXPECT_FALSE(needs(good).block) << "the last signature did not count";
  EXPECT_FALSE(needs(Bytes(100, 0xff)).any()) << "refused by its length";
}

TEST(BlockRules, parts_outlive_the_rules) {
  const auto message = signed_message(Version::v1, block(Version::v1, 7, kNow));
  auto rules = std::make_unique<BlockRules>(config_of(Version::v1));
  auto examination = rules->begin(message, nullptr, one_signer(), from_unix_seconds(kNow));
  rules.reset();
  examination.run();
  EXPECT_FALSE(examination.needs().any());
}

// Parts in any order, and signers that change in between, give what a single thread gives that judges in the order of
// the conclusions.
TEST(BlockRules, any_order_of_parts_and_conclusions_judges_as_one_thread_does) {
  std::vector<Bytes> messages;
  for (std::uint8_t i = 0; i < 12; ++i)
    messages.push_back(signed_message(Version::v1, block(Version::v1, i % 2, kNow, i % 4),
                                      i % 3 == 0 ? other_key() : sequencer_key()));
  messages.push_back(snappy_compress(Bytes(80)));
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    libp2p::SeededRng rng(seed);
    BlockRules split(config_of(Version::v1));
    BlockRules whole(config_of(Version::v1));
    SignerState live = one_signer();
    SignerState reference = live;
    std::vector<std::pair<std::size_t, Examination>> waiting;
    for (int step = 0; step < 40; ++step) {
      const auto wall = from_unix_seconds(kNow);
      const auto dice = rng.below(8);
      if (dice == 0) {
        const auto next = rng.below(3);
        const std::optional<Address> signer =
            next == 0 ? std::nullopt : std::optional(address_of(next == 1 ? sequencer_key() : other_key()));
        live.rotate(signer, wall);
        reference.rotate(signer, wall);
      } else if (dice < 4 || waiting.empty()) {
        const auto pick = static_cast<std::size_t>(rng.below(messages.size()));
        waiting.emplace_back(pick, split.begin(messages[pick], nullptr, live, wall));
        testing_parts::run_in(testing_parts::kOrders[rng.below(6)], waiting.back().second);
      } else {
        const auto pick = static_cast<std::ptrdiff_t>(rng.below(waiting.size()));
        auto [message, examination] = std::move(waiting[static_cast<std::size_t>(pick)]);
        waiting.erase(waiting.begin() + pick);
        auto outcome = split.conclude(examination, live);
        if (!outcome) {
          examination.run();
          outcome = split.conclude(examination, live);
        }
        ASSERT_TRUE(outcome);
        const auto expected = whole.judge(messages[message], reference, wall);
        ASSERT_EQ(testing_parts::difference(*outcome, expected), "") << "seed " << seed << ", step " << step;
        ASSERT_EQ(live, reference);
        split.check();
      }
    }
  }
}

TEST(BlockRules, no_order_of_parts_changes_the_verdict_on_a_message_with_bytes_changed) {
  libp2p::SeededRng rng(11);
  for (const Version version : {Version::v1, Version::v2, Version::v3, Version::v4}) {
    const auto message = signed_message(version, block(version, 7, kNow));
    for (int i = 0; i < 60; ++i) {
      const Bytes changed = testing_parts::mutated(message, rng);
      ASSERT_EQ(testing_parts::first_difference(config_of(version), changed, one_signer(), from_unix_seconds(kNow)), "")
          << libp2p::to_hex0x(changed);
    }
  }
}

TEST(BlockRules, the_body_of_an_accepted_block_is_a_slice_of_its_message) {
  const auto envelope = block(Version::v4, 7, kNow);
  const auto outcome = check_one(Version::v4, signed_message(Version::v4, envelope));
  const payload::Block made = block_of(Version::v4, outcome);
  EXPECT_EQ(made.body.owner(), outcome.contents);
  EXPECT_TRUE(made.body == ByteView(payload::encode_envelope(Version::v4, envelope)));
  EXPECT_EQ(made.envelope, outcome.envelope);
}

TEST(SignerState, a_rotation_gives_the_one_before_three_hours_and_repeats_change_nothing) {
  SignerState signers;
  const auto now = from_unix_seconds(kNow);
  const auto first = address_of(sequencer_key());
  const auto second = address_of(other_key());
  signers.rotate(first, now);
  EXPECT_FALSE(signers.previous);
  signers.rotate(second, now);
  EXPECT_TRUE(signers.is_previous(first, now + kSignerGracePeriod - Seconds(1)));
  EXPECT_FALSE(signers.is_previous(first, now + kSignerGracePeriod));
  signers.rotate(second, now + Seconds(100));
  EXPECT_EQ(signers.previous_until, now + kSignerGracePeriod);
  signers.rotate(Address{}, now);
  EXPECT_FALSE(signers.configured());
  EXPECT_FALSE(signers.allows(first, now));
  EXPECT_FALSE(signers.allows(second, now));
}

}  // namespace
}  // namespace opstack::rules
