#include "opp2p/store/block_store_adapter.hpp"

#include <gtest/gtest.h>

#include "libp2p/runtime/sim/sim_world.hpp"
#include "opp2p/store/memory_store.hpp"
#include "opstack/encoding/snappy_frame.hpp"

namespace opp2p {
namespace {

using libp2p::Millis;
using libp2p::Seconds;
using opstack::sync::Block;
using opstack::sync::ServedBlock;
using opstack::sync::StagedBlock;

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
  MemoryStore store_{[this](std::function<void()> task) { node_.runtime().post(std::move(task)); }};
  std::unique_ptr<BlockStoreAdapter> chain_ = std::make_unique<BlockStoreAdapter>(node_.runtime(), store_);
};

TEST_F(BlockStoreAdapterTest, what_is_appended_can_be_looked_up_with_its_bytes) {
  std::optional<Result<void>> appended;
  const Block block = encoded_block(1);
  chain_->append(block, [&](Result<void> r) { appended = std::move(r); });
  EXPECT_FALSE(appended);
  world_.run_for(Seconds(1));
  ASSERT_TRUE(appended && *appended);
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

TEST_F(BlockStoreAdapterTest, staged_blocks_come_back_decoded_with_their_peer) {
  const auto peer = libp2p::PeerId::from_bytes(Bytes{0, 2, 7, 7}).value();
  int staged = 0;
  for (std::uint64_t n = 5; n <= 9; ++n)
    chain_->stage(3, StagedBlock(peer, encoded_block(n)), [&](const Result<void>& r) { staged += r ? 1 : 0; });
  world_.run_for(Seconds(1));
  EXPECT_EQ(staged, 5);
  std::optional<Result<std::vector<StagedBlock>>> read;
  chain_->read_staged(3, 6, 10, 1 << 20, [&](auto r) { read = std::move(r); });
  world_.run_for(Seconds(1));
  ASSERT_TRUE(read && *read);
  ASSERT_EQ((*read)->size(), 4u);
  EXPECT_EQ((**read)[0].peer, peer);
  EXPECT_EQ((**read)[0].block.number(), 6u);
  EXPECT_EQ(*(**read)[3].block.envelope, *encoded_block(9).envelope);
  chain_->drop_staged(3);
  world_.run_for(Seconds(1));
  EXPECT_EQ(store_.summary().value().staged, 0u);
}

TEST_F(BlockStoreAdapterTest, a_staged_block_whose_peer_cannot_be_read_is_an_error) {
  store_.stage(3, StagedRecord{Bytes{9, 9}, StoredBlock(encoded_block(5))}, nullptr);
  world_.run_for(Seconds(1));
  std::optional<Result<std::vector<StagedBlock>>> read;
  chain_->read_staged(3, 5, 10, 1 << 20, [&](auto r) { read = std::move(r); });
  world_.run_for(Seconds(1));
  ASSERT_TRUE(read && !*read);
  EXPECT_NE(read->error().text().find("the peer of staged block 5"), std::string::npos) << read->error().text();
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
  chain_->append(encoded_block(1), [&](const Result<void>&) { ++calls; });
  const auto running = chain_->lookup(1, [&](const auto&) { ++calls; });
  chain_->read_staged(1, 1, 1, 1, [&](const auto&) { ++calls; });
  chain_.reset();
  world_.run_for(Seconds(1));
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(store_.summary().value().blocks, 1u);  // what was written stays written
}

TEST_F(BlockStoreAdapterTest, an_error_of_the_disk_reaches_the_caller) {
  FaultyStore faulty(store_, [this](std::function<void()> task) { node_.runtime().post(std::move(task)); });
  BlockStoreAdapter chain(node_.runtime(), faulty);
  faulty.fail_writes(1);
  faulty.fail_reads(1);
  std::optional<Result<void>> appended;
  std::optional<Result<std::optional<ServedBlock>>> found;
  chain.append(encoded_block(1), [&](Result<void> r) { appended = std::move(r); });
  const auto running = chain.lookup(1, [&](auto r) { found = std::move(r); });
  world_.run_for(Seconds(1));
  ASSERT_TRUE(appended && found);
  EXPECT_TRUE(appended->error() == Errc::io);
  EXPECT_TRUE(found->error() == Errc::io);
}

TEST_F(BlockStoreAdapterTest, what_cannot_be_staged_is_told_with_its_reason) {
  FaultyStore faulty(store_, [this](std::function<void()> task) { node_.runtime().post(std::move(task)); });
  std::vector<std::uint64_t> refused;
  BlockStoreAdapter chain(node_.runtime(), faulty, [&](std::uint64_t number, const Error& why) {
    EXPECT_TRUE(why == Errc::io);
    refused.push_back(number);
  });
  const auto peer = libp2p::PeerId::from_bytes(Bytes{0, 2, 7, 7}).value();
  faulty.fail_writes(1);
  int answers = 0;
  for (const std::uint64_t number : {5, 6})
    chain.stage(1, StagedBlock(peer, encoded_block(number)), [&](const auto&) { ++answers; });
  world_.run_for(Seconds(1));
  EXPECT_EQ(refused, std::vector<std::uint64_t>{5});
  EXPECT_EQ(answers, 2);
}

}  // namespace
}  // namespace opp2p
