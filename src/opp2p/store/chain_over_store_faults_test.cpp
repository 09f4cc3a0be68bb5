// The unsafe chain over the store in memory: signed blocks of wrong numbers, disks that fail, and blocks that the
// operator has denied. None of them stops the head for good.
#include <gtest/gtest.h>

#include "opp2p/store/chain_over_store_test.hpp"

namespace opp2p::testing_over_store {
namespace {

// A block whose parent is not the one below it.
Block misnumbered(std::uint64_t number, std::uint64_t parent, unsigned fork) {
  auto envelope = *block(number, fork, 0).envelope;
  envelope.payload.parent_hash = hash_of(parent, 0);
  return Block(opstack::payload::Version::v1, std::make_shared<const opstack::payload::Envelope>(std::move(envelope)),
               libp2p::share(libp2p::Bytes(100, 0)));
}

// One block each two seconds, as the sequencer makes them.
void go_on(ChainOverStore& world, std::uint64_t first, std::uint64_t last, std::uint8_t signer = 1) {
  for (std::uint64_t n = first; n <= last; ++n) {
    world.signed_by(signer, block(n, 0, 0));
    world.wait(Seconds(2));
  }
}

TEST(ChainOverFaults, a_signed_block_that_names_the_head_as_its_parent_under_another_number_does_not_stop_the_head) {
  for (const std::uint64_t number : {13, 10, 9}) {
    ChainOverStore world;
    world.signed_run(1, 10, 0);
    world.signed_by(1, misnumbered(number, 10, 7));
    go_on(world, 11, 100);
    EXPECT_EQ(world.head_hash(), hash_of(100, 0)) << number;
    EXPECT_EQ(world.chain().waiting_blocks(), 0u) << number;
    EXPECT_EQ(world.defect(), "") << number;
  }
}

TEST(ChainOverFaults, nor_does_one_that_names_a_block_below_the_head_nor_one_before_a_change_of_the_signer) {
  for (std::uint8_t signer = 1; signer <= 2; ++signer) {
    ChainOverStore world;
    world.signed_run(1, 10, 0);
    world.signed_by(1, misnumbered(13, 8, 7));
    world.signed_by(1, misnumbered(14, 10, 7));
    world.rotate(signer);
    go_on(world, 11, 100, signer);
    EXPECT_EQ(world.head_hash(), hash_of(100, 0));
    EXPECT_EQ(world.chain().waiting_blocks(), 0u);
  }
}

TEST(ChainOverFaults, a_fetched_block_that_a_wrong_number_asked_for_does_not_stop_the_head) {
  ChainOverStore world;
  world.sources(true);
  world.signed_run(1, 10, 0);
  world.signed_by(1, misnumbered(15, 12, 9));
  world.wait(Seconds(2));
  world.fetched(block(12, 0, 0));
  world.fetched(block(11, 0, 0));
  go_on(world, 11, 100);
  EXPECT_EQ(world.head_hash(), hash_of(100, 0));
}

TEST(ChainOverFaults, after_an_outage_a_block_of_a_wrong_number_does_not_stop_the_head_with_sources_or_without) {
  for (const bool sources : {true, false}) {
    ChainOverStore world;
    world.signed_run(1, 10, 0);
    world.wait(Seconds(600));                     // the sequencer is away
    world.signed_by(1, misnumbered(310, 10, 7));  // the number of now, on the block that all have
    world.sources(sources);
    for (std::uint64_t n = 285; n <= 500; ++n) {  // it is back; gossip takes no block that is older than a minute
      world.signed_block(n, 0, 0);
      for (int i = 0; sources && i < 20; ++i) {
        const auto gaps = world.gaps();
        if (gaps.empty()) break;
        world.fetched(block(gaps[0].child.number - 1, 0, 0));
      }
      world.wait(Seconds(2));
    }
    EXPECT_EQ(world.head_hash(), hash_of(500, 0)) << sources;
    EXPECT_EQ(world.chain().holes(), sources ? 0u : 1u);
    EXPECT_EQ(world.defect(), "");
  }
}

TEST(ChainOverFaults, a_signed_block_of_the_highest_number_is_evidence) {
  ChainOverStore world;
  world.signed_run(1, 3, 0);
  auto envelope = *block(5, 7, 0).envelope;
  envelope.payload.block_number = UINT64_MAX;
  envelope.payload.timestamp = UINT64_MAX;
  const Block far(opstack::payload::Version::v1, std::make_shared<const opstack::payload::Envelope>(envelope),
                  libp2p::share(libp2p::Bytes(100, 0)));
  EXPECT_EQ(world.signed_by(1, far).arrival, Arrival::evidence);
  world.wait(Seconds(200));
  EXPECT_EQ(world.head(), 3u);
}

TEST(ChainOverFaults, an_era_that_a_full_disk_did_not_take_is_given_to_it_again) {
  ChainOverStore world;
  world.rotate(1);
  world.signed_run(1, 10, 0);
  world.disk().fail_writes(1);
  world.rotate(2);
  world.signed_by(2, block(11, 0, 0));
  world.rotate(1);
  world.signed_by(1, block(12, 0, 0));
  world.wait(Seconds(10));
  EXPECT_EQ(world.head(), 12u);
  EXPECT_EQ(world.store().view(1).value().eras.size(), 3u);
  EXPECT_EQ(world.defect(), "");
  world.restart();
  world.rotate(1);
  go_on(world, 13, 60);
  EXPECT_EQ(world.head(), 60u);
}

TEST(ChainOverFaults, the_patience_goes_on_over_failed_writes) {
  ChainOverStore world;
  world.sources(true);
  world.signed_run(1, 10, 0);
  world.signed_run(12, 13, 0);
  for (std::uint64_t n = 14; n < 94; ++n) {  // 160 s; 11 is nowhere
    if (n == 40 || n == 70) world.disk().fail_writes(1);
    world.signed_block(n, 0, 0);
    world.wait(Seconds(2));
  }
  EXPECT_EQ(world.head(), 93u);
}

TEST(ChainOverFaults, the_patience_goes_on_when_a_source_joins_two_runs) {
  UnsafeChainConfig config;
  config.silence = 100000;
  ChainOverStore world(0, config);
  world.sources(true);
  world.signed_run(1, 30, 0);
  for (const std::uint64_t n : {20, 23, 26}) world.signed_block(n, 1, 1);  // each loses by itself
  world.signed_run(29, 31, 1);
  world.wait(Seconds(100));
  EXPECT_EQ(world.head_hash(), hash_of(30, 0));
  world.fetched(block(28, 1, 1));
  world.fetched(block(27, 1, 1));
  world.wait(Seconds(21));
  EXPECT_EQ(world.head_hash(), hash_of(31, 1)) << "121 s after it came";
}

// ---- denied blocks ----

// A head of 10, and the operator has denied block 11 of branch 7. It keeps the chain in the era of the denial.
void deny_branch_7(ChainOverStore& world) {
  world.signed_run(1, 10, 0);
  world.rewind(10, hash_of(11, 7));
}

TEST(ChainOverFaults, a_denied_block_is_refused_though_the_operator_vouches_for_it) {
  ChainOverStore world;
  deny_branch_7(world);
  world.advance(Seconds(100));
  EXPECT_EQ(world.vouched(block(11, 7, 0)).arrival, Arrival::evidence);
  EXPECT_EQ(world.head(), 10u);
}

TEST(ChainOverFaults, a_denied_branch_that_goes_on_costs_no_more_than_the_blocks_down_to_the_denied_one) {
  for (const std::uint64_t lowest_served : {11, 13}) {
    ChainOverStore world;
    deny_branch_7(world);
    world.sources(true);
    world.signed_run(15, 20, 7);
    std::size_t taken = 0;
    for (std::uint64_t i = 0; i < 200; ++i) {
      world.signed_block(21 + i, 7, 7);
      for (int j = 0; j < 20; ++j) {
        const auto gaps = world.gaps();
        if (gaps.empty() || gaps[0].child.number - 1 < lowest_served) break;
        const std::uint64_t n = gaps[0].child.number - 1;
        if (world.fetched(block(n, 7, n == 11 ? 0 : 7)).arrival == Arrival::kept) ++taken;
      }
      if (i > 100) world.signed_block(i - 90, 0, 0);  // the honest branch, from 11
      world.wait(Seconds(2));
    }
    EXPECT_LE(taken, 4u) << lowest_served;
    EXPECT_EQ(world.head_hash(), hash_of(109, 0)) << "the honest branch is lower";
    EXPECT_EQ(world.defect(), "");
  }
}

TEST(ChainOverFaults, a_denied_branch_does_not_come_back_above_one_missed_block) {
  ChainOverStore world;
  world.signed_run(1, 10, 0);
  world.rewind(7, hash_of(8, 0));
  world.signed_run(12, 14, 0);  // 11 was missed; 9 and 10 are stored
  world.wait(Seconds(600));
  EXPECT_EQ(world.head(), 7u);
  world.sources(true);
  for (int i = 0; i < 60; ++i) {
    for (const auto& gap : world.gaps()) world.fetched(block(gap.child.number - 1, 0, 0));
    world.wait(Seconds(1));
  }
  EXPECT_LE(world.lost.size(), 2u) << "the denied block is not fetched again and again";
  EXPECT_EQ(world.head(), 7u);
}

TEST(ChainOverFaults, a_denied_branch_is_denied_a_day_later_too) {
  ChainOverStore world;
  world.signed_run(1, 11, 0);
  world.signed_branch(11, 30, 7);
  ASSERT_EQ(world.head_hash(), hash_of(30, 7));
  world.rewind(10, hash_of(11, 7));
  world.wait(Seconds(1));
  EXPECT_EQ(world.head_hash(), hash_of(11, 0));
  world.advance(std::chrono::hours(24));
  world.signed_run(31, 32, 7);
  world.wait(Seconds(130));
  EXPECT_EQ(world.head_hash(), hash_of(11, 0));
}

TEST(ChainOverFaults, a_denied_block_that_would_close_the_head_s_hole_leaves_the_hole_on_record) {
  ChainOverStore world;
  deny_branch_7(world);
  world.rotate(2);  // in the era of the denial a branch above a hole would not become the head
  for (std::uint64_t n = 12; n <= 14; ++n) world.signed_by(2, block(n, 7, 7));
  world.wait(Seconds(15));
  ASSERT_EQ(world.head(), 10u) << "its lowest block names the denied one";
  for (std::uint64_t n = 16; n <= 20; ++n) world.signed_by(2, block(n, 7, 7));
  world.wait(Seconds(15));
  ASSERT_EQ(world.head(), 20u);
  world.sources(true);
  world.fetched(block(15, 7, 7));
  world.wait(Seconds(600));
  EXPECT_EQ(world.head(), 10u) << "it turned out to descend from the denied block";
  EXPECT_EQ(world.segments_in_memory(), world.segments_on_disk());
  EXPECT_EQ(world.defect(), "");
}

}  // namespace
}  // namespace opp2p::testing_over_store
