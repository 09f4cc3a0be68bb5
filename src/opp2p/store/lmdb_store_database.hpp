// Inside of LmdbStore: the environment and its transactions. What happens in them is chain_writer.hpp and
// chain_reader.hpp.
//
// Thread: write() on the writer's thread; the readers on any. A shared lock is held for the length of each read, so
// that the map can grow when nobody looks at it. Bounds: a read copies out what it answers and holds no page; of the
// file about kMappedAtMost stays mapped, however much is written and served.
#pragma once

#include <atomic>
#include <cerrno>
#include <shared_mutex>

#include "opp2p/store/file_mapping.hpp"
#include "opp2p/store/lmdb_store.hpp"
#include "opp2p/store/lmdb_txn.hpp"
#include "opp2p/store/store_write.hpp"

namespace opp2p {

class LmdbStore::Database {
 public:
  static Result<std::unique_ptr<Database>> open(const LmdbStoreConfig& config);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // One synced transaction for the whole batch; tells each write what became of it.
  void write(const StoreWrites& batch);
  // Calls function(chain, txn) in a transaction that only reads, and answers what it answers.
  template <class Function>
  auto read(const Function& function) const {
    const ReadTransaction txn(*this);
    const LmdbTxn tables(txn.get(), tables_, errors_);
    using Out = decltype(function(ChainReader(tables), tables));
    if (txn.code() != 0) return Out(errors_.failed(txn.code(), "starting a read"));
    Out out = function(ChainReader(tables), tables);
    touched(tables.touched());
    return out;
  }
  UnixTime now() const { return config_.wall(); }
  std::uint64_t pruned() const { return pruned_; }
  const std::string& recovered() const { return recovered_; }

 private:
  static constexpr std::size_t kMappedAtMost = 4 << 20;
  class ReadTransaction {
   public:
    explicit ReadTransaction(const Database& database)
        : lock_(database.map_mutex_),
          code_(!database.env_ ? EIO : mdb_txn_begin(database.env_->get(), nullptr, MDB_RDONLY, &txn_)) {}
    ~ReadTransaction() {
      if (txn_ != nullptr) mdb_txn_abort(txn_);
    }
    ReadTransaction(const ReadTransaction&) = delete;
    ReadTransaction& operator=(const ReadTransaction&) = delete;
    MDB_txn* get() const { return txn_; }
    int code() const { return code_; }

   private:
    std::shared_lock<std::shared_mutex> lock_;
    MDB_txn* txn_ = nullptr;
    int code_;
  };
  explicit Database(const LmdbStoreConfig& config) : config_(config), errors_{config.folder} {}

  Result<void> lock_folder();
  Result<void> create();
  Result<void> migrate();
  Result<void> open_existing();
  Result<void> open_tables(bool fresh);
  Result<void> check_identity(MDB_txn* txn, bool fresh);
  Result<void> recover();
  Result<void> check_ends(const ChainReader& chain, const TableTxn& txn) const;
  Result<void> check_end(const ChainReader& chain, const TableTxn& txn, const BlockName& name) const;
  Error broken(std::uint64_t number, const std::string& why) const;

  void close_environment();
  bool has_given_up() const;
  Result<void> reopen();

  Result<void> write_once(const std::vector<StoreWrite*>& batch, int& code);
  int grow();
  // Counts bytes of the file that one access went through, and gives the mapped pages back when they have become many.
  void touched(std::size_t bytes) const;

  LmdbStoreConfig config_;
  const LmdbErrors errors_;
  std::unique_ptr<LmdbEnvironment> env_;  // null between an error of the disk and the first write after it that works
  LmdbTables tables_;
  int lock_file_ = -1;
  // Of env_, and nothing while that is being replaced: what lies at an address of before may be anybody's. Under
  // map_mutex_.
  FileMapping mapping_;
  std::atomic<std::uint64_t> pruned_{0};
  Pruned untold_;  // of the thread that writes
  mutable std::atomic<std::size_t> touched_{0};
  mutable std::shared_mutex map_mutex_;
  std::string migrated_;  // what a migration found, for recovered()
  std::string recovered_;
};

}  // namespace opp2p
