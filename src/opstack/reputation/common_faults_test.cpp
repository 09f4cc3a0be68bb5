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
    for (auto n = first; n <= last; ++n) {
      common.on_first(peer(n), mono(at));
      common.on_accepted(peer(n), mono(at));
    }
  }
  // A message of its own.
  auto refuse(std::uint8_t n, double at, FaultKind kind = kOurs) {
    const auto now = libp2p::MonoTime(std::chrono::duration_cast<libp2p::Nanos>(std::chrono::duration<double>(at)));
    common.on_refused(kind, now);
    return common.on_fault(peer(n), kind, connected, now);
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

TEST_F(CommonFaultsTest, are_not_found_by_one_or_two_peers) {
  accept(1, 2);
  EXPECT_FALSE(blame(1));
  EXPECT_FALSE(blame(2)) << "others may have been told not to send";
}

// Two attackers in the mesh of a node beside its sequencer send copies; others are told not to.
TEST_F(CommonFaultsTest, are_not_those_of_peers_that_only_send_copies) {
  for (int block = 0; block < 8; ++block) common.on_first(peer(block < 4 ? 1 : 2), mono(0));
  for (std::uint8_t n = 1; n <= 4; ++n) common.on_accepted(peer(n), mono(0));
  for (std::uint8_t n = 2; n <= 4; ++n) EXPECT_FALSE(blame(n)) << "half of the first ones is not more than half";
  common.on_first(peer(2), mono(2));
  EXPECT_TRUE(blame(2, kOurs, 3).has_value());
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
  for (std::int64_t at = 2; at < 7200; at += 2) refuse(1, static_cast<double>(at));
  EXPECT_TRUE(common.is_ours(kOurs));
  EXPECT_THAT(common.on_accepted(peer(2), mono(7200)), IsEmpty()) << "a late copy of an old block";
  common.on_first(peer(1), mono(7201));
  EXPECT_THAT(common.on_accepted(peer(1), mono(7201)), ElementsAre(kOurs)) << "the blocks are right again";
}

TEST_F(CommonFaultsTest, count_only_what_happened_within_ten_minutes) {
  accept(1, 3);
  blame(1, kOurs, 1);
  accept(1, 3, 590);
  EXPECT_TRUE(blame(2, kOurs, 600).has_value());
  CommonFaults late;
  for (std::uint8_t n = 1; n <= 3; ++n) {
    late.on_first(peer(n), mono(0));
    late.on_accepted(peer(n), mono(0));
  }
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
  accept(1, 12);
  for (std::uint8_t n = 1; n <= 4; ++n) EXPECT_FALSE(blame(n)) << "they are not asked any more";
  for (std::uint8_t n = 5; n <= 8; ++n) EXPECT_FALSE(blame(n));
  const auto found = blame(9);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->peers, 5U);
  EXPECT_EQ(found->of, kMostBringers);
}

TEST_F(CommonFaultsTest, of_a_node_that_publishes_blocks_are_never_its_own) {
  common.on_published();
  EXPECT_TRUE(common.has_accepted());
  for (std::int64_t at = 1; at < 100; ++at) EXPECT_FALSE(blame(static_cast<std::uint8_t>(at), kOurs, at));
  common.on_accepted(peer(1), mono(100));
  EXPECT_FALSE(blame(1, kOurs, 101)) << "who sends its own block back to it brings nothing";
}

TEST_F(CommonFaultsTest, of_a_single_peer_that_brings_all_blocks_now_are_its_own) {
  accept(1, 4, 0);
  accept(5, 5, 11);
  EXPECT_FALSE(blame(5, kOurs, 12)) << "four others brought blocks not long ago";
}

TEST_F(CommonFaultsTest, are_those_that_a_node_sees_before_it_ever_accepted_a_block) {
  for (const int at : {1, 3, 5, 7, 9, 10}) EXPECT_FALSE(refuse(1, at)) << "a block that it accepts may come yet";
  EXPECT_TRUE(refuse(1, 11).has_value());
}

// One fast peer brings all of them: the others are told not to send.
TEST_F(CommonFaultsTest, are_those_of_anybody_when_no_block_is_accepted_for_five_block_times) {
  for (const double block_time : {0.2, 1.0, 2.0, 10.0}) {
    CommonFaults of_chain{libp2p::Nanos(static_cast<std::int64_t>(block_time * 1e9))};
    of_chain.on_first(peer(1), mono(0));
    of_chain.on_accepted(peer(1), mono(0));
    int messages = 0;
    for (bool ours = false; !ours; ++messages) {
      ASSERT_LT(messages, 7) << "the eighth bans, at block time " << block_time;
      const libp2p::MonoTime now(libp2p::Nanos(static_cast<std::int64_t>((1 + messages * block_time) * 1e9)));
      of_chain.on_refused(kOurs, now);
      ours = of_chain.on_fault(peer(2), kOurs, connected, now).has_value();
    }
    EXPECT_EQ(messages, 6) << block_time;
  }
}

TEST_F(CommonFaultsTest, are_not_a_flood_while_the_chain_pauses) {
  accept(1, 3);
  for (int at = 1; at < 100; ++at) EXPECT_FALSE(refuse(1, at)) << "twice as fast as blocks";
}

TEST_F(CommonFaultsTest, count_a_message_once_for_the_pace_however_many_send_it) {
  accept(1, 3);
  for (int at = 1; at < 11; at += 2) {
    EXPECT_FALSE(refuse(10, at));
    for (std::uint8_t n = 11; n < 30; ++n) EXPECT_FALSE(blame(n, kOurs, at));
  }
  EXPECT_TRUE(refuse(10, 11).has_value());
}

TEST_F(CommonFaultsTest, are_the_peers_while_blocks_are_accepted) {
  accept(1, 3);
  for (std::int64_t at = 2; at < 60; at += 2) {
    EXPECT_FALSE(refuse(4, static_cast<double>(at)));
    EXPECT_THAT(common.on_first(peer(1), mono(at + 1)).excused, IsEmpty());
  }
}

TEST_F(CommonFaultsTest, are_excused_by_an_accepted_block_after_two_block_times) {
  accept(1, 3);
  refuse(1, 2);
  refuse(1, 4);
  const auto excused = common.on_first(peer(2), mono(6)).excused;
  ASSERT_EQ(excused.size(), 1U);
  EXPECT_EQ(excused[0].kind, kOurs);
  EXPECT_EQ(excused[0].since, mono(2));
  EXPECT_THAT(common.on_first(peer(2), mono(8)).excused, IsEmpty()) << "once";
  for (int flood = 0; flood < 20; ++flood) refuse(1, 9);
  EXPECT_THAT(common.on_first(peer(2), mono(12)).excused, IsEmpty()) << "blocks do not come so fast";
}

TEST_F(CommonFaultsTest, tell_the_first_accepted_block_of_all) {
  EXPECT_FALSE(common.has_accepted());
  EXPECT_TRUE(common.on_first(peer(1), mono(0)).is_very_first);
  EXPECT_FALSE(common.on_first(peer(1), mono(1)).is_very_first);
  EXPECT_TRUE(common.has_accepted());
}

TEST_F(CommonFaultsTest, are_over_when_what_was_believed_is_changed) {
  accept(1, 8);
  for (std::uint8_t n = 1; n <= 5; ++n) blame(n);
  ASSERT_TRUE(common.is_ours(kOurs));
  common.on_learned(kOurs);
  EXPECT_FALSE(common.is_ours(kOurs));
  EXPECT_FALSE(blame(6)) << "those of before say nothing now";
}

}  // namespace
}  // namespace opstack::reputation
