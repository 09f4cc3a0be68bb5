#include "opstack/reputation/common_faults.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libp2p/base/rng.hpp"
#include "opstack/reputation/reputation_test_support.hpp"

namespace opstack::reputation {
namespace {

using test::mono;
using test::peer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr FaultKind kOurs = FaultKind::invalid_signature;
constexpr FaultKind kOther = FaultKind::bad_block_hash;

class CommonFaultsTest : public ::testing::Test {
 protected:
  ~CommonFaultsTest() override { common.check(); }
  void accept(std::uint8_t first, std::uint8_t last, std::int64_t at = 0) {
    for (auto n = first; n <= last; ++n) common.on_accepted(peer(n), mono(at));
  }
  auto blame(std::uint8_t n, FaultKind kind = kOurs, std::int64_t at = 1) {
    return common.on_fault(peer(n), kind, connected, mono(at));
  }
  CommonFaults common;
  std::size_t connected = 8;
};

TEST_F(CommonFaultsTest, are_those_of_more_than_half_of_the_peers_that_bring_accepted_blocks) {
  accept(1, 8);
  for (std::uint8_t n = 1; n <= 4; ++n) EXPECT_FALSE(blame(n)) << "half is not more than half";
  EXPECT_FALSE(common.is_ours(kOurs));
  const auto found = blame(5);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->peers, 5U);
  EXPECT_EQ(found->of, 8U);
  EXPECT_TRUE(common.is_ours(kOurs));
  EXPECT_FALSE(common.is_ours(kOther)) << "each kind by itself";
  EXPECT_FALSE(blame(6)) << "it is found once";
  EXPECT_THAT(CommonFaults::text(kOurs, *found), HasSubstr("5 of the 8 peers"));
  EXPECT_THAT(CommonFaults::text(kOurs, *found), HasSubstr("signer"));
}

TEST_F(CommonFaultsTest, are_not_found_when_one_peer_commits_them_often) {
  accept(1, 3);
  for (int n = 0; n < 100; ++n) EXPECT_FALSE(blame(1));
  EXPECT_FALSE(common.is_ours(kOurs));
}

TEST_F(CommonFaultsTest, leave_peers_without_a_say_that_never_brought_an_accepted_block) {
  accept(1, 3);
  for (std::uint8_t n = 10; n < 200; ++n) EXPECT_FALSE(blame(n));
  EXPECT_FALSE(common.is_ours(kOurs));
  blame(1);
  EXPECT_TRUE(blame(2).has_value());
}

TEST_F(CommonFaultsTest, of_one_or_two_peers_need_all_of_them) {
  accept(1, 2);
  EXPECT_FALSE(blame(1)) << "one of two decides nothing";
  EXPECT_TRUE(blame(2).has_value());
  CommonFaults alone;
  alone.on_accepted(peer(1), mono(0));
  EXPECT_TRUE(alone.on_fault(peer(1), kOurs, 1, mono(1)).has_value()) << "who else could know";
}

TEST_F(CommonFaultsTest, of_a_node_that_never_accepted_a_block_need_three_and_more_than_half_of_the_connected) {
  connected = 6;
  for (std::uint8_t n = 1; n <= 3; ++n) EXPECT_FALSE(blame(n));
  EXPECT_TRUE(blame(4).has_value());
  CommonFaults small;
  EXPECT_FALSE(small.on_fault(peer(1), kOurs, 2, mono(1)).has_value());
  EXPECT_FALSE(small.on_fault(peer(2), kOurs, 2, mono(1)).has_value()) << "two strangers may be one";
}

TEST_F(CommonFaultsTest, end_when_accepted_blocks_show_otherwise) {
  connected = 3;
  for (std::uint8_t n = 1; n <= 3; ++n) blame(n);
  ASSERT_TRUE(common.is_ours(kOurs));
  EXPECT_THAT(common.on_accepted(peer(9), mono(2)), ElementsAre(kOurs)) << "an honest peer has come";
  EXPECT_FALSE(common.is_ours(kOurs));
  EXPECT_THAT(common.on_accepted(peer(9), mono(3)), IsEmpty());
}

TEST_F(CommonFaultsTest, last_while_no_block_is_accepted) {
  accept(1, 4);
  for (std::uint8_t n = 1; n <= 3; ++n) blame(n);
  ASSERT_TRUE(common.is_ours(kOurs));
  for (std::int64_t at = 2; at < 7200; at += 2) blame(1, kOurs, at);
  EXPECT_TRUE(common.is_ours(kOurs));
  EXPECT_THAT(common.on_accepted(peer(1), mono(7200)), IsEmpty()) << "it still commits it, and is the only one to ask";
  EXPECT_THAT(common.on_accepted(peer(2), mono(7201)), ElementsAre(kOurs));
}

TEST_F(CommonFaultsTest, count_only_what_happened_within_ten_minutes) {
  accept(1, 3);
  blame(1, kOurs, 1);
  accept(1, 3, 590);
  EXPECT_TRUE(blame(2, kOurs, 600).has_value());
  CommonFaults late;
  for (std::uint8_t n = 1; n <= 3; ++n) late.on_accepted(peer(n), mono(0));
  late.on_fault(peer(1), kOurs, 8, mono(1));
  for (std::uint8_t n = 1; n <= 3; ++n) late.on_accepted(peer(n), mono(500));
  EXPECT_FALSE(late.on_fault(peer(2), kOurs, 8, mono(602)).has_value());
}

// The attack that the rules allow: more than half of those that bring our blocks are the attacker's.
TEST_F(CommonFaultsTest, can_be_claimed_by_an_attacker_with_most_of_the_peers_and_end_with_more_honest_ones) {
  accept(1, 2);
  accept(11, 13);
  for (std::uint8_t n = 11; n <= 13; ++n) blame(n);
  ASSERT_TRUE(common.is_ours(kOurs));
  EXPECT_THAT(common.on_accepted(peer(3), mono(2)), ElementsAre(kOurs));
}

TEST_F(CommonFaultsTest, keep_their_bounds_whatever_happens) {
  libp2p::SeededRng rng(3);
  for (std::int64_t step = 0; step < 20000; ++step) {
    const auto drawn = rng.next_u64();
    const auto who = libp2p::PeerId::from_bytes(libp2p::Bytes{0x00, 0x02, static_cast<std::uint8_t>(drawn),
                                                              static_cast<std::uint8_t>(drawn >> 8 & 3)})
                         .value();
    if (drawn & (1 << 20)) {
      common.on_accepted(who, mono(step / 8));
    } else {
      common.on_fault(who, static_cast<FaultKind>(drawn >> 24 & 7), 20, mono(step / 8));
    }
    if (step % 64 == 0) common.check();
  }
}

TEST_F(CommonFaultsTest, ask_only_the_eight_peers_that_brought_the_last_accepted_blocks) {
  for (std::uint8_t n = 1; n <= 12; ++n) common.on_accepted(peer(n), mono(0));
  for (std::uint8_t n = 1; n <= 4; ++n) EXPECT_FALSE(blame(n)) << "they are not asked any more";
  for (std::uint8_t n = 5; n <= 8; ++n) EXPECT_FALSE(blame(n));
  const auto found = blame(9);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->peers, 5U);
  EXPECT_EQ(found->of, kMostBringers);
}

