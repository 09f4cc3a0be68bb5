// Inside of LmdbStore: the environment and its transactions. What happens in them is chain_writer.hpp and
// chain_reader.hpp.
//
// Thread: write() on the writer's thread; the readers on any. Bounds: a read copies out what it answers and holds no
// page; of the file about 4 MiB stay mapped (LmdbFile), however much is written and served.
#pragma once

#include <atomic>

#include "libp2p/storage/lmdb/folder_lock.hpp"
#include "libp2p/storage/lmdb/lmdb_file.hpp"
#include "opp2p/store/lmdb_store.hpp"
#include "opp2p/store/lmdb_txn.hpp"
#include "opp2p/store/store_write.hpp"

namespace opp2p {

class LmdbStore::Database {
 public:
  static Result<std::unique_ptr<Database>> open(const LmdbStoreConfig& config);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // One synced transaction for the whole batch; tells each write what became of it.
  void write(const StoreWrites& batch);
  // Calls function(chain, txn) in a transaction that only reads, and answers what it answers.
  template <class Function>
  auto read(const Function& function) const {
    const libp2p::storage::LmdbFile::Read txn(file_);
    const LmdbTxn tables(txn.get(), tables_, errors_);
    using Out = decltype(function(ChainReader(tables), tables));
    if (txn.code() != 0) return Out(errors_.failed(txn.code(), "starting a read"));
    Out out = function(ChainReader(tables), tables);
    file_.touched(tables.touched());
    return out;
  }
  UnixTime now() const { return config_.wall(); }
  std::uint64_t pruned() const { return pruned_; }
  const std::string& recovered() const { return recovered_; }

 private:
  explicit Database(const LmdbStoreConfig& config);

  Result<void> lock_folder();
  Result<void> create();
  Result<std::unique_ptr<LmdbEnvironment>> migrate();
  Result<void> open_tables(LmdbEnvironment& env, bool fresh);
  Result<void> check_identity(MDB_txn* txn, bool fresh);
  Result<void> recover();
  Result<void> check_ends(const ChainReader& chain, const TableTxn& txn) const;
  Result<void> check_end(const ChainReader& chain, const TableTxn& txn, const BlockName& name) const;
  Error broken(std::uint64_t number, const std::string& why) const;

  LmdbStoreConfig config_;
  const LmdbErrors errors_;
  libp2p::storage::FolderLock lock_;
  LmdbTables tables_;
  libp2p::storage::LmdbFile file_;
  std::atomic<std::uint64_t> pruned_{0};
  Pruned untold_;         // of the thread that writes
  std::string migrated_;  // what a migration found, for recovered()
  std::string recovered_;
};

}  // namespace opp2p
