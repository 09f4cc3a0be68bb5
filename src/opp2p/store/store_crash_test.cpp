// What a crash may not undo: the store in a process that is killed at random moments, while it extends its chain,
// reorganises it, fills holes, rewinds, and while it migrates. OPP2P_KILLS says how often (8).
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "opp2p/store/store_test_format1.hpp"
#include "testing/killed_child.hpp"

namespace opp2p {
namespace {

using namespace testing_store;

// What follows from the hash alone: sizes vary, so that leaf pages, overflow pages and growth of the map all happen.
Bytes body_of(const Hash& hash) {
  libp2p::SeededRng rng(libp2p::load_le64(hash.data()));
  Bytes body(200 + rng.below(hash[9] % 7 == 0 ? 60000 : 3000));
  rng.fill(body);
  return body;
}

StoredBlock block_of(std::uint64_t number, const Hash& hash, const Hash& parent) {
  StoredBlock block;
  block.number = number;
  block.hash = hash;
  block.parent_hash = parent;
  block.version = Version::v4;
  block.body = libp2p::share(body_of(hash));
  return block;
}

void tell(const Hash& hash) { testing_files::tell(hash.data(), hash.size()); }

// The child: it changes the chain in every way, without end, and tells each block once it is acknowledged.
class Child {
 public:
  explicit Child(const fs::path& folder)
      : store_(LmdbStore::open(config_in(folder), mailbox_.post()).value()), calls_(*store_, mailbox_) {
    rng_ = libp2p::SeededRng(static_cast<std::uint64_t>(::getpid()));
  }

  [[noreturn]] void run() {
    if (!store_->summary().value().head) kept(calls_.extend(block_of(1, any_hash(), any_hash())), Hash{});
    while (true) {
      fill_hole();
      extend(10);
      reorganise();
      extend(2);
      jump();
      fill_hole();
      (void)calls_.rewind(head().number - 3).value();
    }
  }

 private:
  BlockRef head() { return store_->view(0).value().head.value(); }
  Hash any_hash() {
    Hash out;
    rng_.fill(out);
    return out;
  }
  static void kept(const Result<KeptBlock>& outcome, const Hash& hash) {
    if (!outcome) ::_exit(3);
    tell(hash);
  }

  // Without waiting in between.
  void extend(std::uint64_t count) {
    BlockRef top = head();
    std::uint64_t done = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto block = block_of(top.number + 1, any_hash(), top.hash);
      top = block.ref();
      store_->keep(block, std::nullopt, true, [&done, hash = block.hash](const Result<KeptBlock>& outcome) {
        kept(outcome, hash);
        ++done;
      });
    }
    mailbox_.run_until([&] { return done == count; });
  }

  // To a branch from 5 below the head that is 2 longer.
  void reorganise() {
    const auto fork = store_->by_number(head().number - 5).value().value();
    BlockRef top = fork.ref();
    for (int i = 0; i < 7; ++i) {
      const auto block = block_of(top.number + 1, any_hash(), top.hash);
      kept(calls_.keep(block), block.hash);
      top = block.ref();
    }
    HeadMove move;
    move.to = top;
    if (!calls_.move_head(move)) ::_exit(5);
  }

  // To a segment that is not joined, with a hole of 8 below it.
  void jump() {
    BlockRef top = {head().number + 8, any_hash(), {}};
    for (int i = 0; i < 3; ++i) {
      const auto block = block_of(top.number + 1, any_hash(), top.hash);
      kept(calls_.keep(block), block.hash);
      top = block.ref();
    }
    HeadMove move;
    move.to = top;
    move.joined = false;
    move.reason = OrphanReason::segment;
    if (!calls_.move_head(move)) ::_exit(6);
  }

  void fill_hole() {
    while (true) {
      const auto segments = store_->view(0).value().segments;
      if (segments.size() < 2) return;
      const auto& lower = segments[segments.size() - 2];
      const auto& upper = segments.back().lowest;
      const auto below = store_->by_number(lower.highest).value().value();
      const bool meets = upper.number == lower.highest + 2;
      const auto block = block_of(upper.number - 1, upper.parent_hash, meets ? below.hash : any_hash());
      kept(calls_.keep(block), block.hash);
    }
  }