TEST_F(CommonFaultsTest, do_not_ask_who_brought_nothing_since_long_before_the_last_accepted_block) {
  accept(1, 4, 0);
  accept(5, 5, 11);
  EXPECT_TRUE(blame(5, kOurs, 12).has_value()) << "the only one that brings blocks now";
}

// A node beside its sequencer: the sequencer is always first, and the others are told not to send.
TEST_F(CommonFaultsTest, are_those_of_the_usual_first_bringer_when_no_block_is_accepted_any_more) {
  accept(1, 3);
  for (int block = 0; block < 8; ++block) common.on_first(peer(block < 5 ? 1 : 2));
  EXPECT_FALSE(blame(1, kOurs, 2));
  EXPECT_FALSE(blame(1, kOurs, 11)) << "there may be an accepted block yet";
  EXPECT_TRUE(blame(1, kOurs, 12).has_value());
}

TEST_F(CommonFaultsTest, of_the_usual_first_bringer_are_its_own_while_blocks_are_accepted) {
  accept(1, 3);
  for (int block = 0; block < 8; ++block) common.on_first(peer(1));
  for (std::int64_t at = 2; at < 60; at += 2) {
    EXPECT_FALSE(blame(1, kOurs, at));
    accept(1, 3, at + 1);
  }
  for (int block = 0; block < 5; ++block) common.on_first(peer(2));
  for (std::int64_t at = 62; at < 90; at += 2) EXPECT_FALSE(blame(1, kOurs, at)) << "it is not the usual one any more";
}

TEST_F(CommonFaultsTest, tell_the_first_accepted_block_of_all) {
  EXPECT_FALSE(common.has_accepted());
  EXPECT_TRUE(common.on_first(peer(1)));
  EXPECT_FALSE(common.on_first(peer(1)));
  EXPECT_TRUE(common.has_accepted());
}

}  // namespace
}  // namespace opstack::reputation
