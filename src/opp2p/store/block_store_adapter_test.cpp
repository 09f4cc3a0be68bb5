#include "opp2p/store/block_store_adapter.hpp"

#include <gtest/gtest.h>

#include "libp2p/runtime/sim/sim_world.hpp"
#include "opp2p/store/faulty_store.hpp"
#include "opp2p/store/memory_store.hpp"
#include "opstack/encoding/snappy_frame.hpp"

namespace opp2p {
namespace {

using libp2p::Millis;
using libp2p::Seconds;
using opstack::sync::Block;
using opstack::sync::ServedBlock;

Block encoded_block(std::uint64_t number, std::size_t size = 100) {
  opstack::payload::Envelope envelope;
  auto& p = envelope.payload;
  p.block_number = number;
  p.block_hash[0] = static_cast<std::uint8_t>(number);
  p.parent_hash[0] = static_cast<std::uint8_t>(number - 1);
  p.transactions.push_back(Bytes(size, static_cast<std::uint8_t>(number)));
  return opstack::payload::encode_block(Version::v1,
                                        std::make_shared<const opstack::payload::Envelope>(std::move(envelope)));
}

class BlockStoreAdapterTest : public testing::Test {
 protected:
  libp2p::runtime::SimWorld world_{1};
  libp2p::runtime::SimNode node_ = world_.add_node();
  Result<KeptBlock> keep(BlockStoreAdapter& chain, const Block& block, bool extends_head = true) {
    std::optional<Result<KeptBlock>> kept;
    chain.keep(block, std::nullopt, extends_head, [&](auto r) { kept = std::move(r); });
    EXPECT_FALSE(kept) << "never within the call";
    world_.run_for(Seconds(1));
    return *kept;
  }

