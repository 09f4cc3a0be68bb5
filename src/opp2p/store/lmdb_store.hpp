// The block store in LMDB: one folder with data.mdb, lock.mdb and a lock file of ours. The writer's thread takes what
// has been put, commits it in one synced transaction, and then posts the callbacks. While a commit runs, the next batch
// gathers, so a block waits for at most one commit and many blocks share it. A write that comes after a pause is
// committed at once; in a stream of writes, commits begin `commit_interval` apart. An error of the disk fails the whole
// batch; the next batch tries anew, and what is stored stays readable.
//
// The writer's thread writes each body once, from the bytes that the block came with, into the database's page. It
// compresses the body of a block that is committed alone, as blocks are at the pace of a chain: the body is then stored
// in the snappy frames in which payload_by_number sends it, and every request is served from them. Small bodies, and
// those of a stream of blocks, are stored as they are.
//
// Tables: meta (format, chain), blocks (number -> record), hashes (hash -> number), staging (segment, number ->
// record); numbers are big-endian, so that LMDB's order is theirs. Owner: the node. Thread: as BlockStore says. Bounds:
// `max_pending` bytes of memory waiting to be written; the map grows by doubling; what goes above `max_size`
// (store.hpp, "Budget") goes in the commit that crosses it, and a commit holds at most a sixteenth of it (1 MiB at
// least), so that the file stays near the budget.
#pragma once

#include <filesystem>

#include "opp2p/store/block_store.hpp"

namespace opp2p {

struct LmdbStoreConfig {
  std::filesystem::path folder;
  std::string chain;                          // what the database must belong to: "10:0x<genesis hash>"
  std::uint64_t max_size = 0;                 // bytes used by chain and staging; 0 means no limit
  std::size_t max_pending = 128 << 20;        // bytes of memory
  Nanos commit_interval = libp2p::Millis(0);  // at most 50 ms count
  std::uint64_t initial_map = std::uint64_t{1} << 30;
};

class LmdbStore final : public BlockStore {
 public:
  // Opens or creates. Errors say which file and what to do: Errc::denied when another process has it open,
  // Errc::mismatch for the database of another chain or program or format, Errc::malformed for a damaged one, Errc::io
  // for the rest. What a crash left in the staging table is removed.
  static Result<std::unique_ptr<LmdbStore>> open(LmdbStoreConfig config, Post post);
  ~LmdbStore() override;

  // One sentence on what opening found: "412 blocks, 1 to 412, head 0x…; 3 staged blocks dropped".
  const std::string& recovered() const;

  void put(StoredBlock block, Done done) override;
  Result<std::optional<StoredBlock>> by_number(std::uint64_t number) const override;
  Result<std::optional<StoredBlock>> as_stored(std::uint64_t number) const override;
  Result<std::optional<StoredBlock>> by_hash(const Hash& hash) const override;
  Result<StoreSummary> summary() const override;
  Result<void> for_each_head(std::uint64_t from, std::uint64_t to,
                             const std::function<bool(const StoredBlock&)>& visit) const override;
  Result<void> for_each(std::uint64_t from, std::uint64_t to,
                        const std::function<bool(const StoredBlock&)>& visit) const override;
  void stage(std::uint64_t segment, StagedRecord record, Done done) override;
  Result<std::vector<StagedRecord>> read_staged(std::uint64_t segment, std::uint64_t from, std::size_t max_blocks,
                                                std::size_t max_bytes) const override;
  void drop_staged(std::uint64_t segment, Done done) override;
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
