// The datastore on files that a disk, a crash or a person has damaged: it answers with an error, or with records that
// are as they were written, whatever is in the file.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <map>

#include "libp2p/storage/lmdb/lmdb_datastore.hpp"
#include "testing/damaged_file.hpp"
#include "testing/temporary_folder.hpp"

namespace libp2p::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing_files::Folder;
using testing_files::memory_folder;

using Records = std::map<std::string, Bytes, std::less<>>;

// Values of all sizes, and one in nine on pages of its own.
Bytes value_of(std::uint64_t number) {
  SeededRng rng(number);
  Bytes out(number % 9 == 0 ? 3000 + rng.below(20'000) : rng.below(300));
  rng.fill(out);
  return out;
}

Records fill_store(const fs::path& folder) {
  auto store = LmdbDatastore::open(folder).value();
  Records out;
  for (std::uint64_t round = 0; round < 6; ++round) {
    std::vector<Change> changes;
    for (std::uint64_t i = 0; i < 150; ++i) {
      const std::uint64_t number = 100 * round + i;  // half of them again
      const std::string key = "/peers/" + std::to_string(1'000'000 - 7 * number);
      if (number % 5 == 4 && out.contains(key)) {
        changes.push_back({key, std::nullopt});
        out.erase(key);
      } else {
        out[key] = value_of(number + 1000 * round);
        changes.push_back({key, out[key]});
      }
    }
    EXPECT_TRUE(store->apply(changes));
  }
  return out;
}

constexpr int kSound = 0;    // all records that were not reported are as they were written
constexpr int kRefused = 2;  // with an error for a person
// 1: LMDB found damage that the check at opening had not

bool is_clear(const Error& error) {
  return error == Errc::malformed || error == Errc::mismatch || error == Errc::not_found;
}

// Reads and writes all of it.
int use_damaged(const fs::path& folder, const Records& written) {
  auto opened = LmdbDatastore::open(folder);
  if (!opened) return is_clear(opened.error()) ? kRefused : 10;
  auto store = std::move(*opened);
  const auto is_right = [&](std::string_view key, ByteView value) {
    const auto found = written.find(key);
    return found != written.end() && equal(found->second, value);
  };
  bool right = true;
  const auto scanned = store->scan(
      "",
      [&](std::string_view key, ByteView value) {
        right = right && is_right(key, value);
        return true;
      },
      [](std::string_view, const Error&) {});
  if (!scanned) return 11;
  for (const auto& [key, value] : written) {
    const auto read = store->get(key);
    if (!read && read.error() != Errc::malformed) return 12;
    if (read && *read) right = right && is_right(key, **read);
  }
  if (!right) return 13;
  std::size_t number = 0;
  for (int round = 0; round < 4; ++round) {
    std::vector<Change> changes;
    for (const auto& [key, value] : written) {
      const auto at = ++number % 4;
      if (at == 0) changes.push_back({key, std::nullopt});
      if (at == 1) changes.push_back({key, Bytes(value.size() / 2 + 100, 7)});
      if (at == 2) changes.push_back({key + "/more", Bytes(number % 5000, 8)});
    }
    if (!store->apply(changes)) return 14;
  }
  store.reset();
  opened = LmdbDatastore::open(folder);  // what was written is sound, too
  return opened ? kSound : 15;
}

TEST(LmdbDamage, is_never_a_signal_nor_a_wrong_record) {
  const Folder folder(memory_folder());
  const auto written = fill_store(folder.path());
  const auto file = folder.path() / "data.mdb";
  const Bytes whole = testing_files::read_whole(file);
  std::map<int, std::size_t> ends;
  const std::uint64_t count = testing_files::damages(400);
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    Bytes bytes = whole;
    const std::string what = testing_files::damage(bytes, seed);
    testing_files::write_whole(file, bytes);
    const int ended = testing_files::run_in_child([&] { return use_damaged(folder.path(), written); });
    ASSERT_TRUE(ended == kSound || ended == kRefused) << "seed " << seed << ", " << what << ": " << ended;
    ++ends[ended];
  }
  if (count < 400) return;
  EXPECT_GT(ends[kRefused], count / 4);
  EXPECT_GT(ends[kSound], count / 20);
}

TEST(LmdbDamage, without_any_all_of_it_is_sound) {
  const Folder folder(memory_folder());
  const auto written = fill_store(folder.path());
  EXPECT_EQ(use_damaged(folder.path(), written), kSound);
}

TEST(LmdbDamage, of_a_page_is_an_error_that_names_file_and_page_and_says_what_to_do) {
  const Folder folder(memory_folder());
  fill_store(folder.path());
  const auto file = folder.path() / "data.mdb";
  Bytes bytes = testing_files::read_whole(file);
  std::fill(bytes.begin() + 4096 * 2, bytes.end(), 0);
  testing_files::write_whole(file, bytes);
  const auto opened = LmdbDatastore::open(folder.path());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Errc::malformed);
  EXPECT_THAT(opened.error().text(), AllOf(HasSubstr(file.string() + " is damaged"), HasSubstr("(page "),
                                           HasSubstr("move it away and start again")));
}

