// The store on a disk that fails: each call that it makes of the disk, one after the other, in each way that it can
// fail.
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "opp2p/store/store_test_disk.hpp"
#include "opp2p/store/store_test_format1.hpp"

namespace opp2p {
namespace {

using namespace testing_store;

// Runs the script with one fault; then looks at the folder as it is, and at what a failing power could have left of it.
void run_with(std::size_t call, Fault fault, bool lasting, std::vector<Error>& errors) {
  const Folder folder(memory_folder());
  auto& disk = Disk::instance();
  disk.start(folder.path());
  disk.fail(call, fault, lasting);
  const auto result = run_script(folder.path());
  const auto events = disk.stop();
  errors.insert(errors.end(), result.errors.begin(), result.errors.end());
  ASSERT_TRUE(result.finished || lasting) << result.errors.back().message();
  const auto left = check_store(folder.path(), result.chains_after(SIZE_MAX - 1));
  ASSERT_TRUE(left) << left.error().message();
  libp2p::SeededRng rng(call);
  for (std::size_t cut = call; cut <= std::min(events.size(), call + 8); ++cut) {
    const auto after = check_image(disk_after(events, cut, rng), result.chains_after(cut));
    ASSERT_TRUE(after) << "power lost after " << cut << " of " << events.size()
                       << " events: " << after.error().message();
  }
}

// The calls that a run without faults makes.
std::size_t count_calls() {
  const Folder folder(memory_folder());
  auto& disk = Disk::instance();
  disk.start(folder.path());
  const auto result = run_script(folder.path());
  disk.stop();
  EXPECT_TRUE(result.finished && result.errors.empty());
  EXPECT_EQ(result.head(), 57u);
  EXPECT_GT(result.pruned, 0u) << "nothing was pruned: pages are not used again";
  return disk.calls();
}

class StoreDisk : public testing::TestWithParam<Fault> {};

TEST_P(StoreDisk, whichever_call_fails_it_goes_on_and_loses_nothing) {
  const std::size_t calls = count_calls();
  ASSERT_GT(calls, 30u);
  RecordProperty("calls", static_cast<int>(calls));
  std::vector<Error> errors;
  for (std::size_t call = 0; call < calls; ++call) {
    SCOPED_TRACE("call " + std::to_string(call) + " of " + std::to_string(calls));
    run_with(call, GetParam(), false, errors);
    if (HasFatalFailure()) return;
  }
  EXPECT_GE(errors.size(), calls / 2);
  for (const auto& error : errors)
    EXPECT_NE(error.text().find("block store in "), std::string::npos) << error.message();
}

TEST_P(StoreDisk, whenever_the_disk_fails_for_good_nothing_acknowledged_is_lost) {
  const std::size_t calls = count_calls();
  std::vector<Error> errors;
  for (std::size_t call = 0; call < calls; ++call) {
    SCOPED_TRACE("from call " + std::to_string(call) + " of " + std::to_string(calls));
    run_with(call, GetParam(), true, errors);
    if (HasFatalFailure()) return;
  }
  EXPECT_GE(errors.size(), calls);
}

// The old database stays whole until the new one is.
TEST_P(StoreDisk, a_migration_whose_disk_fails_works_the_next_time) {
  std::string old;
  {
    const Folder folder(memory_folder());
    write_format_1(folder.path(), blocks_at(1, 60, 700));
    std::ifstream in(folder.path() / "data.mdb", std::ios::binary);
    old.assign(std::istreambuf_iterator<char>(in), {});
  }
  auto& disk = Disk::instance();
  std::size_t calls = 0;
  const auto open = [&](const fs::path& folder, std::size_t failing_call) {
    std::ofstream(folder / "data.mdb", std::ios::binary) << old;
    disk.start(folder);
    disk.fail(failing_call, GetParam(), false);
    auto opened = LmdbStore::open(config_in(folder), inline_post());
    calls = std::max(calls, disk.calls());
    disk.stop();
    return opened;
  };
  ASSERT_TRUE(open(Folder(memory_folder()).path(), SIZE_MAX));
  std::size_t failed = 0;
  for (std::size_t call = 0; call < calls; ++call) {
    SCOPED_TRACE("call " + std::to_string(call) + " of " + std::to_string(calls));
    const Folder folder(memory_folder());
    const auto first = open(folder.path(), call);
    if (first) continue;
    ++failed;
    const auto second = LmdbStore::open(config_in(folder.path()), inline_post());
    ASSERT_TRUE(second) << second.error().message() << " after " << first.error().message();
    const auto found = (*second)->check(CheckDepth{}).value();
    ASSERT_EQ(found.defect_count, 0u) << found.defects.front();
    ASSERT_EQ(found.summary.blocks, 60u);
  }
  EXPECT_GT(calls, 8u);
  EXPECT_GT(failed, calls / 2);
}

TEST(StoreDiskReaders, see_right_blocks_or_an_error_while_writes_fail_and_right_ones_afterwards) {
  const Folder folder(memory_folder());
  auto& disk = Disk::instance();
  disk.start(folder.path());
  Mailbox mailbox;
  const auto store = LmdbStore::open(config_in(folder.path()), mailbox.post()).value();
  Calls calls(*store, mailbox);
  const auto put = [&](std::uint64_t number) { return calls.extend(block_at(number)); };
  ASSERT_TRUE(put(1));
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::thread reader([&] {
    while (!stop) {
      const auto block = store->by_number(1);
      if (block ? !*block || (*block)->body != block_at(1).body : block.error() != Errc::io) ++wrong;
    }
  });
  int failed = 0;
  for (std::uint64_t number = 2; number <= 60; ++number) {
    disk.fail(disk.calls() + number % 4, Fault::io_error, number % 3 == 0);
    failed += put(number) ? 0 : 1;
    disk.fail(SIZE_MAX, Fault::io_error, false);
    EXPECT_TRUE(put(number));
    EXPECT_TRUE(store->by_number(number).value());
  }
  stop = true;
  reader.join();
  disk.stop();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(failed, 20);
}

// What a reorganisation writes are table entries: of 600 blocks on each side with 20 MB of bodies, no body.
TEST(StoreDiskReorganisation, of_600_blocks_writes_no_body) {
  const Folder folder(memory_folder());
  Mailbox mailbox;
  const auto store = LmdbStore::open(config_in(folder.path()), mailbox.post()).value();
  std::size_t kept = 0;
  constexpr std::uint64_t kBlocks = 600;
  constexpr std::size_t kSize = 16'000;
  for (std::uint64_t n = 1; n <= kBlocks; ++n) {
    store->keep(block_at(n, kSize), std::nullopt, true, [&](const auto& r) { kept += r ? 1 : 0; });
    store->keep(block_at(n, kSize, 1, n == 1 ? 0 : 1), std::nullopt, false, [&](const auto& r) { kept += r ? 1 : 0; });
  }
  mailbox.run_until([&] { return kept == 2 * kBlocks; });
  auto& disk = Disk::instance();
  disk.start(folder.path());
  HeadMove move;
  move.to = block_at(kBlocks, kSize, 1, 1).ref();
  move.joined = false;
  const auto moved = Calls(*store, mailbox).move_head(move);
  const auto events = disk.stop();
  ASSERT_TRUE(moved) << moved.error().message();
  EXPECT_EQ(moved->depth, kBlocks);
  std::size_t written = 0;
  for (const auto& event : events) written += event.data.size();
  EXPECT_GT(written, 0u);
  EXPECT_LT(written, std::size_t{1} << 20);
}

std::string name_of(const testing::TestParamInfo<Fault>& fault) {
  constexpr std::string_view kNames[] = {"IoError", "DiskFull", "DoneButDenied", "Half"};
  return std::string(kNames[static_cast<std::size_t>(fault.param)]);
}

INSTANTIATE_TEST_SUITE_P(Faults, StoreDisk,
                         testing::Values(Fault::io_error, Fault::disk_full, Fault::done_but_denied, Fault::half),
                         name_of);

}  // namespace
}  // namespace opp2p
