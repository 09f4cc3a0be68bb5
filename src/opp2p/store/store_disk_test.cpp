// The disk under the tests of the block store, and tests of the disk itself.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <set>

#include "opp2p/store/store_test_disk.hpp"
#include "opp2p/store/store_test_support.hpp"

namespace opp2p::testing_store {

Disk& Disk::instance() {
  static Disk disk;
  return disk;
}

void Disk::start(const fs::path& folder) {
  const std::lock_guard lock(mutex_);
  folder_ = fs::canonical(folder);
  events_.clear();
  calls_ = 0;
  first_failing_ = SIZE_MAX;
  active_ = true;
}

std::vector<DiskEvent> Disk::stop() {
  const std::lock_guard lock(mutex_);
  active_ = false;
  return std::exchange(events_, {});
}

void Disk::fail(std::size_t call, Fault fault, bool lasting) {
  const std::lock_guard lock(mutex_);
  first_failing_ = call;
  last_failing_ = lasting ? SIZE_MAX : call;
  fault_ = fault;
}

std::size_t Disk::position() {
  const std::lock_guard lock(mutex_);
  return events_.size();
}

std::size_t Disk::calls() {
  const std::lock_guard lock(mutex_);
  return calls_;
}

Disk::Owner Disk::owner_of(int fd) const {
  std::error_code error;
  const auto path = fs::read_symlink("/proc/self/fd/" + std::to_string(fd), error);
  if (path == folder_) return Owner::folder;
  if (path == folder_ / "lock.mdb") return Owner::readers;
  return path == folder_ / "data.mdb" || path == folder_ / "data.mdb.new" ? Owner::database : Owner::other;
}

bool Disk::fails_now() {
  const std::size_t call = calls_++;
  return call >= first_failing_ && call <= last_failing_;
}

void Disk::note(DiskEvent::Kind kind) { events_.emplace_back().kind = kind; }

ssize_t Disk::write(int fd, const struct iovec* parts, int count, off_t offset) {
  const std::lock_guard lock(mutex_);
  DiskEvent event;
  for (int i = 0; i < count; ++i)
    libp2p::append(event.data, ByteView(static_cast<const std::uint8_t*>(parts[i].iov_base), parts[i].iov_len));
  const bool ours = active_ && owner_of(fd) == Owner::database;
  const bool fails = ours && fails_now();
  if (fails && (fault_ == Fault::io_error || fault_ == Fault::disk_full)) {
    errno = fault_ == Fault::io_error ? EIO : ENOSPC;
    return -1;
  }
  if (fails && fault_ == Fault::half) event.data.resize(event.data.size() / 2);
  const ssize_t written = ::syscall(SYS_pwrite64, fd, event.data.data(), event.data.size(), offset);
  if (!ours || written < 0) return written;
  event.data.resize(static_cast<std::size_t>(written));
  event.offset = static_cast<std::uint64_t>(offset);
  event.durable = (::fcntl(fd, F_GETFL) & O_DSYNC) != 0;
  event.uncertain = fails && event.durable;
  events_.push_back(std::move(event));
  if (!fails || fault_ != Fault::done_but_denied) return written;
  errno = EIO;
  return -1;
}

int Disk::sync(int fd, long call) {
  const std::lock_guard lock(mutex_);
  const Owner owner = active_ ? owner_of(fd) : Owner::other;
  if (owner != Owner::database && owner != Owner::folder) return static_cast<int>(::syscall(call, fd));
  const bool fails = fails_now();
  if (owner == Owner::database) note(fails ? DiskEvent::Kind::failed_sync : DiskEvent::Kind::sync);
  if (owner == Owner::folder && !fails) note(DiskEvent::Kind::folder_sync);
  if (fails) errno = EIO;
  return fails ? -1 : 0;
}

int Disk::allocate(int fd, off_t offset, off_t size) {
  const std::lock_guard lock(mutex_);
  if (active_ && owner_of(fd) == Owner::readers && fails_now()) return ENOSPC;
  return ::syscall(SYS_fallocate, fd, 0, offset, size) == 0 ? 0 : errno;
}

int Disk::rename(const char* from, const char* to) {
  const std::lock_guard lock(mutex_);
  const bool ours = active_ && fs::path(to) == folder_ / "data.mdb";
  const bool fails = ours && fails_now();
  if (!fails || fault_ == Fault::done_but_denied) {
    const auto code = static_cast<int>(::syscall(SYS_rename, from, to));
    if (code != 0 || !ours) return code;
    note(DiskEvent::Kind::rename);
  }
  if (fails) errno = EIO;
  return fails ? -1 : 0;
}

}  // namespace opp2p::testing_store

// What LMDB and the store call; the definitions of the executable come before those of the C library.
extern "C" {
ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  const struct iovec part{
      const_cast<void*>(data), size  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  };
  return opp2p::testing_store::Disk::instance().write(fd, &part, 1, offset);
}
ssize_t writev(int fd, const struct iovec* parts, int count) {
  const off_t start = ::lseek(fd, 0, SEEK_CUR);
  if (start < 0) return ::syscall(SYS_writev, fd, parts, count);  // no file
  const ssize_t written = opp2p::testing_store::Disk::instance().write(fd, parts, count, start);
  if (written > 0) ::lseek(fd, written, SEEK_CUR);
  return written;
}
int fdatasync(int fd) { return opp2p::testing_store::Disk::instance().sync(fd, SYS_fdatasync); }
int fsync(int fd) { return opp2p::testing_store::Disk::instance().sync(fd, SYS_fsync); }
int posix_fallocate(int fd, off_t offset, off_t size) {
  return opp2p::testing_store::Disk::instance().allocate(fd, offset, size);
}
int rename(const char* from, const char* to) noexcept {
  return opp2p::testing_store::Disk::instance().rename(from, to);
}
}

