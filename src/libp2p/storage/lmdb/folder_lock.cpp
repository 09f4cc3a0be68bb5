#include "libp2p/storage/lmdb/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "libp2p/storage/file_error.hpp"

namespace libp2p::storage {

Result<FolderLock> FolderLock::take(const std::filesystem::path& file, const Error& in_use) {
  FolderLock out(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (out.file_ < 0) return fail(Errc::io, "cannot open " + file.string() + ": " + file_error(errno, file));
  if (::flock(out.file_, LOCK_EX | LOCK_NB) != 0) return in_use;
  return out;
}

FolderLock::~FolderLock() {
  if (file_ >= 0) ::close(file_);
}

FolderLock::FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

}  // namespace libp2p::storage
