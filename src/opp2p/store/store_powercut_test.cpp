// A disk that loses what was not synced (store_test_disk.hpp): the power is cut after each thing that the store asks of
// the disk, from the making of the database on.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "opp2p/store/store_test_disk.hpp"
#include "opp2p/store/store_test_format1.hpp"
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
  std::size_t holes = 0;
  for (std::size_t cut = 0; cut <= events_.size(); ++cut) {
    for (int variant = 0; variant < 8; ++variant) {
      const auto left = check_image(disk_after(events_, cut, rng), result_.chains_after(cut));
      ASSERT_TRUE(left) << "cut after " << cut << " of " << events_.size() << " events: " << left.error().message();
      if (*left > 1) ++holes;
    }
  }
  EXPECT_GT(holes, 8u) << "no power was cut before a hole was filled";
  EXPECT_LT(holes, 8 * events_.size());
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
    if (child == 0) ::_exit(check_image(image, result_.chains_after(cut)) ? 0 : 1);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (status != 0) ++lost;
  }
  EXPECT_GT(lost, 0u);
}

// The old database has its name until the new one is whole on the disk.
TEST(StorePowerCutInMigration, leaves_the_old_database_or_the_new_one) {
  const Folder folder(memory_folder());
  write_format_1(folder.path(), blocks_at(1, 60, 700));
  std::ifstream in(folder.path() / "data.mdb", std::ios::binary);
  const std::string old((std::istreambuf_iterator<char>(in)), {});
  Disk::instance().start(folder.path());
  ASSERT_TRUE(LmdbStore::open(config_in(folder.path()), inline_post()));
  const auto events = Disk::instance().stop();
  ASSERT_GT(events.size(), 8u);
  libp2p::SeededRng rng(1);
  for (std::size_t cut = 0; cut <= events.size(); ++cut) {
    for (int variant = 0; variant < 8; ++variant) {
      const auto image = disk_after(events, cut, rng);
      const Folder left(memory_folder());
      std::ofstream(left.path() / "data.mdb", std::ios::binary)
          << (image.named ? std::string(libp2p::as_text(image.data)) : old);
      if (!image.named) std::ofstream(left.path() / "data.mdb.new", std::ios::binary) << libp2p::as_text(image.data);
      const auto store = LmdbStore::open(config_in(left.path()), inline_post());
      ASSERT_TRUE(store) << "cut after " << cut << " of " << events.size() << " events: " << store.error().message();
      const auto found = (*store)->check(CheckDepth{}).value();
      ASSERT_EQ(found.defect_count, 0u) << "cut after " << cut << ": " << found.defects.front();
      ASSERT_EQ(found.summary.blocks, 60u);
    }
  }
}

}  // namespace
}  // namespace opp2p
