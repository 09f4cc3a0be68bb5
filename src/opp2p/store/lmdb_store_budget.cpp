// What LmdbStore keeps when its budget is used up (store.hpp, "Budget").
#include <cstring>

#include "opp2p/store/lmdb_cursor.hpp"
#include "opp2p/store/lmdb_store_database.hpp"
#include "opp2p/store/store_record.hpp"

namespace opp2p {

int LmdbStore::Database::used_bytes(MDB_txn* txn, std::initializer_list<MDB_dbi> tables, std::uint64_t& bytes) const {
  bytes = 0;
  for (const MDB_dbi table : tables) {
    MDB_stat stat{};
    if (const int code = mdb_stat(txn, table, &stat); code != 0) return code;
    bytes += (std::uint64_t{stat.ms_branch_pages} + stat.ms_leaf_pages + stat.ms_overflow_pages) * stat.ms_psize;
  }
  return 0;
}

int LmdbStore::Database::prune(MDB_txn* txn, std::uint64_t& removed) {
  if (config_.max_size == 0) return 0;
  while (true) {
    std::uint64_t used = 0;
    if (const int code = used_bytes(txn, {blocks_, hashes_}, used); code != 0) return code;
    if (used <= chain_share(config_.max_size)) return fit_staged(txn, nullptr);
    MDB_stat stat{};
    if (const int code = mdb_stat(txn, blocks_, &stat); code != 0) return code;
    if (stat.ms_entries <= 1) return fit_staged(txn, nullptr);  // the head stays, however large
    Cursor cursor(txn, blocks_);
    MDB_val key{};
    MDB_val value{};
    if (const int code = cursor.get(key, value, MDB_FIRST); code != 0) return code;
    if (value.mv_size < kRecordHead) return MDB_CORRUPTED;
    libp2p::Bytes hash(static_cast<const std::uint8_t*>(value.mv_data),
                       static_cast<const std::uint8_t*>(value.mv_data) + 32);
    if (const int code = cursor.erase(); code != 0) return code;
    MDB_val hash_value = as_value(hash);
    if (const int code = mdb_del(txn, hashes_, &hash_value, nullptr); code != 0 && code != MDB_NOTFOUND) return code;
    ++removed;
  }
}

// Removes staged blocks until chain and staging fit, but for the last one. `added`, which may be null, is what was just
// staged: it is refused when it is among those that go.
int LmdbStore::Database::fit_staged(MDB_txn* txn, StoreWrite* added) {
  if (config_.max_size == 0) return 0;
  while (true) {
    std::uint64_t used = 0;
    if (const int code = used_bytes(txn, {blocks_, hashes_, staging_}, used); code != 0) return code;
    MDB_stat staged{};
    if (const int code = mdb_stat(txn, staging_, &staged); code != 0) return code;
    if (used <= config_.max_size || staged.ms_entries <= 1) return 0;
    libp2p::ByteArray<16> key{};
    if (const int code = first_to_evict(txn, key); code != 0) return code;
    if (added != nullptr && key == staged_key(added->segment, added->staged.block.number))
      added->outcome = no_room_to_stage(added->staged.block.number, used, config_.max_size);
    MDB_val key_value = as_value(key);
    if (const int code = mdb_del(txn, staging_, &key_value, nullptr); code != 0) return code;
  }
}

// A staged block that is in the chain already, else the one with the highest number.
int LmdbStore::Database::first_to_evict(MDB_txn* txn, libp2p::ByteArray<16>& out) const {
  const auto head = end_of_chain(txn, MDB_LAST);
  if (!head) return MDB_CORRUPTED;
  std::uint64_t highest = 0;
  Cursor cursor(txn, staging_);
  MDB_val key{};
  MDB_val value{};
  int code = cursor.get(key, value, MDB_FIRST);
  while (code == 0) {  // once for each range
    if (key.mv_size != 16) return MDB_CORRUPTED;
    const auto* raw = static_cast<const std::uint8_t*>(key.mv_data);
    const std::uint64_t segment = libp2p::load_be64(raw);
    const std::uint64_t lowest = libp2p::load_be64(raw + 8);
    if (*head && lowest <= (*head)->number) {
      out = staged_key(segment, lowest);
      return 0;
    }
    const auto next = staged_key(segment + 1, 0);
    key = as_value(next);
    const int following = cursor.get(key, value, MDB_SET_RANGE);
    if (following != 0 && following != MDB_NOTFOUND) return following;
    if (code = cursor.get(key, value, following == 0 ? MDB_PREV : MDB_LAST); code != 0) return code;
    const std::uint64_t last = libp2p::load_be64(static_cast<const std::uint8_t*>(key.mv_data) + 8);
    if (last >= highest) {
      highest = last;
      out = staged_key(segment, last);
    }
    if (following == MDB_NOTFOUND) return 0;
    code = cursor.get(key, value, MDB_NEXT);
  }
  return code;
}

}  // namespace opp2p
