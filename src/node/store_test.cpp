#include <gtest/gtest.h>
#include <lmdb.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "base/rng.hpp"
#include "node/store_lmdb.hpp"
#include "node/store_memory.hpp"

namespace opp2p::node {
namespace {

namespace fs = std::filesystem;

// Runs posted tasks when the test asks, and can wait for one to come.
class Mailbox {
 public:
  Post post() {
    return [this](std::function<void()> task) {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
      arrived_.notify_all();
    };
  }
  void run_one() {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [&] { return !tasks_.empty(); });
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
  void run_until(const std::function<bool()>& done) {
    while (!done()) run_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::function<void()>> tasks_;
};

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "opp2p-store-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

Hash hash_of(std::uint64_t number, std::uint8_t fork = 0) {
  Hash hash{};
  libp2p::store_be64(hash.data(), number * 0x9e3779b97f4a7c15u + 1);
  hash[31] = fork;
  return hash;
}

StoredBlock block_at(std::uint64_t number, std::size_t size = 300, std::uint8_t fork = 0) {
  StoredBlock block;
  block.number = number;
  block.hash = hash_of(number, fork);
  block.parent_hash = hash_of(number - 1);
  block.timestamp = 1000 + 2 * number;
  block.version = Version::v3;
  libp2p::SeededRng rng(number);
  Bytes body(size);
  rng.fill(body);
  block.body = libp2p::share(std::move(body));
  return block;
}

StagedRecord staged_at(std::uint64_t number, std::size_t size = 300) { return {Bytes{1, 2, 3}, block_at(number, size)}; }

LmdbStoreConfig config_in(const fs::path& folder) {
  LmdbStoreConfig config;
  config.folder = folder;
  config.chain = "901:0xabc";
  config.initial_map = 1 << 20;
  return config;
}

// The rules of a store, held to both implementations.
class StoreRules : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      auto opened = LmdbStore::open(config_in(folder_.path()), mailbox_.post());
      ASSERT_TRUE(opened) << opened.error().message();
      store_ = std::move(*opened);
    } else {
      store_ = std::make_unique<MemoryStore>(mailbox_.post());
    }
  }
  void TearDown() override {
    if (store_) store_->close();
  }

  Result<void> put(StoredBlock block) {
    std::optional<Result<void>> outcome;
    store_->put(std::move(block), [&](Result<void> r) { outcome = std::move(r); });
    EXPECT_FALSE(outcome);  // never within the call
    mailbox_.run_until([&] { return outcome.has_value(); });
    return *outcome;
  }
  void stage(std::uint64_t segment, std::uint64_t number, std::size_t size = 300) {
    bool done = false;
    store_->stage(segment, staged_at(number, size), [&](Result<void> r) { done = static_cast<bool>(r); });
    mailbox_.run_until([&] { return done; });
  }
  std::vector<std::uint64_t> staged_numbers(std::uint64_t segment, std::uint64_t from, std::size_t blocks = 100,
                                            std::size_t bytes = 1 << 20) {
    std::vector<std::uint64_t> out;
    for (const auto& record : store_->read_staged(segment, from, blocks, bytes).value()) {
      EXPECT_EQ(record.peer, (Bytes{1, 2, 3}));
      EXPECT_EQ(*record.block.body, *block_at(record.block.number, record.block.body->size()).body);
      out.push_back(record.block.number);
    }
    return out;
  }

  Folder folder_;
  Mailbox mailbox_;
  std::unique_ptr<BlockStore> store_;
};

TEST_P(StoreRules, keeps_what_it_acknowledges_by_number_and_by_hash) {
  for (std::uint64_t n = 1; n <= 5; ++n) ASSERT_TRUE(put(block_at(n, 200000)));
  const auto block = store_->by_number(3).value();
  ASSERT_TRUE(block);
  EXPECT_EQ(block->hash, hash_of(3));
  EXPECT_EQ(block->parent_hash, hash_of(2));
  EXPECT_EQ(block->timestamp, 1006u);
  EXPECT_EQ(block->version, Version::v3);
  EXPECT_EQ(*block->body, *block_at(3, 200000).body);
  EXPECT_EQ(store_->by_hash(hash_of(4)).value()->number, 4u);
  EXPECT_FALSE(store_->by_number(6).value());
  EXPECT_FALSE(store_->by_hash(hash_of(6)).value());
  const auto summary = store_->summary().value();
  EXPECT_EQ(summary.blocks, 5u);
  EXPECT_EQ(summary.lowest, 1u);
  ASSERT_TRUE(summary.head);
  EXPECT_EQ(summary.head->number, 5u);
  EXPECT_EQ(summary.head->hash, hash_of(5));
}

