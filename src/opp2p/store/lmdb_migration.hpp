// Makes a database of format 2 from one of format 1: a chain without holes, one block a height, in the tables `meta`,
// `blocks` (number -> record) and `hashes`. Its staging table is left behind. The new database is written beside the
// old one, which stays as it is; who calls gives the new one the name of the old one.
//
// A block whose record is damaged is left out; that makes a hole, which the node fills from its peers. Blocks that the
// budget would remove at once are left out too.
//
// Owner: LmdbStore::Database, which has the lock of the folder. Thread: any. Bounds: one block in memory at a time; a
// transaction holds about kBatchBytes.
#pragma once

#include "opp2p/store/lmdb_store.hpp"
#include "opp2p/store/lmdb_txn.hpp"

namespace opp2p {

struct Migration {
  std::uint64_t blocks = 0;   // in the new database
  std::uint64_t pruned = 0;   // left out for the budget
  std::uint64_t damaged = 0;  // left out because their records are
};

// For LmdbStore::recovered().
std::string text_of(const Migration& migration);

Result<bool> has_format_1(LmdbEnvironment& environment, const LmdbErrors& errors);
// Errc::mismatch for the database of another chain, Errc::exhausted when the disk has no room for both.
Result<Migration> migrate_format_1(const LmdbStoreConfig& config, const LmdbErrors& errors, LmdbEnvironment& old);

}  // namespace opp2p
