// A disk that loses what was not synced. This file stands between LMDB and the kernel: it defines the system calls that
// LMDB writes with, notes each write to the database and each sync, and from these notes builds what the disk could
// hold if the power failed at any moment: everything up to the last sync, and of what came later any part, also torn in
// the middle.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "base/rng.hpp"
#include "node/store_lmdb.hpp"

namespace opp2p::node {
namespace {

namespace fs = std::filesystem;

struct DiskEvent {
  bool sync = false;     // all earlier writes are on the disk
  bool durable = false;  // a write through a descriptor that syncs by itself
  std::uint64_t offset = 0;
  Bytes data;
};

class DiskRecorder {
 public:
  void start(const fs::path& file) {
    const std::lock_guard lock(mutex_);
    file_ = file;
    events_.clear();
    active_ = true;
  }
  void stop() { active_ = false; }
  std::size_t position() {
    const std::lock_guard lock(mutex_);
    return events_.size();
  }
  std::vector<DiskEvent> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(events_, {});
  }
  void on_write(int fd, const void* data, std::size_t size, std::uint64_t offset) {
    if (!active_) return;
    const std::lock_guard lock(mutex_);
    if (!is_ours(fd)) return;
    DiskEvent event;
    event.durable = (::fcntl(fd, F_GETFL) & O_DSYNC) != 0;
    event.offset = offset;
    event.data.assign(static_cast<const std::uint8_t*>(data), static_cast<const std::uint8_t*>(data) + size);
    events_.push_back(std::move(event));
  }
  void on_sync(int fd) {
    if (!active_) return;
    const std::lock_guard lock(mutex_);
    if (!is_ours(fd)) return;
    DiskEvent event;
    event.sync = true;
    events_.push_back(std::move(event));
  }

 private:
  bool is_ours(int fd) const {
    struct stat by_fd {};
    struct stat by_name {};
    return ::fstat(fd, &by_fd) == 0 && ::stat(file_.c_str(), &by_name) == 0 && by_fd.st_ino == by_name.st_ino &&
           by_fd.st_dev == by_name.st_dev;
  }
  std::mutex mutex_;
  std::atomic<bool> active_{false};
  fs::path file_;
  std::vector<DiskEvent> events_;
};

DiskRecorder recorder;

}  // namespace
}  // namespace opp2p::node

// What LMDB calls; the definitions of the executable come before those of the C library.
extern "C" {
ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  const ssize_t written = ::syscall(SYS_pwrite64, fd, data, size, offset);
  if (written > 0)
    opp2p::node::recorder.on_write(fd, data, static_cast<size_t>(written), static_cast<std::uint64_t>(offset));
  return written;
}
ssize_t writev(int fd, const struct iovec* parts, int count) {
  const off_t start = ::lseek(fd, 0, SEEK_CUR);
  const ssize_t written = ::syscall(SYS_writev, fd, parts, count);
  off_t at = start;
  ssize_t left = written;
  for (int i = 0; start >= 0 && i < count && left > 0; ++i) {
    const auto n = std::min<ssize_t>(left, static_cast<ssize_t>(parts[i].iov_len));
    opp2p::node::recorder.on_write(fd, parts[i].iov_base, static_cast<size_t>(n), static_cast<std::uint64_t>(at));
    at += n;
    left -= n;
  }
  return written;
}
int fdatasync(int fd) {
  const auto code = static_cast<int>(::syscall(SYS_fdatasync, fd));
  if (code == 0) opp2p::node::recorder.on_sync(fd);
  return code;
}
}

namespace opp2p::node {
namespace {

Hash hash_of(std::uint64_t number) {
  Hash hash{};
  libp2p::store_be64(hash.data(), number * 0x9e3779b97f4a7c15u + 1);
  return hash;
}

StoredBlock block_at(std::uint64_t number) {
  StoredBlock block;
  block.number = number;
  block.hash = hash_of(number);
  block.parent_hash = hash_of(number - 1);
  libp2p::SeededRng rng(number);
  Bytes body(200 + rng.below(number % 5 == 0 ? 20000 : 2000));
  rng.fill(body);
  block.body = libp2p::share(std::move(body));
  return block;
}

LmdbStoreConfig config_in(const fs::path& folder) {
  LmdbStoreConfig config;
  config.folder = folder;
  config.chain = "901:0xabc";
  config.initial_map = 1 << 20;
  return config;
}

struct Recording {
  std::vector<DiskEvent> events;
  std::vector<std::pair<std::size_t, std::uint64_t>> acknowledged;  // position in the events, block number
  std::size_t first = 0;                                            // where the store was open
};

// Writes blocks in batches of changing size and notes what was acknowledged when.
Recording record(const fs::path& folder) {
  Recording out;
  recorder.start(folder / "data.mdb");
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t last = 0;
  {
    auto store = LmdbStore::open(config_in(folder), [](const std::function<void()>& task) { task(); }).value();
    out.first = recorder.position();
    std::uint64_t number = 0;
    for (std::uint64_t batch = 1; batch <= 12; ++batch) {
      for (std::uint64_t i = 0; i < batch; ++i) {
        ++number;
        store->put(block_at(number), [&, number](Result<void> outcome) {
          EXPECT_TRUE(outcome);
          const std::lock_guard lock(mutex);
          out.acknowledged.emplace_back(recorder.position(), number);
          last = number;
          changed.notify_all();
        });
      }
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return last == number; });
    }
    recorder.stop();
    out.events = recorder.take();
  }
  return out;
}

