#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "libp2p/testing/datastore_suite.hpp"
#include "opp2p/peerstore/leveldb_copy.hpp"
#include "opp2p/peerstore/leveldb_datastore.hpp"
#include "opp2p/peerstore/leveldb_lock.hpp"
#include "opp2p/peerstore/peerstore_move.hpp"
#include "opp2p/peerstore/peerstore_operations.hpp"
#include "opp2p/peerstore/peerstore_test_support.hpp"

// Without LevelDB the datastore says so, and there is nothing more to test.
namespace opp2p {
namespace {

using namespace testing_peerstore;
using libp2p::DatastoreFactory;
using libp2p::Errc;
using libp2p::Failures;
using ::testing::HasSubstr;
namespace fs = std::filesystem;
using Open = LevelDbDatastore::Open;

bool built_with_leveldb() {
  const TestFolder folder;
  const auto opened = LevelDbDatastore::open(folder.path / "db", Open::fresh);
  return opened || opened.error() != Errc::unsupported;
}

#define NEEDS_LEVELDB() \
  if (!built_with_leveldb()) GTEST_SKIP() << "built without LevelDB"

class LevelDbSuite : public ::testing::TestWithParam<std::string> {};

TEST_P(LevelDbSuite, passes) {
  NEEDS_LEVELDB();
  const TestFolder folder;
  const auto path = folder.path / "db";
  const DatastoreFactory factory{
      "leveldb", [&]() -> libp2p::Result<std::unique_ptr<libp2p::storage::Datastore>> {
        OPP2P_TRY(auto opened, LevelDbDatastore::open(path, fs::exists(path) ? Open::existing : Open::fresh));
        return std::unique_ptr<libp2p::storage::Datastore>(std::move(opened));
      }};
  EXPECT_EQ(libp2p::run_datastore_case(GetParam(), factory), Failures());
}

INSTANTIATE_TEST_SUITE_P(Datastore, LevelDbSuite, ::testing::ValuesIn(libp2p::datastore_suite_cases()),
                         [](const auto& one) { return one.param; });

TEST(LevelDbDatastore, without_any_record_is_nothing_to_import) {
  NEEDS_LEVELDB();
  const TestFolder folder;
  ASSERT_TRUE(LevelDbDatastore::open(folder.path / "db", Open::fresh));
  const auto done = import_peerstore(folder.path / "db", {folder.path / "peerstore", folder.path / "key", {}}, false);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Errc::not_found);
  EXPECT_THAT(done.error().text(), HasSubstr("has no record of a peerstore"));
}

TEST(LevelDbDatastore, is_made_only_where_there_is_none_and_opened_only_where_there_is_one) {
  NEEDS_LEVELDB();
  const TestFolder folder;
  EXPECT_FALSE(LevelDbDatastore::open(folder.path / "db", Open::existing));
  ASSERT_TRUE(LevelDbDatastore::open(folder.path / "db", Open::fresh));
  EXPECT_FALSE(LevelDbDatastore::open(folder.path / "db", Open::fresh));
  EXPECT_TRUE(LevelDbDatastore::open(folder.path / "db", Open::existing));
}

// A directory as op-node leaves it, with some records.
class LevelDbCopyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_LEVELDB();
    const auto made = LevelDbDatastore::open(source_, Open::fresh).value();
    ASSERT_TRUE(made->apply(one_of_each(1)));
  }
  libp2p::Result<std::size_t> copied_records() {
    OPP2P_TRY(const auto copy, LevelDbCopy::make(source_, place_));
    OPP2P_TRY(const auto opened, LevelDbDatastore::open(copy.path(), Open::existing));
    OPP2P_TRY(const auto gathered, gather_records(*opened));
    return gathered.records.size();
  }
  std::vector<fs::path> parts(std::string_view suffix) const {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(source_))
      if (entry.path().filename().string().ends_with(suffix)) out.push_back(entry.path());
    return out;
  }
  void write(const fs::path& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }

  TestFolder folder_;
  fs::path source_ = folder_.path / "op-node";
  fs::path place_ = folder_.path / "copy";
};

