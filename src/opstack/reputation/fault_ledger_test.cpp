#include "opstack/reputation/fault_ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libp2p/base/rng.hpp"
#include "opstack/reputation/reputation_test_support.hpp"

namespace opstack::reputation {
namespace {

using test::fault;
using test::mono;
using test::peer;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr FaultKind kHash = FaultKind::bad_block_hash;
constexpr FaultKind kSignature = FaultKind::invalid_signature;

std::vector<std::string> ids_of(const std::vector<Fault>& faults) {
  std::vector<std::string> out;
  for (const auto& one : faults) out.push_back(one.message_id);
  return out;
}

TEST(FaultLedger, counts_different_messages_within_ten_minutes) {
  FaultLedger ledger;
  for (int n = 0; n < 5; ++n) {
    const auto noted = ledger.on_fault(peer(1), fault(kHash, std::to_string(n)), std::nullopt, mono(100 * n));
    EXPECT_TRUE(noted.is_new);
    EXPECT_EQ(noted.blamed_messages, static_cast<std::size_t>(n) + 1);
  }
  EXPECT_EQ(ledger.blamed_messages(peer(1), mono(599)), 5U);
  EXPECT_EQ(ledger.blamed_messages(peer(1), mono(600)), 4U);
  EXPECT_EQ(ledger.blamed_messages(peer(1), mono(1000)), 0U);
  EXPECT_EQ(ledger.blamed_messages(peer(2), mono(599)), 0U);
  EXPECT_THAT(ledger.faults_of(peer(1)), SizeIs(5)) << "they stay on record";
  ledger.check();
}

TEST(FaultLedger, takes_a_copy_of_a_message_for_no_new_fault) {
  FaultLedger ledger;
  ledger.on_fault(peer(1), fault(kHash, "a"), InvalidCount{1, 0, 0}, mono(0));
  const auto noted = ledger.on_fault(peer(1), fault(kHash, "a"), InvalidCount{1, 1, 0}, mono(1));
  EXPECT_FALSE(noted.is_new);
  EXPECT_EQ(noted.blamed_messages, 1U);
  EXPECT_THAT(ledger.faults_of(peer(1)), SizeIs(1));
  EXPECT_TRUE(noted.is_free) << "a message is paid for once";
  EXPECT_THAT(ledger.forget(kHash), SizeIs(1));
}

TEST(FaultLedger, counts_every_message_that_has_no_name) {
  FaultLedger ledger;
  for (int n = 0; n < 3; ++n) ledger.on_fault(peer(1), fault(FaultKind::message_policy, ""), std::nullopt, mono(n));
  EXPECT_EQ(ledger.blamed_messages(peer(1), mono(3)), 3U);
  ledger.check();
}

TEST(FaultLedger, keeps_faults_of_sync_and_counts_none_of_them_as_a_message) {
  FaultLedger ledger;
  EXPECT_EQ(ledger.on_fault(peer(1), fault(FaultKind::sync_bad_hash, ""), std::nullopt, mono(0)).blamed_messages, 0U);
  EXPECT_THAT(ledger.faults_of(peer(1)), SizeIs(1));
}

TEST(FaultLedger, forgets_the_oldest_fault_of_a_peer_and_the_peer_that_was_blamed_least_recently) {
  FaultLedger ledger(FaultLedgerLimits{2, 3});
  for (int n = 0; n < 5; ++n) ledger.on_fault(peer(1), fault(kHash, std::to_string(n)), std::nullopt, mono(n));
  EXPECT_EQ(ids_of(ledger.faults_of(peer(1))), (std::vector<std::string>{"2", "3", "4"}));
  EXPECT_EQ(ids_of(ledger.last_faults_of(peer(1), 2)), (std::vector<std::string>{"3", "4"}));
  ledger.on_fault(peer(2), fault(kHash, "x"), std::nullopt, mono(6));
  ledger.on_fault(peer(1), fault(kHash, "y"), std::nullopt, mono(7));
  ledger.on_fault(peer(3), fault(kHash, "z"), std::nullopt, mono(8));
  EXPECT_EQ(ledger.peers(), 2U);
  EXPECT_THAT(ledger.faults_of(peer(2)), IsEmpty());
  EXPECT_THAT(ledger.faults_of(peer(1)), SizeIs(3));
  ledger.check();
}

TEST(FaultLedger, gives_back_the_costs_of_one_kind_and_forgets_its_faults) {
  FaultLedger ledger;
  for (std::uint8_t n = 1; n <= 3; ++n) {
    ledger.on_fault(peer(n), fault(kSignature, "a"), InvalidCount{n, 0, 0}, mono(n));
    ledger.on_fault(peer(n), fault(kHash, "b"), InvalidCount{n, 1, 0}, mono(n));
  }
  ledger.on_fault(peer(4), fault(kSignature, "a"), InvalidCount{4, 0, 0}, mono(5));
  const auto costs = ledger.forget(kSignature);
  ASSERT_THAT(costs, SizeIs(4));
  for (const auto& cost : costs) EXPECT_EQ(cost.decays, 0U);
  EXPECT_EQ(ids_of(ledger.faults_of(peer(2))), std::vector<std::string>{"b"});
  EXPECT_THAT(ledger.faults_of(peer(4)), IsEmpty());
  EXPECT_EQ(ledger.peers(), 3U);
  ledger.forget(peer(2));
  EXPECT_EQ(ledger.blamed_messages(peer(2), mono(5)), 0U);
  ledger.check();
}

TEST(FaultLedger, keeps_its_bounds_whatever_happens) {
  libp2p::SeededRng rng(7);
  FaultLedger ledger(FaultLedgerLimits{4, 3});
  for (std::int64_t step = 0; step < 3000; ++step) {
    const auto drawn = rng.next_u64();
    const auto who = peer(static_cast<std::uint8_t>(drawn % 7));
    const auto kind = drawn & 1024 ? kHash : kSignature;
    if (drawn % 61 == 0) {
      ledger.forget(kind);
    } else if (drawn % 53 == 0) {
      ledger.forget(who);
    } else {
      const auto noted =
          ledger.on_fault(who, fault(kind, std::to_string(drawn / 7 % 9)), InvalidCount{1, 1, 1}, mono(step));
      ASSERT_EQ(noted.blamed_messages, ledger.blamed_messages(who, mono(step)));
    }
    ledger.check();
  }
}

class HeldCosts : public ::testing::Test {
 protected:
  ~HeldCosts() override { ledger.check(); }
  auto note(int message, std::int64_t at, FaultKind kind = kSignature) {
    return ledger.on_fault(peer(1), fault(kind, std::to_string(message)), InvalidCount{1, 0, 0}, mono(at));
  }
  FaultLedger ledger{{.hold = libp2p::Seconds(30), .most_held = 8}};
};

TEST_F(HeldCosts, count_after_their_time_and_those_of_copies_never) {
  EXPECT_TRUE(note(1, 0).is_free);
  EXPECT_TRUE(note(1, 5).is_free) << "a copy";
  EXPECT_TRUE(note(2, 10).is_free);
  EXPECT_THAT(ledger.settle(mono(29)), IsEmpty());
  EXPECT_THAT(ledger.settle(mono(30)), SizeIs(1));
  EXPECT_THAT(ledger.settle(mono(31)), IsEmpty());
  EXPECT_TRUE(note(1, 32).is_free) << "a copy of what counts already";
  EXPECT_THAT(ledger.settle(mono(40)), SizeIs(1));
}

TEST_F(HeldCosts, are_all_due_with_the_message_that_leads_to_a_ban) {
  for (int n = 1; n <= 8; ++n) EXPECT_TRUE(note(n, n).is_free);
  EXPECT_THAT(ledger.settle(peer(1)), SizeIs(8));
  EXPECT_FALSE(note(9, 9).is_free) << "where no ban follows, nothing is held any more";
}

TEST_F(HeldCosts, are_not_given_back_for_they_were_never_counted) {
  note(1, 0);
  ledger.settle(mono(30));
  note(2, 31);
  EXPECT_THAT(ledger.forget(kSignature), SizeIs(1));
  EXPECT_THAT(ledger.settle(mono(100)), IsEmpty());
}

TEST_F(HeldCosts, can_be_dropped_and_the_faults_stay_on_record) {
  note(1, 0);
  ledger.drop_held();
  EXPECT_THAT(ledger.settle(mono(100)), IsEmpty());
  EXPECT_THAT(ledger.settle(peer(1)), IsEmpty());
  EXPECT_THAT(ledger.faults_of(peer(1)), SizeIs(1));
}

TEST_F(HeldCosts, are_not_for_faults_that_no_belief_can_cause) {
  EXPECT_FALSE(note(1, 0, FaultKind::invalid_snappy).is_free);
  EXPECT_FALSE(note(2, 0, FaultKind::message_policy).is_free);
  EXPECT_TRUE(note(3, 0, FaultKind::non_zero_blob_gas_used).is_free);
}

// One message alone proves nothing: this node may have been behind by a block.
class ProvenCosts : public HeldCosts {
 protected:
  ProvenCosts() : proving({.hold = libp2p::Seconds(30), .proof = 2, .most_held = 8}) {}
  ~ProvenCosts() override { proving.check(); }
  void prove(int message, std::int64_t at, FaultKind kind = kSignature) {
    proving.on_fault(peer(1), fault(kind, std::to_string(message)), InvalidCount{1, 0, 0}, mono(at));
  }
  FaultLedger proving;
};

TEST_F(ProvenCosts, count_with_the_second_message_of_their_kind) {
  prove(1, 0);
  EXPECT_THAT(proving.settle(mono(100)), IsEmpty());
  prove(2, 110, kHash);
  EXPECT_THAT(proving.settle(mono(150)), IsEmpty()) << "another kind";
  prove(3, 160);
  EXPECT_THAT(proving.settle(mono(189)), IsEmpty());
  EXPECT_THAT(proving.settle(mono(190)), SizeIs(2));
  prove(4, 200);
  EXPECT_THAT(proving.settle(mono(230)), SizeIs(1)) << "and so does every further one";
}

TEST_F(ProvenCosts, never_count_when_none_follows_within_the_window) {
  prove(1, 0);
  EXPECT_THAT(proving.settle(mono(600)), IsEmpty());
  prove(2, 620);
  EXPECT_THAT(proving.settle(mono(700)), IsEmpty());
  EXPECT_THAT(proving.faults_of(peer(1)), SizeIs(2)) << "they stay on record";
}

}  // namespace
}  // namespace opstack::reputation