TEST_P(StoreRules, an_empty_store_takes_any_block_and_then_only_what_connects) {
  EXPECT_FALSE(store_->summary().value().head);
  ASSERT_TRUE(put(block_at(100)));
  EXPECT_TRUE(put(block_at(102)).error() == Errc::mismatch);
  auto stranger = block_at(101);
  stranger.parent_hash = hash_of(7);
  EXPECT_TRUE(put(stranger).error() == Errc::mismatch);
  EXPECT_TRUE(put(block_at(99)).error() == Errc::mismatch);
  EXPECT_TRUE(put(block_at(101)));
  EXPECT_EQ(store_->summary().value().head->number, 101u);
}

TEST_P(StoreRules, of_two_blocks_at_a_height_the_first_is_kept) {
  ASSERT_TRUE(put(block_at(1)));
  ASSERT_TRUE(put(block_at(2)));
  EXPECT_TRUE(put(block_at(2)));  // the same again is acknowledged again
  const auto second = put(block_at(2, 300, 1));
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error() == Errc::mismatch);
  EXPECT_EQ(store_->by_number(2).value()->hash, hash_of(2));
  EXPECT_FALSE(store_->by_hash(hash_of(2, 1)).value());
}

TEST_P(StoreRules, iterates_in_ascending_order_and_stops_when_told) {
  for (std::uint64_t n = 1; n <= 40; ++n) ASSERT_TRUE(put(block_at(n)));
  std::vector<std::uint64_t> seen;
  ASSERT_TRUE(store_->for_each(5, 30, [&](const StoredBlock& b) {
    seen.push_back(b.number);
    return b.number < 28;
  }));
  ASSERT_EQ(seen.size(), 24u);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], 5 + i);
}

TEST_P(StoreRules, staged_blocks_come_back_ascending_without_holes_and_within_the_limits) {
  for (const std::uint64_t n : {9u, 8u, 7u, 6u, 4u}) stage(1, n);
  stage(2, 7);
  EXPECT_EQ(staged_numbers(1, 6), (std::vector<std::uint64_t>{6, 7, 8, 9}));
  EXPECT_EQ(staged_numbers(1, 6, 2), (std::vector<std::uint64_t>{6, 7}));
  EXPECT_EQ(staged_numbers(1, 6, 100, 1), (std::vector<std::uint64_t>{6}));
  EXPECT_EQ(staged_numbers(1, 4), (std::vector<std::uint64_t>{4}));
  EXPECT_TRUE(staged_numbers(1, 5).empty());
  bool dropped = false;
  store_->drop_staged(1, [&](Result<void> r) { dropped = static_cast<bool>(r); });
  mailbox_.run_until([&] { return dropped; });
  EXPECT_TRUE(staged_numbers(1, 6).empty());
  EXPECT_EQ(staged_numbers(2, 7), (std::vector<std::uint64_t>{7}));
  EXPECT_EQ(store_->summary().value().staged, 1u);
}

TEST_P(StoreRules, a_closed_store_refuses_with_an_answer) {
  ASSERT_TRUE(put(block_at(1)));
  store_->close();
  const auto late = put(block_at(2));
  ASSERT_FALSE(late);
  EXPECT_TRUE(late.error() == Errc::closed);
}

INSTANTIATE_TEST_SUITE_P(Both, StoreRules, testing::Values(false, true),
                         [](const auto& param) { return param.param ? "Lmdb" : "Memory"; });

class LmdbStoreFiles : public testing::Test {
 protected:
  std::unique_ptr<LmdbStore> open(LmdbStoreConfig config) {
    auto opened = LmdbStore::open(std::move(config), mailbox_.post());
    EXPECT_TRUE(opened) << opened.error().message();
    return opened ? std::move(*opened) : nullptr;
  }
  std::unique_ptr<LmdbStore> open() { return open(config_in(folder_.path())); }
  void fill(BlockStore& store, std::uint64_t from, std::uint64_t to, std::size_t size = 300) {
    std::size_t done = 0;
    for (std::uint64_t n = from; n <= to; ++n)
      store.put(block_at(n, size), [&](Result<void> r) {
        EXPECT_TRUE(r) << r.error().message();
        ++done;
      });
    mailbox_.run_until([&] { return done == to - from + 1; });
  }
  Error open_fails(LmdbStoreConfig config) {
    auto opened = LmdbStore::open(std::move(config), mailbox_.post());
    EXPECT_FALSE(opened);
    return opened ? Error() : opened.error();
  }