void write_at(Bytes& image, std::uint64_t offset, ByteView data) {
  if (image.size() < offset + data.size()) image.resize(offset + data.size());
  std::copy(data.begin(), data.end(), image.begin() + static_cast<std::ptrdiff_t>(offset));
}

// What the disk may hold when the power fails after `cut` events. With `syncs_work` false the disk lies about syncs.
Bytes disk_after(const std::vector<DiskEvent>& events, std::size_t cut, libp2p::Rng& rng, bool syncs_work) {
  std::size_t synced = 0;
  for (std::size_t i = 0; i < cut; ++i)
    if (events[i].sync && syncs_work) synced = i;
  Bytes image;
  for (std::size_t i = 0; i < cut; ++i) {
    const auto& event = events[i];
    if (event.sync) continue;
    if (i < synced || (event.durable && syncs_work)) {
      write_at(image, event.offset, event.data);
    } else if (rng.below(2) == 0) {
      // In sectors of 512 bytes, each of which arrived or not.
      const bool torn = rng.below(2) == 0;
      for (std::size_t at = 0; at < event.data.size(); at += 512)
        if (!torn || rng.below(2) == 0)
          write_at(image, event.offset + at,
                   ByteView(event.data).subspan(at, std::min<std::size_t>(512, event.data.size() - at)));
    }
  }
  return image;
}

struct Outcome {
  bool opened = false;
  std::uint64_t head = 0;
  bool whole = true;  // every block up to the head is there and right
};

Outcome reopen(const Bytes& image) {
  std::string name = (fs::temp_directory_path() / "opp2p-cut-XXXXXX").string();
  const fs::path folder = ::mkdtemp(name.data());
  std::ofstream(folder / "data.mdb", std::ios::binary) << libp2p::as_text(image);
  Outcome out;
  {
    auto store = LmdbStore::open(config_in(folder), [](const std::function<void()>& task) { task(); });
    out.opened = static_cast<bool>(store);
    if (store) {
      const auto summary = (*store)->summary();
      if (summary && summary->head) out.head = summary->head->number;
      std::uint64_t expected = 1;
      const auto read = (*store)->for_each(1, UINT64_MAX, [&](const StoredBlock& block) {
        out.whole = out.whole && block.number == expected && *block.body == *block_at(expected).body;
        ++expected;
        return out.whole;
      });
      out.whole = out.whole && read && expected == out.head + 1;
    }
  }
  fs::remove_all(folder);
  return out;
}

class StorePowerCut : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "opp2p-disk-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    recording_ = record(folder_);
    ASSERT_GT(recording_.events.size(), 40u) << "the writes of LMDB did not pass through this test";
    ASSERT_EQ(recording_.acknowledged.size(), 78u);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::uint64_t acknowledged_by(std::size_t cut) const {
    std::uint64_t last = 0;
    for (const auto& [position, number] : recording_.acknowledged)
      if (position <= cut) last = std::max(last, number);
    return last;
  }

  fs::path folder_;
  Recording recording_;
};

TEST_F(StorePowerCut, no_cut_loses_an_acknowledged_block) {
  libp2p::SeededRng rng(1);
  for (std::size_t cut = recording_.first; cut <= recording_.events.size(); ++cut) {
    for (int variant = 0; variant < 2; ++variant) {
      const auto outcome = reopen(disk_after(recording_.events, cut, rng, true));
      ASSERT_TRUE(outcome.opened) << "cut after " << cut << " of " << recording_.events.size() << " disk events";
      ASSERT_TRUE(outcome.whole) << cut;
      ASSERT_GE(outcome.head, acknowledged_by(cut)) << cut;
    }
  }
}

// The test above could not fail if it saw no unsynced writes: on a disk that ignores syncs the same cuts do lose
// blocks.
TEST_F(StorePowerCut, the_same_cuts_lose_blocks_on_a_disk_that_ignores_syncs) {
  libp2p::SeededRng rng(1);
  std::size_t lost = 0;
  for (std::size_t cut = recording_.first + 20; cut <= recording_.events.size(); cut += 9) {
    // In a process of its own: what such a disk leaves may be beyond what the database can survive.
    const Bytes image = disk_after(recording_.events, cut, rng, false);
    const pid_t child = ::fork();
    if (child == 0) {
      const auto outcome = reopen(image);
      ::_exit(outcome.opened && outcome.whole && outcome.head >= acknowledged_by(cut) ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (status != 0) ++lost;
  }
  EXPECT_GT(lost, 0u);
}

}  // namespace
}  // namespace opp2p::node
