#include "opstack/reputation/fault_accounts.hpp"

#include <gtest/gtest.h>

#include "opstack/reputation/reputation_test_support.hpp"

namespace opstack::reputation {
namespace {

using test::fault;
using test::mono;
using test::peer;

// Eight peers bring accepted blocks, each is the first once, and then each sends one message of this kind.
bool is_ours_when_all_commit_it(FaultKind kind) {
  FaultAccounts accounts(nullptr, ScoringProfile());
  for (std::uint8_t n = 1; n <= 8; ++n) {
    accounts.on_first(peer(n), mono(n));
    accounts.on_accepted(peer(n), mono(n));
  }
  for (std::uint8_t n = 1; n <= 8; ++n) {
    accounts.on_refused(kind, mono(10));
    accounts.blame(peer(n), fault(kind, std::to_string(n)), std::nullopt, 8, mono(10));
  }
  accounts.check();
  return accounts.common().is_ours(kind);
}

TEST(FaultAccounts, only_what_a_belief_can_cause_is_ever_the_nodes_own_fault) {
  for (std::size_t at = 0; at < kFaultKinds; ++at) {
    const auto kind = static_cast<FaultKind>(at);
    EXPECT_EQ(is_ours_when_all_commit_it(kind), may_be_ours(kind)) << fault_id(kind);
  }
}

TEST(FaultAccounts, a_fault_of_the_peer_is_on_record_once_and_its_copies_are_not_new) {
  FaultAccounts accounts(nullptr, ScoringProfile());
  const auto bad = fault(FaultKind::invalid_snappy, "a");
  const auto first = accounts.blame(peer(1), bad, std::nullopt, 8, mono(0));
  EXPECT_TRUE(first.is_new);
  EXPECT_EQ(first.blamed_messages, 1U);
  EXPECT_FALSE(first.found);
  EXPECT_FALSE(accounts.blame(peer(1), bad, std::nullopt, 8, mono(1)).is_new);
  EXPECT_EQ(accounts.ledger().faults_of(peer(1)).size(), 1U);
}

}  // namespace
}  // namespace opstack::reputation