  Folder folder_;
  Mailbox mailbox_;
};

TEST_F(LmdbStoreFiles, reopening_finds_everything_and_says_what) {
  {
    auto store = open();
    EXPECT_EQ(store->recovered(), "no blocks");
    fill(*store, 1, 200);
    store->stage(7, staged_at(300), nullptr);
    store->close();
  }
  auto store = open();
  EXPECT_EQ(store->recovered(), "200 blocks, 1 to 200, head " + libp2p::to_hex0x(hash_of(200)) + "; 1 staged blocks dropped");
  EXPECT_EQ(*store->by_number(123).value()->body, *block_at(123).body);
  EXPECT_EQ(store->summary().value().staged, 0u);
  fill(*store, 201, 210);
}

TEST_F(LmdbStoreFiles, many_writes_share_a_commit_and_all_are_answered) {
  auto config = config_in(folder_.path());
  config.batch_window = libp2p::Millis(20);
  auto store = open(config);
  fill(*store, 1, 500);
  EXPECT_EQ(store->summary().value().blocks, 500u);
}

TEST_F(LmdbStoreFiles, the_map_grows_when_it_is_full) {
  auto store = open();  // a map of 1 MiB
  fill(*store, 1, 40, 200000);
  EXPECT_EQ(store->summary().value().blocks, 40u);
  EXPECT_EQ(*store->by_number(1).value()->body, *block_at(1, 200000).body);
}

TEST_F(LmdbStoreFiles, above_its_size_the_oldest_blocks_go_and_the_head_stays) {
  auto config = config_in(folder_.path());
  config.max_size = 1 << 20;
  auto store = open(config);
  fill(*store, 1, 100, 50000);
  auto summary = store->summary().value();
  EXPECT_LE(summary.bytes, config.max_size);
  EXPECT_LT(summary.blocks, 22u);
  EXPECT_GT(summary.blocks, 15u);
  EXPECT_EQ(summary.head->number, 100u);
  EXPECT_EQ(summary.pruned + summary.blocks, 100u);
  EXPECT_FALSE(store->by_number(1).value());
  EXPECT_FALSE(store->by_hash(hash_of(1)).value());
  EXPECT_TRUE(store->by_number(*summary.lowest).value());
  fill(*store, 101, 101, 3 << 20);  // larger than the limit by itself
  summary = store->summary().value();
  EXPECT_EQ(summary.blocks, 1u);
  EXPECT_EQ(summary.head->number, 101u);
  // Freed pages are used again: the file stays near the limit however much goes through.
  EXPECT_LT(fs::file_size(folder_.path() / "data.mdb"), std::uintmax_t{24} << 20);
  store.reset();
  EXPECT_TRUE(open(config));
}

TEST_F(LmdbStoreFiles, beyond_its_bound_on_waiting_bytes_it_refuses) {
  auto config = config_in(folder_.path());
  config.max_pending = 1000;
  config.batch_window = libp2p::Millis(50);
  auto store = open(config);
  std::vector<Result<void>> outcomes;
  for (std::uint64_t n = 1; n <= 3; ++n) store->put(block_at(n, 600), [&](Result<void> r) { outcomes.push_back(std::move(r)); });
  mailbox_.run_until([&] { return outcomes.size() == 3; });
  EXPECT_TRUE(outcomes[0].error() == Errc::exhausted);  // refusals come first: they wait for no disk
  EXPECT_TRUE(outcomes[1].error() == Errc::exhausted);
  EXPECT_TRUE(outcomes[2]);
}

TEST_F(LmdbStoreFiles, a_second_owner_is_refused) {
  auto store = open();
  const Error error = open_fails(config_in(folder_.path()));
  EXPECT_TRUE(error == Errc::denied) << error.message();
  EXPECT_NE(error.text().find("in use by another process"), std::string::npos);
}

TEST_F(LmdbStoreFiles, the_database_of_another_chain_is_refused_by_name) {
  open().reset();
  auto config = config_in(folder_.path());
  config.chain = "10:0xdef";
  const Error error = open_fails(config);
  EXPECT_TRUE(error == Errc::mismatch);
  EXPECT_NE(error.text().find("'901:0xabc'"), std::string::npos) << error.text();
  EXPECT_NE(error.text().find("'10:0xdef'"), std::string::npos) << error.text();
}