TEST_F(LevelDbCopyTest, has_the_records_and_goes_with_its_owner) {
  EXPECT_EQ(copied_records().value(), one_of_each(1).size());
  EXPECT_FALSE(fs::exists(place_));
  // What a killed process has left there is in nobody's way.
  fs::create_directories(place_ / "more");
  write(place_ / "000009.log", "old");
  EXPECT_TRUE(copied_records());
}

TEST_F(LevelDbCopyTest, leaves_the_original_as_it_is) {
  const auto before = fs::last_write_time(source_);
  std::map<std::string, std::uintmax_t> sizes;
  for (const auto& entry : fs::directory_iterator(source_)) sizes[entry.path().string()] = entry.file_size();
  ASSERT_TRUE(copied_records());
  EXPECT_EQ(fs::last_write_time(source_), before);
  for (const auto& entry : fs::directory_iterator(source_)) EXPECT_EQ(sizes[entry.path().string()], entry.file_size());
}

TEST_F(LevelDbCopyTest, is_refused_while_a_program_has_the_directory_open) {
  {
    const int file = ::open((source_ / "LOCK").c_str(), O_RDWR);
    ASSERT_GE(file, 0);
    ASSERT_EQ(::flock(file, LOCK_EX), 0);  // as goleveldb does
    const auto refused = LevelDbCopy::make(source_, place_);
    ::close(file);
    EXPECT_EQ(refused.error(), Errc::denied);
    EXPECT_THAT(refused.error().text(), HasSubstr(source_.string()));
    EXPECT_THAT(refused.error().text(), HasSubstr("stop op-node first"));
  }
  EXPECT_TRUE(LevelDbCopy::make(source_, place_));
}

TEST_F(LevelDbCopyTest, is_refused_when_the_lock_is_no_file) {
  fs::remove(source_ / "LOCK");
  ASSERT_EQ(::mkfifo((source_ / "LOCK").c_str(), 0600), 0);
  EXPECT_EQ(copied_records().error(), Errc::malformed);  // and does not wait for a writer
}

