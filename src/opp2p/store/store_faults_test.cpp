// The store on a disk that fails: each call that it makes of the disk, one after the other, in each way that it can
// fail.
#include <gtest/gtest.h>

#include <thread>

#include "opp2p/store/store_test_disk.hpp"
#include "opp2p/store/store_test_support.hpp"

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
  const auto left = check_store(folder.path(), result.acknowledged_by(SIZE_MAX));
  ASSERT_TRUE(left) << left.error().message();
  libp2p::SeededRng rng(call);
  for (std::size_t cut = call; cut <= std::min(events.size(), call + 8); ++cut) {
    const auto after = check_image(disk_after(events, cut, rng), result.acknowledged_by(cut));
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
  EXPECT_EQ(result.acknowledged.size(), 45u);
  EXPECT_GT(result.pruned, 0u) << "nothing was pruned: pages are not used again";
  return disk.calls();
}

class StoreDisk : public testing::TestWithParam<Fault> {};

TEST_P(StoreDisk, whichever_call_fails_it_goes_on_and_loses_nothing) {
  const std::size_t calls = count_calls();
  ASSERT_GT(calls, 30u);
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

TEST(StoreDiskReaders, see_right_blocks_or_an_error_while_writes_fail_and_right_ones_afterwards) {
  const Folder folder(memory_folder());
  auto& disk = Disk::instance();
  disk.start(folder.path());
  Mailbox mailbox;
  const auto store = LmdbStore::open(config_in(folder.path()), mailbox.post()).value();
  const auto put = [&](std::uint64_t number) {
    std::optional<Result<void>> outcome;
    store->put(block_at(number), [&](Result<void> r) { outcome = std::move(r); });
    mailbox.run_until([&] { return outcome.has_value(); });
    return *outcome;
  };
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

std::string name_of(const testing::TestParamInfo<Fault>& fault) {
  constexpr std::string_view kNames[] = {"IoError", "DiskFull", "DoneButDenied", "Half"};
  return std::string(kNames[static_cast<std::size_t>(fault.param)]);
}

INSTANTIATE_TEST_SUITE_P(Faults, StoreDisk,
                         testing::Values(Fault::io_error, Fault::disk_full, Fault::done_but_denied, Fault::half),
                         name_of);

}  // namespace
}  // namespace opp2p