TEST_F(LmdbStoreFiles, the_database_of_another_program_is_refused) {
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_dbi table = 0;
  char text[] = "x";
  MDB_val value{1, text};
  ASSERT_EQ(mdb_env_create(&env), 0);
  ASSERT_EQ(mdb_env_open(env, folder_.path().c_str(), 0, 0600), 0);
  ASSERT_EQ(mdb_txn_begin(env, nullptr, 0, &txn), 0);
  ASSERT_EQ(mdb_dbi_open(txn, nullptr, 0, &table), 0);
  ASSERT_EQ(mdb_put(txn, table, &value, &value, 0), 0);
  ASSERT_EQ(mdb_txn_commit(txn), 0);
  mdb_env_close(env);
  const Error error = open_fails(config_in(folder_.path()));
  EXPECT_TRUE(error == Errc::mismatch) << error.message();
  EXPECT_NE(error.text().find("not written by opp2p"), std::string::npos) << error.text();
}

TEST_F(LmdbStoreFiles, a_file_of_garbage_is_refused) {
  std::ofstream(folder_.path() / "data.mdb") << std::string(100000, 'g');
  const Error error = open_fails(config_in(folder_.path()));
  EXPECT_TRUE(error == Errc::malformed) << error.message();
  EXPECT_NE(error.text().find("data.mdb"), std::string::npos);
}

TEST_F(LmdbStoreFiles, a_database_that_was_cut_short_is_refused_and_does_not_crash) {
  {
    auto store = open();
    fill(*store, 1, 100, 20000);
  }
  const auto file = folder_.path() / "data.mdb";
  fs::resize_file(file, fs::file_size(file) / 2);
  auto opened = LmdbStore::open(config_in(folder_.path()), mailbox_.post());
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error() == Errc::malformed) << opened.error().message();
}

TEST_F(LmdbStoreFiles, a_flipped_bit_in_a_block_is_an_error_of_the_read_not_a_wrong_block) {
  {
    auto store = open();
    fill(*store, 1, 200, 20000);
  }
  // Find the body of block 50 in the file and flip one bit of it.
  const auto file = folder_.path() / "data.mdb";
  std::ifstream in(file, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(in)), {});
  const auto body = block_at(50, 20000).body;
  const auto at = content.find(std::string(libp2p::as_text(*body)));
  ASSERT_NE(at, std::string::npos);
  content[at + 10000] = static_cast<char>(content[at + 10000] ^ 4);
  std::ofstream(file, std::ios::binary) << content;
  auto store = open();
  const auto read = store->by_number(50);
  ASSERT_FALSE(read);
  EXPECT_TRUE(read.error() == Errc::malformed);
  EXPECT_TRUE(store->by_number(51).value());
}

TEST_F(LmdbStoreFiles, readers_on_other_threads_see_whole_blocks_while_the_map_grows) {
  auto store = open();
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i)
    readers.emplace_back([&] {
      while (!stop) {
        const auto summary = store->summary();
        if (!summary || !summary->head) continue;
        const auto block = store->by_number(summary->head->number);
        if (!block || !*block || (*block)->hash != summary->head->hash) ++wrong;
      }
    });
  fill(*store, 1, 60, 100000);
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

TEST(FaultyStore, fails_holds_and_loses_as_told) {
  Mailbox mailbox;
  MemoryStore inner(mailbox.post());
  FaultyStore store(inner, mailbox.post());
  std::vector<bool> outcomes;
  const auto note = [&](Result<void> r) { outcomes.push_back(static_cast<bool>(r)); };
  store.fail_writes(1);
  store.put(block_at(1), note);
  store.put(block_at(1), note);
  mailbox.run_until([&] { return outcomes.size() == 2; });
  EXPECT_EQ(outcomes, (std::vector<bool>{false, true}));
  store.hold_writes();
  store.put(block_at(2), note);
  store.put(block_at(3), note);
  EXPECT_EQ(store.unsynced(), 2u);
  EXPECT_EQ(inner.summary().value().blocks, 1u);
  store.lose_unsynced();
  store.put(block_at(2), note);
  store.sync();
  mailbox.run_until([&] { return outcomes.size() == 3; });
  EXPECT_EQ(inner.summary().value().blocks, 2u);
  store.fail_reads(1);
  EXPECT_FALSE(store.by_number(1));
  EXPECT_TRUE(store.by_number(1));
}

}  // namespace
}  // namespace opp2p::node