  Mailbox mailbox_;
  std::unique_ptr<LmdbStore> store_;
  Calls calls_;
  libp2p::SeededRng rng_{1};
};

// Not tests by themselves: the bodies of the child processes below.
TEST(StoreCrashChild, DISABLED_changes_the_chain_until_it_is_killed) {
  const char* folder = std::getenv(testing_files::kChildFolder);
  ASSERT_NE(folder, nullptr);
  Child(folder).run();
}

TEST(StoreCrashChild, DISABLED_migrates_until_it_is_killed) {
  const char* folder = std::getenv(testing_files::kChildFolder);
  ASSERT_NE(folder, nullptr);
  tell(Hash{});
  (void)LmdbStore::open(config_in(folder), inline_post());
  while (true) std::this_thread::sleep_for(std::chrono::seconds(1));
}

// What the child told before it was killed.
std::vector<Hash> run_and_kill(const std::string& name, const fs::path& folder, std::chrono::microseconds lifetime) {
  const auto told = testing_files::run_and_kill("StoreCrashChild.DISABLED_" + name, folder, lifetime, sizeof(Hash));
  std::vector<Hash> out(told.size() / sizeof(Hash));
  for (std::size_t i = 0; i < out.size(); ++i) std::copy_n(&told[i * sizeof(Hash)], sizeof(Hash), out[i].begin());
  return out;
}

TEST(StoreCrash, a_killed_process_loses_nothing_that_was_acknowledged_and_leaves_a_whole_chain) {
  const Folder folder;
  libp2p::SeededRng rng(static_cast<std::uint64_t>(::getpid()));
  std::uint64_t told = 0;
  for (int round = 0; round < testing_files::kills(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const auto hashes = run_and_kill("changes_the_chain_until_it_is_killed", folder.path(),
                                     std::chrono::microseconds(rng.below(60'000)));
    told += hashes.size();
    auto opened = LmdbStore::open(config_in(folder.path()), inline_post());
    ASSERT_TRUE(opened) << opened.error().message();
    const auto& store = **opened;
    for (const auto& hash : hashes) {
      if (hash == Hash{}) continue;
      const auto found = store.by_hash(hash).value();
      ASSERT_TRUE(found) << libp2p::to_hex0x(hash) << " was acknowledged and is not there";
      ASSERT_EQ(found->block.body, body_of(hash));
    }
    const auto checked = store.check(CheckDepth{}).value();
    ASSERT_EQ(checked.defect_count, 0u) << checked.defects.front();
    ASSERT_LE(checked.summary.segments.size(), 2u);
    ASSERT_TRUE(checked.summary.head || hashes.size() <= 1);
  }
  EXPECT_GT(told, static_cast<std::uint64_t>(testing_files::kills()));
}

TEST(StoreCrash, a_migration_that_is_killed_leaves_the_old_database_or_the_new_one) {
  constexpr std::uint64_t kBlocks = 3000;
  const Folder old;
  write_format_1(old.path(), blocks_at(1, kBlocks, 4000));
  libp2p::SeededRng rng(static_cast<std::uint64_t>(::getpid()));
  int migrated = 0;
  for (int round = 0; round < testing_files::kills(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const Folder folder;
    fs::copy_file(old.path() / "data.mdb", folder.path() / "data.mdb");
    run_and_kill("migrates_until_it_is_killed", folder.path(), std::chrono::microseconds(rng.below(150'000)));
    auto opened = LmdbStore::open(config_in(folder.path()), inline_post());
    ASSERT_TRUE(opened) << opened.error().message();
    if ((*opened)->recovered().starts_with("migrated")) ++migrated;
    const auto checked = (*opened)->check(CheckDepth{}).value();
    ASSERT_EQ(checked.defect_count, 0u) << checked.defects.front();
    ASSERT_EQ(checked.summary.blocks, kBlocks);
    ASSERT_EQ(checked.summary.segments.size(), 1u);
    ASSERT_FALSE(fs::exists(folder.path() / "data.mdb.new"));
  }
  RecordProperty("killed_before_the_end", migrated);
}

}  // namespace
}  // namespace opp2p
