// Inside of LmdbStore: the environment, its tables and what happens within one transaction. Everything that touches
// LMDB is here.
//
// Thread: write() on the writer's thread; the readers on any. A shared lock is held for the length of each read, so
// that the map can grow when nobody looks at it. Bounds: a read copies out what it answers and holds no page; of the
// file about kMappedAtMost stays mapped, however much is written and served.
#pragma once

#include <lmdb.h>

#include <atomic>
#include <cerrno>
#include <shared_mutex>

#include "opp2p/store/file_mapping.hpp"
#include "opp2p/store/lmdb_store.hpp"

namespace opp2p {

// One thing to write, and what became of it.
struct StoreWrite {
  enum class Kind : std::uint8_t { put, stage, drop_staged };
  Kind kind = Kind::put;
  StoredBlock block;    // put
  StagedRecord staged;  // stage
  std::uint64_t segment = 0;
  BlockStore::Done done;
  Result<void> outcome;
  // What it takes on the disk.
  std::size_t bytes() const;
  // What it takes in memory while it waits: a block holds on to all of the message that brought it.
  std::size_t memory_bytes() const;
};

class LmdbStore::Database {
 public:
  static Result<std::unique_ptr<Database>> open(const LmdbStoreConfig& config);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // One synced transaction for the whole batch; fills in each outcome. What a block is refused for leaves the others
  // alone; an error of the disk is everybody's.
  void write(std::vector<StoreWrite>& batch);

  Result<std::optional<StoredBlock>> as_stored(std::uint64_t number) const;
  Result<std::optional<StoredBlock>> by_number(std::uint64_t number) const;
  Result<std::optional<StoredBlock>> by_hash(const Hash& hash) const;
  Result<StoreSummary> summary() const;
  Result<std::vector<StoredBlock>> range(std::uint64_t from, std::uint64_t to, std::size_t most,
                                         bool with_bodies) const;
  Result<std::vector<StagedRecord>> read_staged(std::uint64_t segment, std::uint64_t from, std::size_t max_blocks,
                                                std::size_t max_bytes) const;
  const std::string& recovered() const { return recovered_; }

 private:
  static constexpr const char* kFile = "data.mdb";
  static constexpr std::size_t kMappedAtMost = 4 << 20;
  class ReadTransaction;
  explicit Database(const LmdbStoreConfig& config) : config_(config) {}

  Result<void> lock_folder();
  Result<void> create();
  Result<void> open_existing();
  Result<void> reserve_readers();
  Result<void> open_environment(bool young);
  Result<void> open_tables(bool fresh);
  Result<void> check_identity(MDB_txn* txn, bool fresh);
  Result<void> recover();
  Result<void> check_ends(MDB_txn* txn);

  void close_environment();
  bool has_given_up() const;
  Result<void> reopen();

  int write_once(std::vector<StoreWrite>& batch);
  int apply(MDB_txn* txn, StoreWrite& item);
  int put_block(MDB_txn* txn, StoreWrite& item);
  int put_staged(MDB_txn* txn, StoreWrite& item);
  int drop_segment(MDB_txn* txn, std::uint64_t segment);
  int prune(MDB_txn* txn, std::uint64_t& removed);
  int fit_staged(MDB_txn* txn, StoreWrite* added);
  int first_to_evict(MDB_txn* txn, libp2p::ByteArray<16>& out) const;
  int used_bytes(MDB_txn* txn, std::initializer_list<MDB_dbi> tables, std::uint64_t& bytes) const;
  int grow();
  // Counts bytes of the file that one access went through, and gives the mapped pages back when they have become many.
  void touched(std::size_t bytes) const;
  Result<std::optional<StoredBlock>> end_of_chain(MDB_txn* txn, MDB_cursor_op which) const;
  Error failed(int code, std::string_view doing) const;

  LmdbStoreConfig config_;
  MDB_env* env_ = nullptr;  // null between an error of the disk and the first write after which it works again
  MDB_dbi meta_ = 0;
  MDB_dbi blocks_ = 0;
  MDB_dbi hashes_ = 0;
  MDB_dbi staging_ = 0;
  int lock_file_ = -1;
  std::uint64_t map_size_ = 0;
  // Of env_, and nothing while that is being replaced: what lies at an address of before may be anybody's. Under
  // map_mutex_.
  FileMapping mapping_;
  std::atomic<std::uint64_t> pruned_{0};
  mutable std::atomic<std::size_t> touched_{0};
  mutable std::shared_mutex map_mutex_;
  std::string recovered_;
};

class LmdbStore::Database::ReadTransaction {
 public:
  explicit ReadTransaction(const Database& database)
      : lock_(database.map_mutex_),
        code_(database.env_ == nullptr ? EIO : mdb_txn_begin(database.env_, nullptr, MDB_RDONLY, &txn_)) {}
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

}  // namespace opp2p
