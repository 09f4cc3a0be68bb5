#include "opstack/rules/reason.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace opstack::rules {
namespace {

// Metrics, logs and RPC name reasons by these: whoever changes one breaks what reads them. A new reason adds a line.
TEST(Reasons, have_ids_that_never_change) {
  const std::vector<std::string_view> ids = {"valid",
                                             "invalid_snappy_length",
                                             "decoded_length_too_large",
                                             "undersized",
                                             "invalid_snappy",
                                             "no_signer_configured",
                                             "invalid_signature",
                                             "invalid_payload",
                                             "invalid_envelope",
                                             "too_old",
                                             "too_new",
                                             "bad_block_hash",
                                             "unexpected_withdrawals",
                                             "missing_withdrawals",
                                             "non_empty_withdrawals",
                                             "unexpected_blob_gas_used",
                                             "unexpected_excess_blob_gas",
                                             "missing_blob_gas_used",
                                             "non_zero_blob_gas_used",
                                             "missing_excess_blob_gas",
                                             "non_zero_excess_blob_gas",
                                             "missing_parent_beacon_block_root",
                                             "missing_withdrawals_root",
                                             "extra_rule",
                                             "too_many_blocks_at_height",
                                             "already_seen",
                                             "internal_error",
                                             "validation_queue_full"};
  ASSERT_EQ(ids.size(), kReasonCount);
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    EXPECT_EQ(reason_id(static_cast<Reason>(i)), ids[i]);
    EXPECT_EQ(reason_of(ids[i]), static_cast<Reason>(i));
  }
  EXPECT_EQ(reason_of("no_such_reason"), std::nullopt);
}

TEST(Reasons, have_words_and_an_id_of_their_own) {
  std::vector<std::string_view> ids;
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    EXPECT_FALSE(to_string(static_cast<Reason>(i)).empty());
    ids.push_back(reason_id(static_cast<Reason>(i)));
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
}

TEST(Reasons, make_a_sentence_of_their_values) {
  EXPECT_EQ(sentence(Reason::already_seen, {}), "validated already seen message again");
  EXPECT_EQ(sentence(Reason::too_old, TimeEvidence{1744218401, 1744218462, 60}),
            "payload is too old (timestamp 1744218401, now 1744218462, 60 s are allowed)");
  EXPECT_EQ(sentence(Reason::too_new, TimeEvidence{106, 100, 5}),
            "payload is too new (timestamp 106, now 100, 5 s are allowed)");
  EXPECT_EQ(sentence(Reason::decoded_length_too_large, std::uint64_t{10485761}),
            "possible snappy zip bomb, decoded length is too large (decoded_length 10485761)");
  EXPECT_EQ(sentence(Reason::undersized, std::uint64_t{65}),
            "rejecting undersized gossip payload (65 bytes, at least 66 are expected)");
  EXPECT_EQ(evidence_text(Reason::non_empty_withdrawals, std::uint64_t{2}), "2 withdrawals");
  EXPECT_EQ(evidence_text(Reason::non_zero_blob_gas_used, std::uint64_t{131072}), "blob_gas_used 131072");
  EXPECT_EQ(evidence_text(Reason::non_zero_excess_blob_gas, std::uint64_t{1}), "excess_blob_gas 1");
  EXPECT_EQ(evidence_text(Reason::too_many_blocks_at_height, std::uint64_t{7}), "height 7");
  EXPECT_EQ(evidence_text(Reason::extra_rule, "not today"), "not today");
  EXPECT_EQ(sentence(Reason::validation_queue_full, {}), "the validation queue is full, the block was not checked");
  Hash ones;
  ones.fill(0x11);
  EXPECT_EQ(evidence_text(Reason::bad_block_hash, HashEvidence{Hash{}, ones}),
            "bad_hash 0x" + std::string(64, '0') + ", actual 0x" + std::string(64, '1'));
  payload::Address twos;
  twos.fill(0x22);
  EXPECT_EQ(evidence_text(Reason::invalid_signature, SignerEvidence{twos, {}}),
            "signed by 0x" + std::string(40, '2') + ", expected 0x" + std::string(40, '0'));
}

TEST(Verdicts, are_told_by_a_word) {
  EXPECT_EQ(to_string(Verdict::accept), "accept");
  EXPECT_EQ(to_string(Verdict::reject), "reject");
  EXPECT_EQ(to_string(Verdict::ignore), "ignore");
}

}  // namespace
}  // namespace opstack::rules
