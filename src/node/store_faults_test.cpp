// The store on a disk that fails: each call that it makes of the disk, one after the other, in each way that it can
// fail.
#include <gtest/gtest.h>

#include "node/store_test_disk.hpp"
#include "node/store_test_support.hpp"

namespace opp2p::node {
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

std::string name_of(const testing::TestParamInfo<Fault>& fault) {
  constexpr std::string_view kNames[] = {"IoError", "DiskFull", "DoneButDenied", "Half"};
  return std::string(kNames[static_cast<std::size_t>(fault.param)]);
}

INSTANTIATE_TEST_SUITE_P(Faults, StoreDisk,
                         testing::Values(Fault::io_error, Fault::disk_full, Fault::done_but_denied, Fault::half),
                         name_of);

}  // namespace
}  // namespace opp2p::node
