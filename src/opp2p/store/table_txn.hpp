// One transaction over the tables of the block store (chain_tables.hpp): ordered keys and values. The database
// implements it (lmdb_txn.hpp), and a map in memory (memory_txn.hpp), so that both stores run the same rules.
//
// A view that is answered is valid until the next call that changes something, and no longer than the transaction.
// Owner: who began the transaction. Thread: one at a time. A function that fails leaves a transaction that can only be
// aborted. Bounds: none of its own.
#pragma once

#include "opp2p/store/chain_tables.hpp"

namespace opp2p {

struct TableEntry {
  ByteView key;
  ByteView value;
};

class TableTxn {
 public:
  using Found = std::optional<TableEntry>;
  TableTxn() = default;
  virtual ~TableTxn() = default;
  TableTxn(const TableTxn&) = delete;
  TableTxn& operator=(const TableTxn&) = delete;

  virtual Result<std::optional<ByteView>> get(Table table, ByteView key) const = 0;
  virtual Result<Found> first(Table table) const = 0;
  virtual Result<Found> last(Table table) const = 0;
  virtual Result<Found> at_or_after(Table table, ByteView key) const = 0;
  virtual Result<Found> after(Table table, ByteView key) const = 0;
  virtual Result<Found> before(Table table, ByteView key) const = 0;
  virtual Result<std::uint64_t> entries(Table table) const = 0;
  // Replaces what is there.
  virtual Result<void> put(Table table, ByteView key, ByteView value) = 0;
  // Does nothing where nothing is there.
  virtual Result<void> erase(Table table, ByteView key) = 0;

  // The table `blocks`. A block comes back without its header; without its body too if that is not asked for, which is
  // then not checked.
  virtual Result<std::optional<StoredBlock>> block(const BlockName& name, bool with_body) const = 0;
  virtual Result<std::uint64_t> block_entries() const = 0;
  virtual Result<void> put_block(const StoredBlock& block) = 0;
  virtual Result<void> erase_block(const BlockName& name) = 0;

  // What all tables take on the disk, free pages not counted.
  virtual Result<std::uint64_t> bytes() const = 0;
  // A function has failed because of the disk or the database, not because of what it was asked.
  virtual bool has_failed() const = 0;
  // Calls so far that changed something.
  std::uint64_t changes() const { return changes_; }

 protected:
  void note_change() { ++changes_; }

 private:
  std::uint64_t changes_ = 0;
};

}  // namespace opp2p
