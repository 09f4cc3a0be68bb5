// The lock on a LevelDB directory of another program while it is copied: the flock of goleveldb, and a lock of fcntl
// that keeps C++ LevelDB from opening it. Owner: whoever copies. Thread: any; as fcntl's locks go, closing any other
// descriptor of the file in this process gives it back. Bounds: one descriptor.
#pragma once

#include <filesystem>

#include "libp2p/base/result.hpp"

namespace opp2p {

class LevelDbLock {
 public:
  LevelDbLock() = default;
  LevelDbLock(const LevelDbLock&) = delete;
  LevelDbLock& operator=(const LevelDbLock&) = delete;
  ~LevelDbLock();
  // Errc::denied when a program has the directory open, Errc::malformed when what is called LOCK is no file. A
  // directory without LOCK has nothing to lock: nobody has opened it yet, and whoever does makes one.
  libp2p::Result<void> take(const std::filesystem::path& directory);

 private:
  int file_ = -1;
};

}  // namespace opp2p
