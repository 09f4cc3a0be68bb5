#include "libp2p/storage/lmdb/lmdb_datastore.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "libp2p/base/rng.hpp"
#include "libp2p/storage/lmdb/lmdb_environment.hpp"
#include "libp2p/testing/datastore_suite.hpp"
#include "testing/killed_child.hpp"
#include "testing/lmdb_file.hpp"
#include "testing/temporary_folder.hpp"

namespace libp2p::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing_files::Folder;
using testing_files::memory_folder;

class LmdbDatastoreSuite : public ::testing::TestWithParam<std::string> {};

TEST_P(LmdbDatastoreSuite, passes) {
  const Folder folder(memory_folder());
  const DatastoreFactory factory{"lmdb",
                                 [&]() -> Result<std::unique_ptr<Datastore>> {
                                   OPP2P_TRY(auto opened, LmdbDatastore::open(folder.path()));
                                   return std::unique_ptr<Datastore>(std::move(opened));
                                 },
                                 true};
  EXPECT_EQ(run_datastore_case(GetParam(), factory), Failures());
}

INSTANTIATE_TEST_SUITE_P(Datastore, LmdbDatastoreSuite, ::testing::ValuesIn(datastore_suite_cases()),
                         [](const auto& one) { return one.param; });

class LmdbDatastoreFiles : public ::testing::Test {
 protected:
  std::unique_ptr<LmdbDatastore> open(const LmdbDatastoreConfig& config = {}) {
    auto opened = LmdbDatastore::open(folder_.path(), config);
    if (!opened) throw std::runtime_error(opened.error().message());
    return std::move(*opened);
  }
  Error open_fails(const LmdbDatastoreConfig& config = {}) {
    const auto opened = LmdbDatastore::open(folder_.path(), config);
    EXPECT_FALSE(opened);
    return opened ? Error() : opened.error();
  }
  fs::path file() const { return folder_.path() / "data.mdb"; }
  // A thousand entries of `size` bytes.
  static void fill(LmdbDatastore& store, std::size_t size) {
    std::vector<Change> changes(1000);
    for (std::size_t i = 0; i < changes.size(); ++i)
      changes[i] = {"/peers/" + std::to_string(10'000 + i), Bytes(size, static_cast<std::uint8_t>(i))};
    ASSERT_TRUE(store.apply(changes));
  }

  Folder folder_{memory_folder()};
};

TEST_F(LmdbDatastoreFiles, makes_its_folder) {
  const auto opened = LmdbDatastore::open(folder_.path() / "a" / "b");
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ((*opened)->entries().value(), 0u);
  EXPECT_GT((*opened)->file_size().value(), 0u);
}

TEST_F(LmdbDatastoreFiles, a_second_owner_is_refused_and_told_what_to_do) {
  auto store = open();
  const Error error = open_fails();
  EXPECT_EQ(error.code(), Errc::denied);
  EXPECT_THAT(error.text(), AllOf(HasSubstr(folder_.path().string()), HasSubstr("another process has it open"),
                                  HasSubstr("name another folder")));
  store.reset();
  EXPECT_TRUE(open());
}

TEST_F(LmdbDatastoreFiles, one_that_is_not_to_be_created_is_an_error_when_it_is_not_there) {
  LmdbDatastoreConfig config;
  config.create = false;
  EXPECT_EQ(open_fails(config).code(), Errc::not_found);
  EXPECT_TRUE(fs::is_empty(folder_.path()));
  std::ofstream(file()).close();
  EXPECT_EQ(open_fails(config).code(), Errc::malformed) << "an empty one was cut short";
  fs::remove(file());
  open().reset();
  EXPECT_TRUE(open(config));
}

TEST_F(LmdbDatastoreFiles, a_folder_that_cannot_be_is_an_error_with_its_name) {
  std::ofstream(folder_.path() / "file") << "x";
  const auto opened = LmdbDatastore::open(folder_.path() / "file" / "below");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Errc::io);
  EXPECT_THAT(opened.error().text(), AllOf(HasSubstr("file/below"), HasSubstr("Not a directory")));
}

TEST_F(LmdbDatastoreFiles, grows_up_to_its_largest_size_and_says_when_it_is_full) {
  LmdbDatastoreConfig config;
  config.max_size = 6 << 20;
  auto store = open(config);
  ASSERT_NO_FATAL_FAILURE(fill(*store, 2000));  // two of the six MiB: the map has grown
  EXPECT_EQ(store->entries().value(), 1000u);
  std::vector<Change> more(3);
  for (std::size_t i = 0; i < more.size(); ++i) more[i] = {"/more/" + std::to_string(i), Bytes(kMaxValue)};
  Result<void> outcome;
  for (int i = 0; i < 3 && outcome; ++i) {
    for (Change& change : more) change.key += "x";
    outcome = store->apply(more);
  }
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), Errc::exhausted);
  EXPECT_THAT(outcome.error().text(), AllOf(HasSubstr("full"), HasSubstr(std::to_string(config.max_size))));
  EXPECT_LE(store->file_size().value(), config.max_size);
  // What is there stays readable, and room can be made.
  EXPECT_EQ(store->get("/peers/10007").value()->size(), 2000u);
  for (Change& change : more) change = {change.key.substr(0, 8), std::nullopt};
  EXPECT_TRUE(store->apply(more));
  store.reset();
  store = open(config);
  EXPECT_EQ(store->get("/peers/10999").value(), Bytes(2000, static_cast<std::uint8_t>(999)));
  more = {{"/again", Bytes(100'000)}};
  EXPECT_TRUE(store->apply(more)) << "erased pages are used again";
}

TEST_F(LmdbDatastoreFiles, what_is_erased_makes_room) {
  LmdbDatastoreConfig config;
  config.max_size = 8 << 20;
  auto store = open(config);
  for (int round = 0; round < 40; ++round) {
    ASSERT_NO_FATAL_FAILURE(fill(*store, 1000));
    std::vector<Change> erased(1000);
    for (std::size_t i = 0; i < erased.size(); ++i) erased[i].key = "/peers/" + std::to_string(10'000 + i);
    ASSERT_TRUE(store->apply(erased)) << round;
  }
  EXPECT_EQ(store->entries().value(), 0u);
}

TEST_F(LmdbDatastoreFiles, the_database_of_another_program_is_refused) {
  testing_files::make_foreign_lmdb(folder_.path());
  const Error error = open_fails();
  EXPECT_EQ(error.code(), Errc::mismatch);
  EXPECT_THAT(error.text(), HasSubstr("name another folder"));
}

TEST_F(LmdbDatastoreFiles, another_format_is_refused_by_name) {
  open().reset();
  for (const std::string format : {"opp2p-datastore-1", "opp2p-datastore-3"}) {
    testing_files::change_lmdb(folder_.path(), "datastore-meta", "format", format);
    const Error error = open_fails();
    EXPECT_EQ(error.code(), Errc::mismatch);
    EXPECT_THAT(error.text(), AllOf(HasSubstr("'" + format + "'"), HasSubstr("move data.mdb away")));
  }
}

TEST_F(LmdbDatastoreFiles, garbage_is_refused_and_told_what_to_do) {
  std::ofstream(file()) << std::string(100'000, 'g');
  const Error error = open_fails();
  EXPECT_EQ(error.code(), Errc::malformed);
  EXPECT_THAT(error.text(), AllOf(HasSubstr("data.mdb is damaged"), HasSubstr("move it away and start again"),
                                  HasSubstr("learned anew")));
}

TEST_F(LmdbDatastoreFiles, what_a_crash_left_of_a_young_database_is_removed) {
  ASSERT_NO_FATAL_FAILURE(fill(*open(), 10));
  std::ofstream(folder_.path() / "data.mdb.new") << "half a database";
  EXPECT_EQ(open()->entries().value(), 1000u);
  EXPECT_FALSE(fs::exists(folder_.path() / "data.mdb.new"));
}

TEST_F(LmdbDatastoreFiles, when_it_is_full_erasures_and_smaller_values_still_go_through) {
  LmdbDatastoreConfig config;
  config.max_size = 4 << 20;
  auto store = open(config);
  std::vector<std::string> keys;
  for (int i = 0; keys.size() < 5000; ++i) {  // until not even one more small record has room
    keys.push_back("/full/" + std::to_string(100'000 + i));
    const auto put = store->apply(std::vector<Change>{{keys.back(), Bytes(1000)}});
    if (put) continue;
    ASSERT_EQ(put.error().code(), Errc::exhausted);
    keys.pop_back();
    break;
  }
  ASSERT_LT(keys.size(), 5000u);
  // One change of each of many pages, which LMDB writes anew before it has the old ones back.
  std::vector<Change> changes;
  for (std::size_t i = 0; i < keys.size(); i += 20) changes.push_back({keys[i], std::nullopt});
  changes.push_back({"/more", Bytes(100)});
  EXPECT_TRUE(store->apply(changes));
  EXPECT_EQ(store->get("/more").value(), Bytes(100));
  EXPECT_FALSE(store->get(keys[0]).value());
  changes.back() = {"/larger", Bytes(kMaxValue)};
  EXPECT_EQ(store->apply(changes).error().code(), Errc::exhausted) << "what is erased already makes no room";
  for (std::size_t first = 0; first < keys.size() / 2; first += 60) {
    changes.clear();
    for (std::size_t i = first; i < first + 60; ++i) changes.push_back({keys[i], std::nullopt});
    ASSERT_TRUE(store->apply(changes)) << first;
  }
  EXPECT_LE(store->file_size().value(), config.max_size);
  for (int i = 0; i < 200; ++i)
    ASSERT_TRUE(store->apply(std::vector<Change>{{"/again/" + std::to_string(i), Bytes(1000)}})) << i;
}

// The child writes pairs that belong together, without end, and tells each number once it is durable.
TEST(LmdbDatastoreChild, DISABLED_writes_pairs_until_it_is_killed) {
  const char* folder = std::getenv(testing_files::kChildFolder);
  ASSERT_NE(folder, nullptr);
  const auto store = std::move(LmdbDatastore::open(folder).value());
  std::uint32_t number = 0;
  if (const auto last = store->get("/last").value()) number = load_le32(last->data());
  while (true) {
    ++number;
    Bytes text(4);
    store_le32(text.data(), number);
    Bytes large(number % 9 == 0 ? 40'000 : 100, static_cast<std::uint8_t>(number));
    const std::string name = std::to_string(number % 500);
    const std::vector<Change> changes = {
        {"/last", text}, {"/a/" + name, large}, {"/b/" + name, large}, {"/gone/" + name, std::nullopt}};
    if (!store->apply(changes)) ::_exit(3);
    testing_files::tell(&number, sizeof number);
  }
}

TEST(LmdbDatastoreCrash, a_killed_process_loses_nothing_that_was_answered_and_leaves_whole_changes) {
  const Folder folder;
  SeededRng rng(static_cast<std::uint64_t>(::getpid()));
  std::uint32_t last = 0;
  for (int round = 0; round < testing_files::kills(); ++round) {
    const auto told = testing_files::run_and_kill("LmdbDatastoreChild.DISABLED_writes_pairs_until_it_is_killed",
                                                  folder.path(), std::chrono::microseconds(rng.below(60'000)), 4);
    const std::uint32_t before = last;
    last = load_le32(&told[told.size() - 4]);
    ASSERT_GT(last, before) << "it went on from where it was";
    const auto store = std::move(LmdbDatastore::open(folder.path()).value());
    const std::uint32_t found = load_le32(store->get("/last").value()->data());
    ASSERT_TRUE(found == last || found == last + 1) << "told " << last << ", found " << found;
    std::map<std::string, Bytes> pairs;
    std::size_t seen = 0;
    ASSERT_TRUE(store->scan("/", [&](std::string_view key, ByteView value) {
      if (key.starts_with("/a/")) pairs[std::string(key.substr(3))] = to_bytes(value);
      if (key.starts_with("/b/")) {
        ++seen;
        EXPECT_EQ(pairs[std::string(key.substr(3))], to_bytes(value)) << key << " is not of its pair";
      }
      return true;
    }));
    ASSERT_EQ(seen, pairs.size());
    ASSERT_EQ(seen, std::min<std::size_t>(500, found));
    last = found;
  }
}

}  // namespace
}  // namespace libp2p::storage