namespace opp2p::testing_store {
namespace {

void write_at(Bytes& image, std::uint64_t offset, ByteView data) {
  if (image.size() < offset + data.size()) image.resize(offset + data.size());
  std::copy(data.begin(), data.end(), image.begin() + static_cast<std::ptrdiff_t>(offset));
}

// In sectors of 512 bytes, each of which arrived or not.
void write_perhaps(Bytes& image, const DiskEvent& event, libp2p::Rng& rng) {
  if (rng.below(2) == 0) return;
  const bool torn = rng.below(2) == 0;
  for (std::size_t at = 0; at < event.data.size(); at += 512)
    if (!torn || rng.below(2) == 0)
      write_at(image, event.offset + at,
               ByteView(event.data).subspan(at, std::min<std::size_t>(512, event.data.size() - at)));
}

}  // namespace

DiskImage disk_after(const std::vector<DiskEvent>& events, std::size_t cut, libp2p::Rng& rng, bool syncs_work) {
  using Kind = DiskEvent::Kind;
  std::vector<bool> certain(cut);
  bool synced = false;
  bool folder_synced = false;
  DiskImage out;
  for (std::size_t i = cut; i-- > 0;) {
    const auto& event = events[i];
    if (event.kind == Kind::sync) synced = true;
    if (event.kind == Kind::failed_sync) synced = false;
    if (event.kind == Kind::folder_sync) folder_synced = true;
    if (event.kind == Kind::rename) out.named = folder_synced || rng.below(2) == 0;
    certain[i] = syncs_work && !event.uncertain && (synced || event.durable);
  }
  for (std::size_t i = 0; i < cut; ++i) {
    if (events[i].kind != Kind::write) continue;
    if (certain[i])
      write_at(out.data, events[i].offset, events[i].data);
    else
      write_perhaps(out.data, events[i], rng);
  }
  return out;
}

namespace {

// What the disk may hold of a file: two writes of two sectors each, what fails among them as told, and a sync of the
// first.
class DiskItself : public testing::Test {
 protected:
  void SetUp() override {
    Disk::instance().start(folder_.path());
    file_ = ::open((folder_.path() / "data.mdb").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_GE(file_, 0);
  }
  void TearDown() override { ::close(file_); }
  ssize_t write(char letter, off_t offset) { return ::pwrite(file_, std::string(1024, letter).data(), 1024, offset); }
  // All that could be there, as the first byte of each sector; '-' for what is not written or beyond the end.
  std::set<std::string> images() {
    const auto events = Disk::instance().stop();
    std::set<std::string> out;
    libp2p::SeededRng rng(1);
    for (int i = 0; i < 500; ++i) {
      const auto image = disk_after(events, events.size(), rng);
      std::string seen;
      for (std::size_t at = 0; at < 2048; at += 512)
        seen += at < image.data.size() && image.data[at] != 0 ? static_cast<char>(image.data[at]) : '-';
      out.insert(seen);
    }
    return out;
  }

  Folder folder_{memory_folder()};
  int file_ = -1;
};

TEST_F(DiskItself, keeps_what_was_synced_and_any_sectors_of_the_rest) {
  EXPECT_EQ(write('a', 0), 1024);
  EXPECT_EQ(::fdatasync(file_), 0);
  EXPECT_EQ(write('b', 1024), 1024);
  EXPECT_EQ(images(), (std::set<std::string>{"aa--", "aab-", "aa-b", "aabb"}));
}

TEST_F(DiskItself, never_gets_certain_of_what_a_failed_sync_left) {
  Disk::instance().fail(1, Fault::io_error, false);
  EXPECT_EQ(write('a', 0), 1024);
  EXPECT_EQ(::fdatasync(file_), -1);
  EXPECT_EQ(errno, EIO);
  EXPECT_EQ(write('b', 1024), 1024);
  EXPECT_EQ(::fdatasync(file_), 0);
  EXPECT_EQ(images(), (std::set<std::string>{"--bb", "a-bb", "-abb", "aabb"}));
}

TEST_F(DiskItself, writes_nothing_half_or_all_when_it_fails) {
  Disk::instance().fail(0, Fault::disk_full, false);
  EXPECT_EQ(write('a', 0), -1);
  EXPECT_EQ(errno, ENOSPC);
  Disk::instance().fail(1, Fault::half, false);
  EXPECT_EQ(write('b', 0), 512);
  Disk::instance().fail(2, Fault::done_but_denied, false);
  EXPECT_EQ(write('c', 1024), -1);
  EXPECT_EQ(errno, EIO);
  EXPECT_EQ(::fdatasync(file_), 0);
  EXPECT_EQ(images(), (std::set<std::string>{"b-cc"}));
}

}  // namespace
}  // namespace opp2p::testing_store
