// What a crash may not undo: the store in a process that is killed at random moments, and a disk that loses what was
// not synced.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "libp2p/base/rng.hpp"
#include "opp2p/store/lmdb_store.hpp"
#include "opp2p/store/store_test_support.hpp"

namespace opp2p {
namespace {

using testing_store::config_in;
using testing_store::hash_of;
using testing_store::inline_post;
namespace fs = std::filesystem;

constexpr char kFolderVariable[] = "OPP2P_STORE_CRASH_FOLDER";
constexpr int kToldOn = 9;  // the child's descriptor for the numbers it acknowledged

// Sizes vary, so that leaf pages, overflow pages and growth of the map all happen.
StoredBlock block_of_varied_size(std::uint64_t number) {
  StoredBlock block;
  block.number = number;
  block.hash = hash_of(number);
  block.parent_hash = hash_of(number - 1);
  block.version = Version::v4;
  libp2p::SeededRng rng(number);
  Bytes body(200 + rng.below(number % 7 == 0 ? 60000 : 3000));
  rng.fill(body);
  block.body = libp2p::share(std::move(body));
  return block;
}

// Checks that the store holds an unbroken chain of the right blocks from 1 on, and at least up to `acknowledged`.
std::uint64_t verify(const LmdbStore& store, std::uint64_t acknowledged) {
  const auto summary = store.summary().value();
  const std::uint64_t head = summary.head ? summary.head->number : 0;
  EXPECT_GE(head, acknowledged);
  std::uint64_t expected = 1;
  const auto read = store.for_each(1, UINT64_MAX, [&](const StoredBlock& block) {
    EXPECT_EQ(block.number, expected);
    EXPECT_EQ(block.hash, hash_of(expected));
    EXPECT_EQ(block.body, block_of_varied_size(expected).body);
    return block.number == expected++;
  });
  EXPECT_TRUE(read) << read.error().message();
  EXPECT_EQ(expected, head + 1);
  return head;
}

// Not a test by itself: the body of the child process below. It writes blocks without end and tells each number once it
// is acknowledged.
TEST(StoreCrashChild, DISABLED_writes_until_it_is_killed) {
  const char* folder = std::getenv(kFolderVariable);
  ASSERT_NE(folder, nullptr);
  auto store = LmdbStore::open(config_in(folder), inline_post()).value();
  const auto summary = store->summary().value();
  std::atomic<std::uint64_t> acknowledged{summary.head ? summary.head->number : 0};
  for (std::uint64_t number = acknowledged + 1;; ++number) {
    while (number > acknowledged + 32) std::this_thread::yield();
    store->put(block_of_varied_size(number), [&acknowledged, number](Result<void> outcome) {
      if (!outcome) ::_exit(3);
      std::uint8_t line[8];
      libp2p::store_le64(line, number);
      if (::write(kToldOn, line, sizeof line) != sizeof line) ::_exit(4);
      acknowledged = number;
    });
  }
}

// Runs the child for about `lifetime` after its first acknowledgement, kills it, and answers the last number it told.
std::uint64_t run_and_kill(const fs::path& folder, std::chrono::microseconds lifetime) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ::setenv(kFolderVariable, folder.c_str(), 1);
  const pid_t child = ::fork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(ends[1], kToldOn);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(null, STDERR_FILENO);
    const char* arguments[] = {"store_crash_child", "--gtest_also_run_disabled_tests",
                               "--gtest_filter=StoreCrashChild.*", nullptr};
    ::execv("/proc/self/exe", const_cast<char* const*>(arguments));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    ::_exit(5);
  }
  ::unsetenv(kFolderVariable);
  ::close(ends[1]);
  const auto started = std::chrono::steady_clock::now();
  std::uint64_t last = 0;
  std::optional<std::chrono::steady_clock::time_point> kill_at;
  Bytes unread;
  std::uint8_t buffer[4096];
  bool killed = false;
  while (true) {
    const ssize_t n = ::read(ends[0], buffer, sizeof buffer);
    if (n <= 0) break;
    libp2p::append(unread, ByteView(buffer, static_cast<std::size_t>(n)));
    const auto now = std::chrono::steady_clock::now();
    if (!kill_at) kill_at = now + lifetime;
    if (!killed && (now >= *kill_at || now - started > std::chrono::seconds(20))) {
      ::kill(child, SIGKILL);
      killed = true;
    }
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(killed);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with status " << status;
  // Each number is written by one call of 8 bytes, so the last one is whole.
  if (unread.size() >= 8) last = libp2p::load_le64(unread.data() + unread.size() - 8);
  return last;
}

TEST(StoreCrash, a_killed_process_loses_nothing_that_was_acknowledged) {
  std::string name = (fs::temp_directory_path() / "opp2p-crash-XXXXXX").string();
  const fs::path folder = ::mkdtemp(name.data());
  libp2p::SeededRng rng(static_cast<std::uint64_t>(::getpid()));
  std::uint64_t acknowledged = 0;
  for (int round = 0; round < 20; ++round) {
    const std::uint64_t before = acknowledged;
    acknowledged = run_and_kill(folder, std::chrono::microseconds(rng.below(20000)));
    ASSERT_GT(acknowledged, before) << "round " << round;
    auto opened = LmdbStore::open(config_in(folder), inline_post());
    ASSERT_TRUE(opened) << opened.error().message();
    const std::uint64_t head = verify(**opened, acknowledged);
    EXPECT_NE((*opened)->recovered().find("1 to " + std::to_string(head)), std::string::npos) << (*opened)->recovered();
    if (testing::Test::HasFailure()) break;
    acknowledged = head;
  }
  fs::remove_all(folder);
}

}  // namespace
}  // namespace opp2p