TEST_F(LevelDbCopyTest, holds_both_locks_against_who_would_open_the_directory) {
  const auto can_open = [this] {
    const pid_t child = ::fork();
    if (child == 0) {
      const int file = ::open((source_ / "LOCK").c_str(), O_RDWR | O_CLOEXEC);
      struct flock lock{};
      lock.l_type = F_WRLCK;
      lock.l_whence = SEEK_SET;
      const int flocked = ::flock(file, LOCK_EX | LOCK_NB) == 0 ? 1 : 0;
      ::_exit(flocked + (::fcntl(file, F_SETLK, &lock) == 0 ? 2 : 0));
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  };
  {
    LevelDbLock lock;
    ASSERT_TRUE(lock.take(source_));
    EXPECT_EQ(can_open(), 0);
  }
  EXPECT_EQ(can_open(), 3);
}

TEST_F(LevelDbCopyTest, is_refused_where_there_is_no_database) {
  EXPECT_TRUE(is_leveldb_directory(source_));
  EXPECT_FALSE(is_leveldb_directory(folder_.path));
  EXPECT_FALSE(is_leveldb_directory(folder_.path / "none"));
  EXPECT_EQ(LevelDbCopy::make(folder_.path, place_).error(), Errc::not_found);
  EXPECT_EQ(LevelDbCopy::make(folder_.path / "none", place_).error(), Errc::not_found);
}

TEST_F(LevelDbCopyTest, never_opens_a_file_outside_of_it) {
  write(source_ / "CURRENT", "../op-node/MANIFEST-000001\n");
  EXPECT_EQ(LevelDbCopy::make(source_, place_).error(), Errc::malformed);
  write(source_ / "CURRENT", "MANIFEST-000001");  // cut off
  EXPECT_EQ(LevelDbCopy::make(source_, place_).error(), Errc::malformed);
  EXPECT_FALSE(fs::exists(place_));
}

TEST_F(LevelDbCopyTest, is_refused_when_a_part_is_no_file) {
  fs::create_directory(source_ / "000099.ldb");
  EXPECT_EQ(LevelDbCopy::make(source_, place_).error(), Errc::malformed);
}

TEST_F(LevelDbCopyTest, of_a_directory_without_its_log_or_manifest_is_an_error) {
  // A record that is cut off at the end of the log is what a crash leaves, and no damage. Elsewhere it is.
  for (const auto& log : parts(".log")) write(log, std::string(100, 'x'));
  EXPECT_EQ(copied_records().value(), 0u);
  for (const auto& log : parts(".log")) write(log, std::string(100'000, 'x'));
  EXPECT_FALSE(copied_records());
  for (const auto& entry : fs::directory_iterator(source_))
    if (entry.path().filename().string().starts_with("MANIFEST-")) write(entry.path(), std::string(100, '\xff'));
  EXPECT_FALSE(copied_records());
}

// Every file of a database with tables, with flipped bits and cut off. The import reads what is sound or ends with an
// error; nothing else may happen.
TEST_F(LevelDbCopyTest, of_a_damaged_directory_is_an_error_or_has_sound_records_only) {
  {
    const auto opened = LevelDbDatastore::open(source_, Open::existing).value();  // moves the log to a table
    std::vector<Change> more = one_of_each(2);
    ASSERT_TRUE(opened->apply(more));
  }
  ASSERT_FALSE(parts(".ldb").empty());
  libp2p::SeededRng rng(7);
  std::size_t errors = 0;
  for (const auto& entry : std::vector<fs::directory_entry>(fs::directory_iterator(source_), {})) {
    const auto name = entry.path().filename().string();
    if (name == "LOCK" || name.starts_with("LOG")) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string good((std::istreambuf_iterator<char>(in)), {});
    for (int run = 0; run < 24; ++run) {
      std::string damaged = good;
      if (run % 3 == 0) damaged.resize(rng.below(good.size() + 1));
      // The end of a table has no checksum.
      const auto last = good.size() > kTableFooter && run % 2 == 0 ? good.size() - kTableFooter : 0;
      for (int bit = 0; bit < 1 + run % 4 && !damaged.empty(); ++bit) {
        const auto at = std::min(last + rng.below(good.size() - last), damaged.size() - 1);
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << rng.below(8)));
      }
      write(entry.path(), damaged);
      const auto records = copied_records();
      if (!records) ++errors;
      if (records) {
        EXPECT_LE(*records, 2 * one_of_each(1).size());
      }
    }
    write(entry.path(), good);
  }
  EXPECT_GT(errors, 20u);
  EXPECT_TRUE(copied_records());
}

TEST(LevelDbTable, is_refused_when_its_footer_points_behind_its_end) {
  libp2p::Bytes footer(kTableFooter, 0);
  libp2p::store_le64(&footer[40], 0xdb4775248b80fb57);
  const auto with = [&](std::initializer_list<std::uint8_t> handles) {
    auto out = footer;
    std::copy(handles.begin(), handles.end(), out.begin());
    return out;
  };
  EXPECT_TRUE(check_table_footer(with({0, 8, 13, 20}), kTableFooter + 38));
  EXPECT_FALSE(check_table_footer(with({0, 8, 13, 21}), kTableFooter + 38));
  EXPECT_FALSE(check_table_footer(with({0, 8, 39, 0}), kTableFooter + 38));
  EXPECT_FALSE(check_table_footer(with({0, 8, 0xff, 0xff, 0xff, 0xff, 0x0f, 1}), kTableFooter + 38));
  EXPECT_FALSE(check_table_footer(footer, 10));
  footer[47] ^= 1;
  EXPECT_FALSE(check_table_footer(footer, kTableFooter + 38));
  EXPECT_FALSE(check_table_footer({}, 100));
}

}  // namespace
}  // namespace opp2p
