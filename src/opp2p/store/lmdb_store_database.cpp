#include "opp2p/store/lmdb_store_database.hpp"

namespace opp2p {

void LmdbStore::Database::write(const StoreWrites& batch) {
  std::vector<StoreWrite*> writes;
  writes.reserve(batch.size());
  for (const auto& write : batch) writes.push_back(write.get());
  const auto fail_all = [&writes](const Error& error) {
    for (auto* write : writes) write->fail(error);
  };
  if (!env_) {
    if (const auto opened = reopen(); !opened) return fail_all(opened.error());
  }
  Result<void> outcome;
  int code = 0;
  do {
    code = 0;
    outcome = write_once(writes, code);
    if (code == MDB_MAP_FULL) {
      const int grown = grow();
      if (grown != 0) {
        code = grown;
        outcome = errors_.failed(code, "growing");
      }
    }
  } while (code == MDB_MAP_FULL || code == MDB_MAP_RESIZED);
  if (outcome) {
    std::size_t bytes = 0;
    for (const auto* write : writes) bytes += write->bytes();
    return touched(bytes);
  }
  fail_all(outcome.error());
  if (has_given_up()) (void)reopen();  // if it fails, the next write tries again
}

Result<void> LmdbStore::Database::write_once(const std::vector<StoreWrite*>& batch, int& code) {
  // The map may only be replaced by this thread, so writing needs no lock on it.
  MDB_txn* txn = nullptr;
  code = mdb_txn_begin(env_->get(), nullptr, 0, &txn);
  if (code != 0) return errors_.failed(code, "writing");
  LmdbTxn tables(txn, tables_, errors_);
  ChainWriter chain(tables, config_.max_size, config_.wall());
  auto applied = apply_writes(tables, chain, batch, untold_);
  if (!applied) {
    code = tables.code();
    mdb_txn_abort(txn);
    return applied.error();
  }
  code = mdb_txn_commit(txn);
  if (code != 0) return errors_.failed(code, "writing");
  pruned_ += applied->removed;
  untold_ = std::move(applied->untold);
  return {};
}

void LmdbStore::Database::touched(std::size_t bytes) const {
  constexpr std::size_t kMappedAround = 64 * 1024;  // the kernel maps the neighbours of a page too
  bytes += kMappedAround;
  if (touched_.fetch_add(bytes) + bytes < kMappedAtMost) return;
  touched_ = 0;
  mapping_.release();
}

int LmdbStore::Database::grow() {
  const std::unique_lock lock(map_mutex_);
  mapping_ = {};
  const int code = env_->grow();
  mapping_ = FileMapping::find(config_.folder / LmdbEnvironment::kFile);
  return code;
}

void LmdbStore::Database::close_environment() {
  mapping_ = {};
  env_.reset();
}

// LMDB refuses all that follows once the end of a commit could not be written, readers too.
bool LmdbStore::Database::has_given_up() const { return ReadTransaction(*this).code() == MDB_PANIC; }

Result<void> LmdbStore::Database::reopen() {
  const std::unique_lock lock(map_mutex_);
  close_environment();
  auto opened = open_existing();
  if (!opened) close_environment();
  return opened;
}

}  // namespace opp2p
