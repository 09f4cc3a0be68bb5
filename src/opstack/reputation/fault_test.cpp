#include "opstack/reputation/fault.hpp"

#include <gtest/gtest.h>

#include <set>

#include "opstack/reputation/ban.hpp"

namespace opstack::reputation {
namespace {

using rules::Reason;

struct BlameRow {
  Reason reason;
  int line;  // of op-node surface, 5.5; 0: a reason of ours
  bool blamed;
};
constexpr BlameRow kBlameRows[] = {
    {Reason::valid, 19, false},
    {Reason::invalid_snappy_length, 1, true},
    {Reason::decoded_length_too_large, 2, true},
    {Reason::undersized, 3, true},
    {Reason::invalid_snappy, 4, true},
    {Reason::no_signer_configured, 5, false},
    {Reason::invalid_signature, 6, true},
    {Reason::invalid_payload, 7, true},
    {Reason::invalid_envelope, 7, true},
    {Reason::too_old, 8, false},
    {Reason::too_new, 9, false},
    {Reason::bad_block_hash, 10, true},
    {Reason::unexpected_withdrawals, 11, true},
    {Reason::missing_withdrawals, 11, true},
    {Reason::non_empty_withdrawals, 11, true},
    {Reason::unexpected_blob_gas_used, 12, true},
    {Reason::unexpected_excess_blob_gas, 12, true},
    {Reason::missing_blob_gas_used, 13, true},
    {Reason::non_zero_blob_gas_used, 13, true},
    {Reason::missing_excess_blob_gas, 14, true},
    {Reason::non_zero_excess_blob_gas, 14, true},
    {Reason::missing_parent_beacon_block_root, 15, true},
    {Reason::missing_withdrawals_root, 16, true},
    {Reason::extra_rule, 0, false},
    {Reason::too_many_blocks_at_height, 17, false},
    {Reason::already_seen, 18, false},
    {Reason::internal_error, 0, false},
    {Reason::validation_queue_full, 0, false},
};
static_assert(std::size(kBlameRows) == rules::kReasonCount, "the table has a row for every reason");

TEST(Blame, is_on_whoever_sends_what_no_honest_peer_passes_on) {
  std::set<Reason> seen;
  for (const auto& [reason, line, blamed] : kBlameRows) {
    seen.insert(reason);
    EXPECT_EQ(is_blamed(reason, true), blamed) << rules::reason_id(reason) << ", line " << line;
    const auto kind = fault_of(reason, true);
    ASSERT_EQ(kind.has_value(), blamed) << rules::reason_id(reason);
    if (!kind) continue;
    EXPECT_EQ(fault_id(*kind), rules::reason_id(reason));
    EXPECT_TRUE(is_of_gossip(*kind));
  }
  EXPECT_EQ(seen.size(), rules::kReasonCount);
}

TEST(Blame, for_a_signature_needs_a_signer_that_is_known) {
  for (const auto& [reason, line, blamed] : kBlameRows)
    EXPECT_EQ(is_blamed(reason, false), blamed && reason != Reason::invalid_signature) << rules::reason_id(reason);
}

TEST(FaultKind, has_an_id_of_its_own_that_leads_back_to_it) {
  std::set<std::string_view> ids;
  for (std::size_t at = 0; at < kFaultKinds; ++at) {
    const auto kind = static_cast<FaultKind>(at);
    EXPECT_TRUE(ids.insert(fault_id(kind)).second) << fault_id(kind);
    EXPECT_EQ(fault_of(fault_id(kind)), kind);
  }
  EXPECT_FALSE(fault_of(std::string_view("too_old")).has_value());
  EXPECT_FALSE(fault_of(std::string_view()).has_value());
}

TEST(FaultKind, of_an_answer_of_sync_is_none_of_gossip) {
  for (std::size_t at = 0; at < sync::kSyncFaultKinds; ++at) {
    const auto kind = static_cast<sync::SyncFaultKind>(at);
    EXPECT_EQ(fault_id(fault_of(kind)), "sync_" + std::string(sync::fault_id(kind)));
    EXPECT_FALSE(is_of_gossip(fault_of(kind)));
  }
}

TEST(BanRule, has_an_id_that_leads_back_to_it) {
  for (std::size_t at = 0; at < kBanRules; ++at) {
    const auto rule = static_cast<BanRule>(at);
    EXPECT_EQ(ban_rule_of(ban_rule_id(rule)), rule);
  }
  EXPECT_FALSE(ban_rule_of("score").has_value());
}

}  // namespace
}  // namespace opstack::reputation
