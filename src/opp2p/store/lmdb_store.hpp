// The block store in LMDB: one folder with data.mdb, lock.mdb and a lock file of ours. The writer's thread takes what
// has been given, commits it in one synced transaction, and then posts the callbacks. While a commit runs, the next
// batch gathers, so a block waits for at most one commit and many blocks share it. A write that comes after a pause is
// committed at once; in a stream of writes, commits begin `commit_interval` apart. An error of the disk fails the whole
// batch; the next batch tries anew, and what is stored stays readable.
//
// The writer's thread writes each body once, from the bytes that the block came with, into the database's page. It
// compresses the body of a block that is committed alone, as blocks are at the pace of a chain: the body is then stored
// in the snappy frames in which payload_by_number sends it, and every request is served from them. Small bodies, and
// those of a stream of blocks, are stored as they are. It makes the header of a block before the transaction.
//
// Tables: chain_tables.hpp (format 2). A database of format 1 is migrated when it is opened (lmdb_migration.hpp).
// Owner: the node. Thread: as BlockStore says. Bounds: `max_pending` bytes of memory waiting to be written; the map
// grows by doubling; what goes above `max_size` (block_store.hpp, "Budget") goes in the commit that crosses it, and a
// commit holds at most a sixteenth of it (1 MiB at least), so that the file stays near the budget.
#pragma once

#include <filesystem>

#include "libp2p/storage/lmdb/lmdb_file_check.hpp"
#include "opp2p/store/block_store.hpp"

namespace opp2p {

struct MigrationProgress {
  std::uint64_t done = 0;  // blocks
  std::uint64_t total = 0;
};

struct LmdbStoreConfig {
  std::filesystem::path folder;
  std::string chain;                          // what the database must belong to: "10:0x<genesis hash>"; empty: any
  bool create = true;                         // when there is none; else Errc::not_found
  bool migrate = true;                        // a database of format 1; else Errc::mismatch
  bool check_ends = true;                     // refuses a database whose last blocks are damaged
  std::uint64_t max_size = 0;                 // the budget, in bytes; 0 means no limit
  std::size_t max_pending = 128 << 20;        // bytes of memory
  Nanos commit_interval = libp2p::Millis(0);  // at most 50 ms count
  std::uint64_t initial_map = std::uint64_t{1} << 30;
  std::uint64_t checked_pages = libp2p::storage::kPagesAtOpen;  // of the file, before it is mapped
  std::function<UnixTime()> wall;                           // for the age of orphans; without one the system's clock
  std::function<void(const MigrationProgress&)> migrating;  // called within open(), after each part
  std::function<std::uint64_t()> free_space;                // on the folder's disk; without one the system is asked
};

// What a store holds, in one sentence: "412 blocks, 1 to 412, head 0x…; 1 hole (100 to 149); 3 blocks that are not
// canonical".
std::string summary_text(const StoreSummary& summary);
UnixTime system_time();

class LmdbStore final : public BlockStore {
 public:
  // Opens or creates. Errors say which file and what to do: Errc::denied when another process has it open,
  // Errc::mismatch for the database of another chain or program or format, Errc::malformed for a damaged one,
  // Errc::exhausted when a migration has no room, Errc::io for the rest.
  static Result<std::unique_ptr<LmdbStore>> open(LmdbStoreConfig config, Post post);
  ~LmdbStore() override;

  // What opening found: a migration if there was one, then summary_text().
  const std::string& recovered() const;

  void keep(StoredBlock block, std::optional<Attestation> attestation, bool extends_head,
            Done<KeptBlock> done) override;
  void move_head(const HeadMove& move, Done<MovedHead> done) override;
  void open_era(const opstack::rules::Address& signer, UnixTime now, Done<EraRecord> done) override;
  void start_at(const BlockRef& genesis, std::uint64_t timestamp, Done<KeptBlock> done) override;
  void rewind(std::uint64_t to, const std::optional<Hash>& deny, Done<Rewound> done) override;
  // A denied block is taken again; answers how many are still denied. Errc::not_found when it is not denied.
  void allow(const Hash& hash, Done<std::uint64_t> done);

  Result<std::optional<StoredBlock>> by_number(std::uint64_t number) const override;
  Result<std::optional<StoredBlock>> as_stored(std::uint64_t number) const override;
  Result<std::optional<FoundBlock>> by_hash(const Hash& hash) const override;
  Result<StoreSummary> summary() const override;
  Result<void> for_each(std::uint64_t from, std::uint64_t to,
                        const std::function<bool(const StoredBlock&)>& visit) const override;
  Result<void> for_each_head(std::uint64_t from, std::uint64_t to,
                             const std::function<bool(const StoredBlock&)>& visit) const override;
  Result<ChainView> view(std::size_t window) const override;
  Result<Descent> descend(const BlockRef& from) const override;
  // In one transaction: while it runs, the file grows with every write.
  Result<StoreCheck> check(const CheckDepth& depth) const override;
  void close() override;

 private:
  class Database;
  struct Writer;
  LmdbStore(std::unique_ptr<Database> database, std::unique_ptr<Writer> writer);
  Result<void> for_each_of(std::uint64_t from, std::uint64_t to, bool with_bodies,
                           const std::function<bool(const StoredBlock&)>& visit) const;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Writer> writer_;
};

}  // namespace opp2p
