#include "opp2p/store/lmdb_store.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "opp2p/store/store_test_support.hpp"
#include "testing/lmdb_file.hpp"

namespace opp2p {
namespace {

using namespace testing_store;

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
      store.keep(block_at(n, size), std::nullopt, true, [&](const Result<KeptBlock>& r) {
        EXPECT_TRUE(r) << r.error().message();
        ++done;
      });
    mailbox_.run_until([&] { return done == to - from + 1; });
  }
  // In the file, of the block's body.
  void flip_a_bit_of(std::uint64_t number, std::size_t size) {
    const auto file = folder_.path() / "data.mdb";
    std::ifstream in(file, std::ios::binary);
    std::string content((std::istreambuf_iterator<char>(in)), {});
    const auto body = block_at(number, size).body;
    const auto at = content.find(std::string(libp2p::as_text(body)));
    ASSERT_NE(at, std::string::npos);
    content[at + size / 2] = static_cast<char>(content[at + size / 2] ^ 4);
    std::ofstream(file, std::ios::binary) << content;
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
    Calls calls(*store, mailbox_);
    calls.branch_off(300, 302, 1, 1);
    calls.branch_off(400, 400, 2, 2);
    ASSERT_TRUE(calls.move_head(block_at(302, 300, 1, 1), false));
    store->close();
  }
  auto store = open();
  EXPECT_EQ(store->recovered(), "203 blocks, 1 to 302, head " + libp2p::to_hex0x(hash_of(302, 1)) +
                                    "; 1 hole (201 to 299); 1 blocks that are not canonical");
  EXPECT_EQ(store->by_number(123).value()->body, block_at(123).body);
  Calls(*store, mailbox_).extend_with(303, 310, 300, 1);
}

TEST_F(LmdbStoreFiles, many_writes_share_a_commit_and_all_are_answered) {
  auto config = config_in(folder_.path());
  config.commit_interval = libp2p::Millis(20);
  auto store = open(config);
  fill(*store, 1, 500);
  EXPECT_EQ(store->summary().value().blocks, 500u);
}

// Bytes of `file` that are mapped and count as this process's.
std::size_t resident_bytes(const fs::path& file) {
  std::ifstream maps("/proc/self/smaps");
  std::size_t total = 0;
  bool of_file = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find('-') < line.find(' ')) of_file = line.ends_with(" " + fs::canonical(file).string());
    if (of_file && line.starts_with("Rss:")) total += std::stoull(line.substr(4)) * 1024;
  }
  return total;
}

