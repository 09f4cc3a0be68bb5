#include "libp2p/storage/lmdb/lmdb_file.hpp"

#include <algorithm>

#include "libp2p/storage/lmdb/lmdb_cursor.hpp"

namespace libp2p::storage {

Result<void> LmdbFile::open(std::unique_ptr<LmdbEnvironment> opened) {
  env_ = std::move(opened);
  if (!env_) {
    OPP2P_TRY(env_, LmdbEnvironment::open(errors_, LmdbEnvironment::Kind::named, map_.initial, map_.most - map_.reserve,
                                          map_.checked_pages));
  }
  OPP2P_TRYV(prepare_(*env_));
  OPP2P_TRYV(LmdbEnvironment::sync_folder(errors_));
  // After a commit that failed halfway the disk may hold its end though the file no longer does. It must not while
  // pages that it points to are used again.
  if (const int code = env_->sync(); code != 0) return errors_.failed(code, "syncing");
  mapping_ = FileMapping::find(errors_.folder / LmdbEnvironment::kFile);
  return {};
}

void LmdbFile::close() {
  mapping_ = {};
  env_.reset();
}

Result<void> LmdbFile::write_within(std::uint64_t most, const Fill& fill) {
  if (!env_) OPP2P_TRYV(reopen());
  Result<void> outcome;
  int code = 0;
  do {
    code = 0;
    outcome = write_once(fill, code);
    if (code != MDB_MAP_FULL) continue;
    if (const auto grown = grow(most); !grown) {
      outcome = grown.error();
      break;
    }
  } while (code == MDB_MAP_FULL || code == MDB_MAP_RESIZED);
  if (!outcome && has_given_up()) (void)reopen();  // if it fails, the next write tries again
  return outcome;
}

Result<void> LmdbFile::write_in_reserve(const Fill& fill) {
  const auto outcome = write_within(map_.most, fill);
  if (env_ && env_->map_size() > map_.most - map_.reserve) OPP2P_TRYV(resize(map_.most - map_.reserve));
  return outcome;
}

Result<void> LmdbFile::write_once(const Fill& fill, int& code) {
  // The map may only be replaced by this thread, so writing needs no lock on it.
  LmdbScopedTxn txn(env_->get(), 0);
  code = txn.code();
  if (code != 0) return errors_.failed(code, "writing");
  OPP2P_TRYV(fill(txn.get(), code));
  code = txn.commit();
  if (code != 0) return errors_.failed(code, "writing");
  return {};
}

void LmdbFile::touched(std::size_t bytes) const {
  constexpr std::size_t kMappedAround = 64 * 1024;  // the kernel maps the neighbours of a page too
  bytes += kMappedAround;
  if (touched_.fetch_add(bytes) + bytes < kMappedAtMost) return;
  touched_ = 0;
  mapping_.release();
}

Result<void> LmdbFile::grow(std::uint64_t most) {
  if (env_->map_size() >= most)
    return errors_.with(Errc::exhausted, "it is full: its largest size is " + std::to_string(map_.most) + " bytes");
  return resize(std::min(2 * env_->map_size(), most));
}

Result<void> LmdbFile::resize(std::uint64_t size) {
  const std::unique_lock lock(map_mutex_);
  mapping_ = {};
  const int code = env_->resize(size);
  mapping_ = FileMapping::find(errors_.folder / LmdbEnvironment::kFile);
  if (code != 0) return errors_.failed(code, "growing");
  return {};
}

// LMDB refuses all that follows once the end of a commit could not be written, readers too.
bool LmdbFile::has_given_up() const { return Read(*this).code() == MDB_PANIC; }

Result<void> LmdbFile::reopen() {
  const std::unique_lock lock(map_mutex_);
  close();
  auto opened = open();
  if (!opened) close();
  return opened;
}

}  // namespace libp2p::storage
