// The database file of one folder while it is open: short reads on any thread, synced writes on one thread at a time,
// growth of the map between them, and the way back after an error of the disk. What lies in the file is its user's.
//
// Owner: a store. Thread: read transactions on any; open(), write() and close() on one at a time. A shared lock is held
// for the length of each read, so that the map can grow when nobody looks at it. Bounds: the map grows up to
// LmdbMap::most, Errc::exhausted beyond; of the file about kMappedAtMost stays mapped when users count what they touch.
#pragma once

#include <atomic>
#include <cerrno>
#include <functional>
#include <shared_mutex>

#include "libp2p/storage/lmdb/file_mapping.hpp"
#include "libp2p/storage/lmdb/lmdb_environment.hpp"

namespace libp2p::storage {

// Sizes of the map, in bytes.
struct LmdbMap {
  std::uint64_t initial = 0;
  std::uint64_t most = UINT64_MAX;
  std::uint64_t reserve = 0;  // of `most`, which only write_in_reserve() uses
  std::uint64_t checked_pages = kPagesAtOpen;
};

class LmdbFile {
 public:
  // Opens the tables, and checks them. Called by each opening, also after an error of the disk.
  using Prepare = std::function<Result<void>(LmdbEnvironment&)>;

  LmdbFile(const LmdbErrors& errors, const LmdbMap& map, Prepare prepare)
      : errors_(errors), map_(map), prepare_(std::move(prepare)) {}
  LmdbFile(const LmdbFile&) = delete;
  LmdbFile& operator=(const LmdbFile&) = delete;

  // `opened` is the named environment when the caller has it open already.
  Result<void> open(std::unique_ptr<LmdbEnvironment> opened = nullptr);
  void close();

  // A transaction that only reads. The file is not closed and its map does not move before it ends.
  class Read {
   public:
    explicit Read(const LmdbFile& file)
        : lock_(file.map_mutex_),
          code_(!file.env_ ? EIO : mdb_txn_begin(file.env_->get(), nullptr, MDB_RDONLY, &txn_)) {}
    ~Read() {
      if (txn_ != nullptr) mdb_txn_abort(txn_);
    }
    Read(const Read&) = delete;
    Read& operator=(const Read&) = delete;
    MDB_txn* get() const { return txn_; }
    int code() const { return code_; }

   private:
    std::shared_lock<std::shared_mutex> lock_;
    MDB_txn* txn_ = nullptr;
    int code_;
  };

  // Runs `fill` in a transaction and commits it, synced. `fill` leaves LMDB's code of what failed. It runs again in a
  // new transaction when the map was too small. After an error of the disk the file is opened anew, here or by the next
  // write.
  using Fill = std::function<Result<void>(MDB_txn* txn, int& code)>;
  Result<void> write(const Fill& fill) { return write_within(map_.most - map_.reserve, fill); }
  // The same in a file that is full. What it takes must be given back sooner or later.
  Result<void> write_in_reserve(const Fill& fill);

  // Counts bytes of the file that one access went through, and gives the mapped pages back when they have become many.
  void touched(std::size_t bytes) const;

 private:
  static constexpr std::size_t kMappedAtMost = 4 << 20;

  Result<void> write_within(std::uint64_t most, const Fill& fill);
  Result<void> write_once(const Fill& fill, int& code);
  Result<void> grow(std::uint64_t most);
  Result<void> resize(std::uint64_t size);
  bool has_given_up() const;
  Result<void> reopen();

  const LmdbErrors& errors_;
  const LmdbMap map_;
  const Prepare prepare_;
  std::unique_ptr<LmdbEnvironment> env_;  // null between an error of the disk and the first write after it that works
  // Of env_, and nothing while that is being replaced: what lies at an address of before may be anybody's. Under
  // map_mutex_.
  FileMapping mapping_;
  mutable std::atomic<std::size_t> touched_{0};
  mutable std::shared_mutex map_mutex_;
};

}  // namespace libp2p::storage