TEST_F(LmdbStoreFiles, a_commit_holds_a_sixteenth_of_the_size_at_most) {
  auto config = config_in(folder_.path());
  config.max_size = 32 << 20;
  auto store = open(config);
  std::size_t done = 0;
  for (std::uint64_t n = 1; n <= 30; ++n)
    store->keep(block_at(n, 300'000), std::nullopt, true, [&](const auto&) { ++done; });
  std::size_t most = 0;
  while (done < 30) {
    const std::size_t before = done;
    mailbox_.run_one();  // what one commit held
    most = std::max(most, done - before);
  }
  EXPECT_GT(most, 1u);
  EXPECT_LE(most * 300'000, std::size_t{2} << 20);
}

TEST_F(LmdbStoreFiles, what_it_has_written_and_served_does_not_stay_in_memory) {
  auto store = open();
  const auto file = folder_.path() / "data.mdb";
  std::size_t most = 0;
  for (std::uint64_t n = 1; n <= 200; n += 20) {
    fill(*store, n, n + 19, 100'000);
    most = std::max(most, resident_bytes(file));
  }
  for (std::uint64_t n = 1; n <= 200; ++n) {
    ASSERT_EQ(store->by_number(n).value()->body.size(), 100'000u);
    if (n % 8 == 0) most = std::max(most, resident_bytes(file));
  }
  EXPECT_GT(fs::file_size(file), 20'000'000u);
  EXPECT_GT(most, 0u);
  EXPECT_LT(most, 8u << 20);
}

TEST_F(LmdbStoreFiles, the_map_grows_when_it_is_full) {
  auto store = open();  // a map of 1 MiB
  fill(*store, 1, 40, 200000);
  EXPECT_EQ(store->summary().value().blocks, 40u);
  EXPECT_EQ(store->by_number(1).value()->body, block_at(1, 200000).body);
}

TEST_F(LmdbStoreFiles, above_its_size_the_lowest_blocks_go_and_freed_pages_are_used_again) {
  auto config = config_in(folder_.path());
  config.max_size = 1 << 20;
  auto store = open(config);
  fill(*store, 1, 100, 50000);
  auto summary = store->summary().value();
  EXPECT_LE(summary.bytes, config.max_size);
  EXPECT_LT(summary.blocks, 20u);
  EXPECT_GT(summary.blocks, 10u);
  EXPECT_EQ(summary.head->number, 100u);
  EXPECT_EQ(summary.pruned + summary.blocks, 100u);
  EXPECT_FALSE(store->by_number(1).value());
  EXPECT_FALSE(store->by_hash(hash_of(1)).value());
  EXPECT_TRUE(store->by_number(*summary.lowest).value());
  fill(*store, 101, 101, 3 << 20);  // larger than the limit by itself
  summary = store->summary().value();
  EXPECT_EQ(summary.blocks, 1u);
  EXPECT_EQ(summary.head->number, 101u);
  // The file stays near the limit however much goes through.
  EXPECT_LT(fs::file_size(folder_.path() / "data.mdb"), std::uintmax_t{24} << 20);
  store.reset();
  EXPECT_TRUE(open(config));
}

TEST_F(LmdbStoreFiles, beyond_its_bound_on_waiting_bytes_it_refuses) {
  auto config = config_in(folder_.path());
  config.max_pending = 1000;
  config.commit_interval = libp2p::Millis(50);
  auto store = open(config);
  fill(*store, 1, 1);  // the next commit is 50 ms away
  std::vector<Result<KeptBlock>> outcomes;
  for (std::uint64_t n = 2; n <= 4; ++n)
    store->keep(block_at(n, 600), std::nullopt, true, [&](Result<KeptBlock> r) { outcomes.push_back(std::move(r)); });
  mailbox_.run_until([&] { return outcomes.size() == 3; });
  EXPECT_TRUE(outcomes[0].error() == Errc::exhausted);  // refusals come first: they wait for no disk
  EXPECT_TRUE(outcomes[1].error() == Errc::exhausted);
  EXPECT_TRUE(outcomes[2]);
}

TEST_F(LmdbStoreFiles, what_it_maps_to_write_to_has_its_place_on_the_disk) {
  const auto store = open();
  struct stat lock{};
  ASSERT_EQ(::stat((folder_.path() / "lock.mdb").c_str(), &lock), 0);
  EXPECT_GE(lock.st_size, 256 * 64);  // readers
  EXPECT_GE(lock.st_blocks * 512, lock.st_size);
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

TEST_F(LmdbStoreFiles, a_database_without_a_format_is_refused) {
  open().reset();
  testing_files::change_lmdb(folder_.path(), "meta", "format", std::nullopt);
  const Error error = open_fails(config_in(folder_.path()));
  EXPECT_TRUE(error == Errc::mismatch) << error.message();
  EXPECT_NE(error.text().find("has the format ''"), std::string::npos) << error.text();
}

TEST_F(LmdbStoreFiles, the_database_of_another_program_is_refused) {
  testing_files::make_foreign_lmdb(folder_.path());
  const Error error = open_fails(config_in(folder_.path()));
  EXPECT_TRUE(error == Errc::mismatch) << error.message();
  EXPECT_NE(error.text().find("not written by opp2p"), std::string::npos) << error.text();
}

TEST_F(LmdbStoreFiles, one_that_is_not_to_be_created_is_an_error_when_it_is_not_there) {
  auto config = config_in(folder_.path() / "none");
  config.create = false;
  const Error error = open_fails(config);
  EXPECT_TRUE(error == Errc::not_found) << error.message();
  EXPECT_FALSE(fs::exists(config.folder));
  open().reset();
  config = config_in(folder_.path());
  config.create = false;
  config.chain = "";
  EXPECT_TRUE(open(config)) << "of whatever chain";
}

TEST_F(LmdbStoreFiles, what_a_crash_left_of_a_young_database_is_removed) {
  {
    auto store = open();
    fill(*store, 1, 3);
  }
  std::ofstream(folder_.path() / "data.mdb.new") << "half a database";
  EXPECT_EQ(open()->summary().value().blocks, 3u);
  EXPECT_FALSE(fs::exists(folder_.path() / "data.mdb.new"));
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
  flip_a_bit_of(50, 20000);
  auto store = open();
  const auto read = store->by_number(50);
  ASSERT_FALSE(read);
  EXPECT_TRUE(read.error() == Errc::malformed);
  EXPECT_TRUE(store->by_number(51).value());
}

TEST_F(LmdbStoreFiles, a_flipped_bit_in_one_of_the_last_64_blocks_is_found_when_the_store_is_opened) {
  {
    auto store = open();
    fill(*store, 1, 200, 20000);
  }
  flip_a_bit_of(136, 20000);
  open().reset();
  flip_a_bit_of(137, 20000);
  const Error error = open_fails(config_in(folder_.path()));
  EXPECT_TRUE(error == Errc::malformed);
  EXPECT_NE(error.text().find("is damaged at block 137"), std::string::npos) << error.text();
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

}  // namespace
}  // namespace opp2p