TEST(LmdbDamage, of_an_empty_file_is_an_error_too) {
  const Folder folder(memory_folder());
  fill_store(folder.path());
  testing_files::write_whole(folder.path() / "data.mdb", Bytes());
  const auto opened = LmdbDatastore::open(folder.path());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Errc::malformed);
  EXPECT_THAT(opened.error().text(), HasSubstr("it is empty"));
}

TEST(LmdbDamage, of_a_value_is_an_error_of_its_record_alone) {
  const Folder folder(memory_folder());
  const std::string text = "a value that the disk changes";
  {
    auto store = LmdbDatastore::open(folder.path()).value();
    ASSERT_TRUE(store->apply(std::vector<Change>{{"/a", to_bytes("sound")}, {"/b", to_bytes(text)}, {"/c", Bytes()}}));
  }
  const auto file = folder.path() / "data.mdb";
  Bytes bytes = testing_files::read_whole(file);
  for (auto at = as_text(bytes).find(text); at != std::string_view::npos; at = as_text(bytes).find(text, at + 1))
    bytes[at + 3] ^= 1;
  testing_files::write_whole(file, bytes);
  auto store = LmdbDatastore::open(folder.path()).value();
  EXPECT_EQ(store->get("/a").value(), to_bytes("sound"));
  EXPECT_EQ(store->get("/c").value(), Bytes());
  const auto read = store->get("/b");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), Errc::malformed);
  EXPECT_THAT(read.error().text(), AllOf(HasSubstr(folder.path().string()), HasSubstr("/b"), HasSubstr("checksum")));
  std::vector<std::string> seen;
  const auto visit = [&](std::string_view key, ByteView) {
    seen.emplace_back(key);
    return true;
  };
  EXPECT_EQ(store->scan("/", visit).error(), Errc::malformed) << "nobody is told, so the scan is";
  EXPECT_THAT(seen, ::testing::ElementsAre("/a", "/c"));
  EXPECT_TRUE(
      store->scan("/", visit, [&](std::string_view key, const Error&) { seen.push_back("!" + std::string(key)); }));
  EXPECT_THAT(seen, ::testing::ElementsAre("/a", "/c", "/a", "!/b", "/c"));
  ASSERT_TRUE(store->apply(std::vector<Change>{{"/b", to_bytes("anew")}}));
  EXPECT_EQ(store->get("/b").value(), to_bytes("anew"));
}

TEST(LmdbDamage, what_is_no_file_is_refused_and_left_alone) {
  const Folder folder(memory_folder());
  const auto file = folder.path() / "data.mdb";
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  const auto opened = LmdbDatastore::open(folder.path());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Errc::mismatch);
  EXPECT_TRUE(fs::is_fifo(file));
}

}  // namespace
}  // namespace libp2p::storage
