// A disk that loses what was not synced (store_test_disk.hpp): the power is cut after each thing that the store asks of
// the disk, from the making of the database on.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "opp2p/store/store_test_disk.hpp"
#include "opp2p/store/store_test_support.hpp"

namespace opp2p {
namespace {

using namespace testing_store;

class StorePowerCut : public testing::Test {
 protected:
  void SetUp() override {
    Disk::instance().start(folder_.path());
    result_ = run_script(folder_.path());
    events_ = Disk::instance().stop();
    ASSERT_TRUE(result_.finished);
    ASSERT_GT(events_.size(), 30u) << "the writes of LMDB did not pass through this test";
  }

  Folder folder_{memory_folder()};
  ScriptResult result_;
  std::vector<DiskEvent> events_;
};

TEST_F(StorePowerCut, no_cut_loses_an_acknowledged_block) {
  libp2p::SeededRng rng(1);
  for (std::size_t cut = 0; cut <= events_.size(); ++cut) {
    for (int variant = 0; variant < 8; ++variant) {
      const auto left = check_image(disk_after(events_, cut, rng), result_.acknowledged_by(cut));
      ASSERT_TRUE(left) << "cut after " << cut << " of " << events_.size() << " events: " << left.error().message();
    }
  }
}

// The test above could not fail if it saw no unsynced writes: on a disk that ignores syncs the same cuts do lose
// blocks.
TEST_F(StorePowerCut, the_same_cuts_lose_blocks_on_a_disk_that_ignores_syncs) {
  libp2p::SeededRng rng(1);
  std::size_t lost = 0;
  for (std::size_t cut = 10; cut <= events_.size(); cut += 3) {
    // In a process of its own: what such a disk leaves may be beyond what the database can survive.
    const auto image = disk_after(events_, cut, rng, false);
    const pid_t child = ::fork();
    if (child == 0) ::_exit(check_image(image, result_.acknowledged_by(cut)) ? 0 : 1);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (status != 0) ++lost;
  }
  EXPECT_GT(lost, 0u);
}

}  // namespace
}  // namespace opp2p
