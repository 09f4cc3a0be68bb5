// A transaction of LMDB as the block store's rules see it. Owner: LmdbStore::Database, or a migration, which begins and
// ends the transaction. Thread: that of the transaction. Bounds: none of its own; a block that is read is copied out.
#pragma once

#include "libp2p/storage/lmdb/lmdb_environment.hpp"
#include "opp2p/store/table_txn.hpp"

namespace opp2p {

using libp2p::storage::LmdbEnvironment;
using libp2p::storage::LmdbErrors;

struct LmdbTables {
  MDB_dbi blocks = 0;
  std::array<MDB_dbi, kTables> of{};

  // Opens all of them, and makes them if `create`. Answers LMDB's code.
  int open(MDB_txn* txn, bool create);
};

class LmdbTxn final : public TableTxn {
 public:
  LmdbTxn(MDB_txn* txn, const LmdbTables& tables, const LmdbErrors& errors)
      : txn_(txn), tables_(tables), errors_(errors) {}

  Result<std::optional<ByteView>> get(Table table, ByteView key) const override;
  Result<Found> first(Table table) const override;
  Result<Found> last(Table table) const override;
  Result<Found> at_or_after(Table table, ByteView key) const override;
  Result<Found> after(Table table, ByteView key) const override;
  Result<Found> before(Table table, ByteView key) const override;
  Result<std::uint64_t> entries(Table table) const override;
  Result<void> put(Table table, ByteView key, ByteView value) override;
  Result<void> erase(Table table, ByteView key) override;
  Result<std::optional<StoredBlock>> block(const BlockName& name, bool with_body) const override;
  Result<std::uint64_t> block_entries() const override;
  // Once, from the bytes that the block came with into the page that LMDB gives.
  Result<void> put_block(const StoredBlock& block) override;
  Result<void> erase_block(const BlockName& name) override;
  Result<std::uint64_t> bytes() const override;
  bool has_failed() const override { return code_ != 0; }

  // A record as it stands in another database.
  Result<void> put_record(const BlockName& name, ByteView record);
  // LMDB's code of the function that failed.
  int code() const { return code_; }
  // Bytes of the file that blocks were read from.
  std::size_t touched() const { return touched_; }

 private:
  MDB_dbi handle(Table table) const { return tables_.of[static_cast<std::size_t>(table)]; }
  Error failed(int code, std::string_view doing) const;
  Result<Found> seek(Table table, ByteView key, MDB_cursor_op op) const;
  Result<void> erase_in(MDB_dbi table, ByteView key);
  Result<std::uint64_t> entries_of(MDB_dbi table) const;

  MDB_txn* const txn_;
  const LmdbTables& tables_;
  const LmdbErrors& errors_;
  mutable int code_ = 0;
  mutable std::size_t touched_ = 0;
};

}  // namespace opp2p
