#include "opstack/sync/engine/unsafe_chain.hpp"

#include <gtest/gtest.h>

#include "opstack/sync/engine/sync_world_test.hpp"

namespace opstack::sync {
namespace {

using testing_world::block_at;
using testing_world::hash_of;
using testing_world::peer_named;

struct Seen {
  std::vector<std::uint64_t> appended;
  std::vector<ChainTrace> traces;
  std::size_t count(ChainTraceKind kind) const {
    return static_cast<std::size_t>(
        std::count_if(traces.begin(), traces.end(), [&](const auto& t) { return t.kind == kind; }));
  }
};

Seen drain(UnsafeChain& chain) {
  Seen out;
  while (auto action = chain.poll_action()) {
    if (auto* append = std::get_if<AppendBlock>(&*action)) out.appended.push_back(append->block.number());
    if (auto* trace = std::get_if<ChainTrace>(&*action)) out.traces.push_back(*trace);
  }
  return out;
}

TEST(UnsafeChain, appends_what_follows_the_head_and_then_what_waited_for_it) {
  UnsafeChain chain({}, block_at(0).ref());
  EXPECT_TRUE(chain.on_block(peer_named(1), block_at(1)));
  EXPECT_TRUE(chain.on_block(peer_named(1), block_at(3)));
  EXPECT_TRUE(chain.on_block(peer_named(1), block_at(4)));
  EXPECT_EQ(drain(chain).appended, (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(chain.gap()->start.number, 1u);
  EXPECT_EQ(chain.gap()->end->number, 3u);
  EXPECT_EQ(chain.highest_seen(), 4u);
  EXPECT_TRUE(chain.on_block(peer_named(2), block_at(2)));
  EXPECT_EQ(drain(chain).appended, (std::vector<std::uint64_t>{2, 3, 4}));
  EXPECT_EQ(chain.head()->hash, hash_of(4, 0));
  EXPECT_EQ(chain.queued_bytes(), 0u);
  EXPECT_FALSE(chain.gap()->end);
}

TEST(UnsafeChain, of_two_blocks_at_a_height_the_first_is_kept_and_both_are_reported) {
  UnsafeChain chain({}, block_at(0).ref());
  chain.on_block(peer_named(1), block_at(1));
  chain.on_block(peer_named(1), block_at(2));
  chain.on_block(peer_named(1), block_at(5));
  (void)drain(chain);
  EXPECT_FALSE(chain.on_block(peer_named(2), block_at(1, 400, 9)));  // below the head
  EXPECT_FALSE(chain.on_block(peer_named(2), block_at(2, 400, 9)));  // at the head
  EXPECT_FALSE(chain.on_block(peer_named(2), block_at(5, 400, 9)));  // in the queue
  const auto seen = drain(chain);
  ASSERT_EQ(seen.count(ChainTraceKind::conflict), 3u);
  EXPECT_EQ(seen.traces[0].kept, hash_of(1, 0));
  EXPECT_EQ(seen.traces[0].other, hash_of(1, 9));
  EXPECT_EQ(seen.traces[2].kept, hash_of(5, 0));
  EXPECT_TRUE(seen.appended.empty());
  EXPECT_EQ(chain.queued(), 1u);
}

TEST(UnsafeChain, repeats_are_duplicates_and_what_is_too_old_is_neither) {
  UnsafeChain chain({}, block_at(0).ref());
  for (std::uint64_t n = 1; n <= 1100; ++n) chain.on_block(peer_named(1), block_at(n));
  chain.on_block(peer_named(1), block_at(1102));
  (void)drain(chain);
  for (const std::uint64_t n : {1100u, 1000u, 77u, 1102u}) EXPECT_FALSE(chain.on_block(peer_named(1), block_at(n)));
  EXPECT_EQ(drain(chain).count(ChainTraceKind::duplicate), 4u);
  EXPECT_FALSE(chain.on_block(peer_named(1), block_at(76)));
  EXPECT_EQ(drain(chain).count(ChainTraceKind::below_head), 1u);
}

TEST(UnsafeChain, a_block_that_follows_by_number_but_not_by_hash_is_refused) {
  UnsafeChain chain({}, block_at(0).ref());
  EXPECT_FALSE(chain.on_block(peer_named(1), block_at(1, 400, 3, 3)));
  EXPECT_EQ(drain(chain).count(ChainTraceKind::unlinked), 1u);
  EXPECT_TRUE(chain.on_block(peer_named(1), block_at(1)));
}

TEST(UnsafeChain, a_queued_block_of_another_chain_makes_way_when_the_head_reaches_it) {
  UnsafeChain chain({}, block_at(0).ref());
  chain.on_block(peer_named(1), block_at(2, 400, 3, 3));
  chain.on_block(peer_named(1), block_at(3));
  chain.on_block(peer_named(1), block_at(1));
  const auto seen = drain(chain);
  EXPECT_EQ(seen.appended, (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(seen.count(ChainTraceKind::unlinked), 1u);
  EXPECT_EQ(chain.gap()->end->number, 3u);  // the right block 2 is now fetched as the parent of 3
}

TEST(UnsafeChain, the_queue_is_bounded_in_bytes_and_drops_the_highest_number) {
  UnsafeChainConfig config;
  config.max_bytes = 10 * 1500;
  UnsafeChain chain(config, block_at(0).ref());
  for (std::uint64_t n = 100; n > 80; --n) {
    chain.on_block(peer_named(1), block_at(n, 500));
    EXPECT_LE(chain.queued_bytes(), config.max_bytes);
  }
  EXPECT_EQ(chain.queued(), 10u);
  EXPECT_EQ(chain.gap()->end->number, 81u);
  EXPECT_EQ(drain(chain).count(ChainTraceKind::overflow), 10u);
  EXPECT_FALSE(chain.on_block(peer_named(1), block_at(200, 500)));  // it is the highest itself
  EXPECT_EQ(chain.highest_seen(), 200u);
  UnsafeChain small({100}, block_at(0).ref());
  EXPECT_TRUE(small.on_block(peer_named(1), block_at(5, 500)));  // one is always kept, to fill the gap from
  EXPECT_EQ(small.queued(), 1u);
}

TEST(UnsafeChain, without_a_head_the_first_block_is_the_anchor) {
  UnsafeChain chain({}, std::nullopt);
  EXPECT_FALSE(chain.gap());
  EXPECT_TRUE(chain.on_block(peer_named(1), block_at(500)));
  const auto seen = drain(chain);
  EXPECT_EQ(seen.appended, (std::vector<std::uint64_t>{500}));
  EXPECT_EQ(seen.count(ChainTraceKind::anchored), 1u);
  EXPECT_FALSE(chain.on_block(peer_named(1), block_at(499)));
}

TEST(UnsafeChain, goes_back_when_the_store_could_not_keep_up) {
  UnsafeChain chain({}, block_at(0).ref());
  for (std::uint64_t n = 1; n <= 5; ++n) chain.on_block(peer_named(1), block_at(n));
  chain.on_block(peer_named(1), block_at(9));
  (void)drain(chain);
  chain.rewind(block_at(3).ref());
  EXPECT_EQ(chain.head()->number, 3u);
  EXPECT_EQ(chain.gap()->end->number, 9u);
  EXPECT_FALSE(chain.on_block(peer_named(1), block_at(2)));
  EXPECT_EQ(drain(chain).count(ChainTraceKind::duplicate), 1u) << "what is below is still known";
  EXPECT_FALSE(chain.on_block(peer_named(1), block_at(3)));
  EXPECT_EQ(drain(chain).count(ChainTraceKind::duplicate), 1u);
  EXPECT_TRUE(chain.on_block(peer_named(1), block_at(4)));
  EXPECT_EQ(drain(chain).appended, (std::vector<std::uint64_t>{4}));
}

TEST(UnsafeChain, knows_the_head_that_it_begins_with) {
  UnsafeChain chain({}, block_at(5).ref());
  EXPECT_EQ(chain.highest_seen(), 5u);
  EXPECT_FALSE(chain.on_block(peer_named(1), block_at(5)));
  EXPECT_EQ(drain(chain).count(ChainTraceKind::duplicate), 1u);
  EXPECT_EQ(UnsafeChain({}, std::nullopt).highest_seen(), 0u);
}

TEST(UnsafeChain, does_not_go_back_to_where_it_never_was) {
  UnsafeChain chain({}, block_at(0).ref());
  chain.on_block(peer_named(1), block_at(1));
  chain.rewind(block_at(2).ref());
  EXPECT_EQ(chain.head()->number, 1u);
  UnsafeChain empty({}, std::nullopt);
  empty.rewind(block_at(2).ref());
  EXPECT_FALSE(empty.head());
}

// Any order of arrival gives the same chain.
TEST(UnsafeChain, the_order_of_arrival_does_not_matter) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    libp2p::SeededRng rng(seed);
    std::vector<std::uint64_t> order;
    for (std::uint64_t n = 1; n <= 40; ++n) order.push_back(n);
    rng.shuffle(order);
    UnsafeChain chain({}, block_at(0).ref());
    std::vector<std::uint64_t> appended;
    for (const std::uint64_t n : order) {
      chain.on_block(peer_named(n), block_at(n));
      if (rng.below(3) == 0) chain.on_block(peer_named(n), block_at(n));
      const auto seen = drain(chain);
      appended.insert(appended.end(), seen.appended.begin(), seen.appended.end());
    }
    ASSERT_EQ(appended.size(), 40u);
    for (std::uint64_t n = 1; n <= 40; ++n) EXPECT_EQ(appended[n - 1], n);
  }
}

}  // namespace
}  // namespace opstack::sync
