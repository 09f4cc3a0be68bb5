// A database of format 1 becomes one of format 2 when it is opened.
#include <gtest/gtest.h>
#include <lmdb.h>

#include <fstream>

#include "opp2p/store/lmdb_store.hpp"
#include "opp2p/store/store_test_format1.hpp"

namespace opp2p {
namespace {

using namespace testing_store;

class StoreMigration : public testing::Test {
 protected:
  Result<std::unique_ptr<LmdbStore>> open(LmdbStoreConfig config) {
    return LmdbStore::open(std::move(config), mailbox_.post());
  }
  LmdbStoreConfig config() const { return config_in(folder_.path()); }

  Folder folder_;
  Mailbox mailbox_;
};

TEST_F(StoreMigration, keeps_the_chain_and_makes_the_headers) {
  Hash parent = hash_of(0);
  std::vector<StoredBlock> chain;
  for (std::uint64_t n = 1; n <= 50; ++n) {
    auto block = real_block(n, parent, n % 9 == 0 ? 9000 : 100);
    if (n % 2 == 0) block = framed(block);
    parent = block.hash;
    chain.push_back(block);
  }
  write_format_1(folder_.path(), chain);
  auto config = this->config();
  std::vector<MigrationProgress> told;
  config.migrating = [&](const MigrationProgress& progress) { told.push_back(progress); };
  auto store = open(config);
  ASSERT_TRUE(store) << store.error().message();
  EXPECT_EQ((*store)->recovered(),
            "migrated from format 1 (50 blocks); 50 blocks, 1 to 50, head " + libp2p::to_hex0x(parent));
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back().done, 50u);
  EXPECT_EQ(told.back().total, 50u);
  for (const auto& block : chain) {
    const auto held = (*store)->as_stored(block.number).value();
    ASSERT_TRUE(held);
    EXPECT_EQ(held->framed, block.framed);
    EXPECT_EQ(held->body, block.body);
  }
  const auto checked = (*store)->check(CheckDepth{.bodies = true}).value();
  EXPECT_EQ(checked.defect_count, 0u) << checked.defects.front();
  EXPECT_EQ(checked.summary.segments.size(), 1u);
  store->reset();
  EXPECT_EQ(open(this->config()).value()->recovered().find("migrated"), std::string::npos) << "once";
  EXPECT_FALSE(fs::exists(folder_.path() / "data.mdb.new"));
}

TEST_F(StoreMigration, an_empty_database_becomes_an_empty_one) {
  write_format_1(folder_.path(), {});
  EXPECT_EQ(open(config()).value()->recovered(), "migrated from format 1 (0 blocks); no blocks");
}

TEST_F(StoreMigration, without_room_for_both_it_says_so_and_changes_nothing) {
  write_format_1(folder_.path(), blocks_at(1, 40, 20'000));
  const auto before = fs::file_size(folder_.path() / "data.mdb");
  auto config = this->config();
  config.free_space = [] { return std::uint64_t{900'000}; };
  const auto refused = open(config);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error() == Errc::exhausted);
  EXPECT_NE(refused.error().text().find("900000 are free on that disk"), std::string::npos) << refused.error().text();
  EXPECT_EQ(fs::file_size(folder_.path() / "data.mdb"), before);
  EXPECT_FALSE(fs::exists(folder_.path() / "data.mdb.new"));
  config.free_space = [] { return std::uint64_t{5'000'000}; };
  EXPECT_EQ(open(config).value()->summary().value().blocks, 40u);
}

TEST_F(StoreMigration, what_the_budget_would_remove_is_left_out_and_needs_no_room) {
  write_format_1(folder_.path(), blocks_at(1, 100, 50'000));
  auto config = this->config();
  config.max_size = 2 << 20;
  config.free_space = [] { return std::uint64_t{3'000'000}; };
  auto store = open(config);
  ASSERT_TRUE(store) << store.error().message();
  const auto summary = (*store)->summary().value();
  EXPECT_EQ(summary.head->number, 100u);
  EXPECT_GT(summary.blocks, 20u);
  EXPECT_LE(summary.bytes, config.max_size);
  EXPECT_NE((*store)->recovered().find("left out for --store.max-size"), std::string::npos) << (*store)->recovered();
  EXPECT_TRUE(Calls(**store, mailbox_).extend(block_at(101)));
}

TEST_F(StoreMigration, a_damaged_block_is_left_out_and_leaves_a_hole) {
  write_format_1(folder_.path(), blocks_at(1, 40, 20'000));
  const auto file = folder_.path() / "data.mdb";
  std::ifstream in(file, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(in)), {});
  const auto at = content.find(std::string(libp2p::as_text(block_at(17, 20'000).body)));
  ASSERT_NE(at, std::string::npos);
  content[at + 7] = static_cast<char>(content[at + 7] ^ 1);
  std::ofstream(file, std::ios::binary) << content;
  auto store = open(config());
  ASSERT_TRUE(store) << store.error().message();
  EXPECT_NE((*store)->recovered().find("1 left out because they are damaged"), std::string::npos)
      << (*store)->recovered();
  EXPECT_NE((*store)->recovered().find("1 hole (17 to 17)"), std::string::npos) << (*store)->recovered();
  Calls calls(**store, mailbox_);
  ASSERT_TRUE(calls.keep(block_at(17, 20'000)));
  EXPECT_EQ((*store)->summary().value().segments.size(), 1u);
}

TEST_F(StoreMigration, the_database_of_another_chain_is_refused_by_name) {
  write_format_1(folder_.path(), blocks_at(1, 4, 300));
  auto config = this->config();
  config.chain = "10:0xdef";
  const auto refused = open(config);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error() == Errc::mismatch);
  EXPECT_NE(refused.error().text().find("'901:0xabc'"), std::string::npos) << refused.error().text();
  EXPECT_TRUE(open(this->config()));
}

TEST_F(StoreMigration, many_blocks_are_copied_in_parts) {
  write_format_1(folder_.path(), blocks_at(1, 2500, 500));
  auto config = this->config();
  std::vector<std::uint64_t> told;
  config.migrating = [&](const MigrationProgress& progress) { told.push_back(progress.done); };
  auto store = open(config);
  ASSERT_TRUE(store) << store.error().message();
  EXPECT_EQ(told, (std::vector<std::uint64_t>{1000, 2000, 2500}));
  EXPECT_EQ((*store)->check(CheckDepth{}).value().defect_count, 0u);
  EXPECT_EQ((*store)->summary().value().segments.size(), 1u);
}

}  // namespace
}  // namespace opp2p
