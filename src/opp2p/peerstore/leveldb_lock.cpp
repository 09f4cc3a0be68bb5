#include "opp2p/peerstore/leveldb_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "opp2p/base/file_error.hpp"

namespace opp2p {

using libp2p::Errc;
using libp2p::fail;
using libp2p::Result;

LevelDbLock::~LevelDbLock() {
  if (file_ >= 0) ::close(file_);
}

Result<void> LevelDbLock::take(const std::filesystem::path& directory) {
  const auto path = directory / "LOCK";
  const auto failed = [&path](const std::string& what) { return io_error("cannot " + what, path, errno); };
  const auto in_use = [&directory] {
    return fail(Errc::denied, "a program has the peerstore " + directory.string() + " open; stop op-node first");
  };
  file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe would make it wait
  if (file_ < 0 && errno == ENOENT) return {};
  if (file_ < 0) return failed("open");
  struct stat found{};
  if (::fstat(file_, &found) != 0) return failed("read");
  if (!S_ISREG(found.st_mode)) return fail(Errc::malformed, path.string() + " is no regular file");
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0) return errno == EWOULDBLOCK ? in_use() : failed("lock");
  // LevelDB takes the lock for writing. One for reading is all that a file gives that is opened for reading, and keeps
  // LevelDB out as well.
  struct flock lock{};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(file_, F_SETLK, &lock) != 0) return errno == EACCES || errno == EAGAIN ? in_use() : failed("lock");
  return {};
}

}  // namespace opp2p