  MemoryStore store_{[this](std::function<void()> task) { node_.runtime().post(std::move(task)); }};
  std::unique_ptr<BlockStoreAdapter> chain_ = std::make_unique<BlockStoreAdapter>(node_.runtime(), store_);
};

TEST_F(BlockStoreAdapterTest, what_is_kept_can_be_looked_up_with_its_bytes) {
  const Block block = encoded_block(1);
  ASSERT_TRUE(keep(*chain_, block));
  std::optional<Result<std::optional<ServedBlock>>> found;
  std::optional<Result<std::optional<ServedBlock>>> missing;
  const auto one = chain_->lookup(1, [&](auto r) { found = std::move(r); });
  const auto other = chain_->lookup(2, [&](auto r) { missing = std::move(r); });
  EXPECT_FALSE(found);
  world_.run_for(Seconds(1));
  ASSERT_TRUE(found && *found && **found);
  EXPECT_EQ(opstack::encoding::snappy_frame_decode(*(**found)->frames, 1 << 20).value(), libp2p::to_bytes(block.body));
  EXPECT_EQ((**found)->version, Version::v1);
  ASSERT_TRUE(missing && *missing);
  EXPECT_FALSE(**missing);
}

TEST_F(BlockStoreAdapterTest, only_canonical_blocks_are_served) {
  ASSERT_TRUE(keep(*chain_, encoded_block(1)));
  ASSERT_TRUE(keep(*chain_, encoded_block(2), false));
  std::optional<Result<std::optional<ServedBlock>>> found;
  const auto before = chain_->lookup(2, [&](auto r) { found = std::move(r); });
  world_.run_for(Seconds(1));
  ASSERT_TRUE(found && *found);
  EXPECT_FALSE(**found);
  HeadMove move;
  move.to = encoded_block(2).ref();
  std::optional<Result<MovedHead>> moved;
  chain_->move_head(move, [&](auto r) { moved = std::move(r); });
  EXPECT_FALSE(moved);
  world_.run_for(Seconds(1));
  ASSERT_TRUE(moved && *moved);
  const auto after = chain_->lookup(2, [&](auto r) { found = std::move(r); });
  world_.run_for(Seconds(1));
  EXPECT_TRUE(**found);
}

TEST_F(BlockStoreAdapterTest, eras_views_and_descents_come_back_on_the_network_thread) {
  ASSERT_TRUE(keep(*chain_, encoded_block(1)));
  ASSERT_TRUE(keep(*chain_, encoded_block(2)));
  std::optional<Result<EraRecord>> era;
  std::optional<Result<ChainView>> view;
  std::optional<Result<Descent>> down;
  chain_->open_era({}, libp2p::from_unix_seconds(5), [&](auto r) { era = std::move(r); });
  chain_->view(1, [&](auto r) { view = std::move(r); });
  chain_->descend(encoded_block(2).ref(), [&](auto r) { down = std::move(r); });
  EXPECT_FALSE(era || view || down) << "never within the call";
  world_.run_for(Seconds(1));
  ASSERT_TRUE(era && *era && view && *view && down && *down);
  EXPECT_EQ((*era)->era, 1u);
  EXPECT_EQ((*view)->head, encoded_block(2).ref());
  EXPECT_EQ((*view)->recent.size(), 1u);
  EXPECT_EQ((*down)->lowest, encoded_block(1).ref());
}

TEST_F(BlockStoreAdapterTest, look_ups_that_wait_for_the_disk_are_bounded) {
  std::vector<Result<std::optional<ServedBlock>>> refused;
  int answered = 0;
  std::vector<std::unique_ptr<libp2p::runtime::Operation>> running;
  for (int i = 0; i < 1100; ++i) {
    running.push_back(chain_->lookup(1, [&](auto r) {
      ++answered;
      if (!r) refused.push_back(std::move(r));
    }));
  }
  world_.run_for(Seconds(1));
  EXPECT_EQ(answered, 1100);
  ASSERT_EQ(refused.size(), 74u);  // 2 are read, 1024 wait
  EXPECT_EQ(refused[0].error().text(), "1024 look-ups wait for the disk already");
}

// A disk that hangs keeps both readers. The peers behind the look-ups give up, and others come.
TEST_F(BlockStoreAdapterTest, a_look_up_that_nobody_waits_for_leaves_the_queue_at_once_and_is_not_read) {
  FaultyStore counting(store_, [this](std::function<void()> task) { node_.runtime().post(std::move(task)); });
  BlockStoreAdapter chain(node_.runtime(), counting);
  int calls = 0;
  {
    std::vector<std::unique_ptr<libp2p::runtime::Operation>> given_up;
    for (int i = 0; i < 1100; ++i) given_up.push_back(chain.lookup(1, [&](const auto&) { ++calls; }));
  }
  std::vector<std::unique_ptr<libp2p::runtime::Operation>> running;
  int found = 0;
  for (int i = 0; i < 1024; ++i) {
    running.push_back(chain.lookup(1, [&](const auto& r) {
      EXPECT_TRUE(r) << r.error().message();
      ++found;
    }));
  }
  world_.run_for(Seconds(1));
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(found, 1024);
  EXPECT_EQ(counting.reads(), 1024);
}

TEST_F(BlockStoreAdapterTest, a_look_up_may_be_withdrawn_inside_the_answer_of_another_one) {
  std::vector<std::unique_ptr<libp2p::runtime::Operation>> running;
  int calls = 0;
  for (int i = 0; i < 5; ++i) {
    running.push_back(chain_->lookup(1, [&](const auto&) {
      ++calls;
      running.clear();
    }));
  }
  world_.run_for(Seconds(1));
  EXPECT_EQ(calls, 1);
}

TEST_F(BlockStoreAdapterTest, once_it_is_gone_nobody_is_called) {
  int calls = 0;
  chain_->keep(encoded_block(1), std::nullopt, true, [&](const auto&) { ++calls; });
  const auto running = chain_->lookup(1, [&](const auto&) { ++calls; });
  chain_->view(1, [&](const auto&) { ++calls; });
  chain_->descend(encoded_block(1).ref(), [&](const auto&) { ++calls; });
  chain_.reset();
  world_.run_for(Seconds(1));
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(store_.summary().value().blocks, 1u);  // what was written stays written
}

TEST_F(BlockStoreAdapterTest, an_error_of_the_disk_reaches_the_caller) {
  FaultyStore faulty(store_, [this](std::function<void()> task) { node_.runtime().post(std::move(task)); });
  BlockStoreAdapter chain(node_.runtime(), faulty);
  faulty.fail_writes(1);
  EXPECT_TRUE(keep(chain, encoded_block(1)).error() == Errc::io);
  faulty.fail_reads(2);
  std::optional<Result<std::optional<ServedBlock>>> found;
  std::optional<Result<ChainView>> view;
  const auto running = chain.lookup(1, [&](auto r) { found = std::move(r); });
  chain.view(1, [&](auto r) { view = std::move(r); });
  world_.run_for(Seconds(1));
  ASSERT_TRUE(found && view);
  EXPECT_TRUE(found->error() == Errc::io);
  EXPECT_TRUE(view->error() == Errc::io);
}

}  // namespace
}  // namespace opp2p
