#include "opstack/reputation/fault_accounts.hpp"

#include <gtest/gtest.h>

#include "opstack/reputation/reputation_test_support.hpp"
#include "opstack/reputation/scoring_profiles.hpp"

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

const std::string kAccountsTopic = "/optimism/10/3/blocks";

// A score function under `opp2p`, whose counts go to the accounts as a node's do.
class AccountsOfAScorer : public ::testing::Test, private libp2p::gossipsub::DeliveryObserver {
 protected:
  AccountsOfAScorer() {
    scorer.on_peer_added(peer(1), now());
    scorer.set_observer(this);
  }
  ~AccountsOfAScorer() override {
    accounts.check();
    scorer.check();
  }
  static libp2p::Now now() { return {mono(1), libp2p::UnixTime(libp2p::Seconds(1'700'000'000))}; }
  static libp2p::gossipsub::MessageId id(std::uint8_t message) {
    return *libp2p::gossipsub::MessageId::from(libp2p::Bytes(20, message));
  }
  // The peer brings an invalid message and sends it again.
  void send(std::uint8_t message, int copies) {
    scorer.on_validation_begun(peer(1), kAccountsTopic, id(message), now());
    scorer.on_rejected(peer(1), kAccountsTopic, id(message), libp2p::gossipsub::RejectCause::invalid, now());
    for (int copy = 0; copy < copies; ++copy) scorer.on_duplicate(peer(1), kAccountsTopic, id(message), now());
  }

  const ScoringProfile profile =
      make_scoring_profile("opp2p", {libp2p::Seconds(2), {kAccountsTopic}}, ProfileUse::node).value();
  libp2p::gossipsub::PeerScorer scorer{*profile.params, 7, now()};
  FaultAccounts accounts{&scorer, profile};
  FaultKind kind = FaultKind::bad_block_hash;
  std::size_t blamed = 0;
  std::size_t counted = 0;  // by the score function, copies too

 private:
  void on_valid(const PeerId&, std::string_view, const libp2p::gossipsub::MessageId&, libp2p::Now) override {}
  void on_invalid(const PeerId& who, std::string_view, const libp2p::gossipsub::MessageId& message,
                  libp2p::gossipsub::RejectCause, const InvalidCount& count, libp2p::Now at) override {
    ++counted;
    const auto one = fault(kind, libp2p::to_hex(message.bytes()));
    blamed = accounts.blame(who, one, count, 8, at.mono).blamed_messages;
  }
};

TEST_F(AccountsOfAScorer, eight_messages_cost_the_same_when_each_comes_several_times) {
  for (std::uint8_t message = 1; message <= 8; ++message) send(message, 3);
  EXPECT_EQ(counted, 32U) << "the score function counts copies";
  EXPECT_EQ(blamed, 8U);
  EXPECT_NEAR(scorer.score(peer(1)), -38.4, 1e-9);
  EXPECT_GT(scorer.score(peer(1)), profile.thresholds.graylist);
}

TEST_F(AccountsOfAScorer, copies_are_free_where_nothing_is_held_back) {
  kind = FaultKind::invalid_snappy;
  for (std::uint8_t message = 1; message <= 2; ++message) send(message, 5);
  EXPECT_NEAR(scorer.score(peer(1)), -2.4, 1e-9);
}

// It learns of the new signer with the next block: what it took for a wrong signature is void.
TEST_F(AccountsOfAScorer, a_change_of_the_signer_gives_back_what_wrong_signatures_cost) {
  kind = FaultKind::invalid_signature;
  accounts.on_first(peer(2), mono(1));
  for (std::uint8_t message = 1; message <= 8; ++message) send(message, 1);
  ASSERT_NEAR(scorer.score(peer(1)), -38.4, 1e-9);
  accounts.on_signer_changed();
  EXPECT_EQ(scorer.score(peer(1)), 0);
  EXPECT_TRUE(accounts.ledger().faults_of(peer(1)).empty());
}

TEST_F(AccountsOfAScorer, one_block_that_this_node_was_late_to_understand_costs_nothing) {
  kind = FaultKind::non_zero_blob_gas_used;
  accounts.on_first(peer(2), mono(1));
  send(1, 0);
  for (int second = 2; second <= 620; ++second) {
    if (second % 2 == 0) accounts.on_first(peer(1), mono(second));
    accounts.on_timeout(mono(second));
    ASSERT_EQ(scorer.score(peer(1)), 0) << second;
  }
}

}  // namespace
}  // namespace opstack::reputation
