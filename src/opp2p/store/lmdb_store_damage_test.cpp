// The block store on files that a disk, a crash or a person has damaged: it answers with an error, or with blocks that
// are as they were written, whatever is in the file.
#include <gtest/gtest.h>

#include <map>

#include "opp2p/store/store_operations.hpp"
#include "opp2p/store/store_test_support.hpp"
#include "testing/damaged_file.hpp"

namespace opp2p {
namespace {

using namespace testing_store;

constexpr std::uint64_t kDamagedBlocks = 120;
constexpr int kStoreSound = 0;    // what it answers is as it was written, or an error
constexpr int kStoreRefused = 2;  // with an error for a person

std::size_t size_of_block(std::uint64_t number) { return number % 7 == 0 ? 30'000 : 400; }

StoredBlock written_block(std::uint64_t number) { return block_at(number, size_of_block(number)); }

void fill_blocks(const fs::path& folder) {
  Mailbox mailbox;
  auto store = LmdbStore::open(config_in(folder), mailbox.post()).value();
  std::uint64_t done = 0;
  for (std::uint64_t n = 1; n <= kDamagedBlocks; ++n) {
    store->keep(written_block(n), attestation_of(1, 1), true, [&](const auto&) { ++done; });
    if (n % 10 == 0) mailbox.run_until([&] { return done == n; });  // several commits, with free pages
  }
}

bool is_for_a_person(const Error& error) { return error == Errc::malformed || error == Errc::mismatch; }

int use_damaged_blocks(const fs::path& folder) {
  Mailbox mailbox;
  auto opened = LmdbStore::open(config_in(folder), mailbox.post());
  if (!opened) return is_for_a_person(opened.error()) || opened.error() == Errc::not_found ? kStoreRefused : 10;
  auto& store = **opened;
  for (std::uint64_t n = 1; n <= kDamagedBlocks; ++n) {
    const auto read = store.by_number(n);
    if (!read && !is_for_a_person(read.error())) return 11;
    if (read && *read && (*read)->body != written_block(n).body) return 12;
    const auto named = store.by_hash(hash_of(n));
    if (named && *named && (*named)->block.body != written_block(n).body) return 13;
  }
  (void)store.view(20);
  (void)store.check(CheckDepth{.bodies = true});
  std::uint64_t answered = 0;
  for (std::uint64_t n = kDamagedBlocks + 1; n <= kDamagedBlocks + 30; ++n)
    store.keep(written_block(n), std::nullopt, true, [&](const auto&) { ++answered; });
  store.rewind(kDamagedBlocks / 2, std::nullopt, [&](const auto&) { ++answered; });
  mailbox.run_until([&] { return answered == 31; });
  store.close();
  return kStoreSound;
}

TEST(LmdbStoreDamage, is_never_a_signal_nor_a_wrong_block) {
  const Folder folder(memory_folder());
  fill_blocks(folder.path());
  const auto file = folder.path() / "data.mdb";
  const Bytes whole = testing_files::read_whole(file);
  std::map<int, std::size_t> ends;
  const std::uint64_t count = testing_files::damages(300);
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    Bytes bytes = whole;
    const std::string what = testing_files::damage(bytes, seed);
    testing_files::write_whole(file, bytes);
    const int ended = testing_files::run_in_child([&] { return use_damaged_blocks(folder.path()); });
    ASSERT_TRUE(ended == kStoreSound || ended == kStoreRefused) << "seed " << seed << ", " << what << ": " << ended;
    ++ends[ended];
  }
  if (count < 300) return;
  EXPECT_GT(ends[kStoreRefused], count / 4);
  EXPECT_GT(ends[kStoreSound], count / 20);
}

TEST(LmdbStoreDamage, without_any_all_of_it_is_sound) {
  const Folder folder(memory_folder());
  fill_blocks(folder.path());
  EXPECT_EQ(use_damaged_blocks(folder.path()), kStoreSound);
}

}  // namespace
}  // namespace opp2p
