// A lock on a folder that one process has at a time: flock() on a file in it, which the kernel gives back when the
// process ends, however it ends. Owner: whoever opens what lies in the folder. Thread: any. Bounds: one descriptor.
#pragma once

#include <filesystem>

#include "libp2p/base/result.hpp"

namespace libp2p::storage {

class FolderLock {
 public:
  FolderLock() = default;
  // Creates `file` if it is not there. Answers the error `in_use` when somebody else has the lock.
  static Result<FolderLock> take(const std::filesystem::path& file, const Error& in_use);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&& other) noexcept;

 private:
  explicit FolderLock(int file) : file_(file) {}
  int file_ = -1;
};

}  // namespace libp2p::storage
