#include "opp2p/store/lmdb_txn.hpp"

#include <algorithm>

#include "libp2p/storage/lmdb/lmdb_cursor.hpp"
#include "opp2p/store/store_record.hpp"

namespace opp2p {

using libp2p::storage::as_value;
using libp2p::storage::as_view;
using libp2p::storage::LmdbCursor;

int LmdbTables::open(MDB_txn* txn, bool create) {
  const unsigned flags = create ? MDB_CREATE : 0;
  int code = mdb_dbi_open(txn, kBlocksTable, flags, &blocks);
  for (std::size_t i = 0; i < kTables && code == 0; ++i)
    code = mdb_dbi_open(txn, table_name(static_cast<Table>(i)), flags, &of[i]);
  return code;
}

Error LmdbTxn::failed(int code, std::string_view doing) const {
  code_ = code;
  return errors_.failed(code, doing);
}

Result<std::optional<ByteView>> LmdbTxn::get(Table table, ByteView key) const {
  MDB_val key_value = as_value(key);
  MDB_val value{};
  const int code = mdb_get(txn_, handle(table), &key_value, &value);
  if (code == MDB_NOTFOUND) return std::optional<ByteView>();
  if (code != 0) return failed(code, "reading");
  return std::optional<ByteView>(as_view(value));
}

// A cursor for each step: it may not live on while the table is changed, and costs less than the step.
Result<TableTxn::Found> LmdbTxn::seek(Table table, ByteView key, MDB_cursor_op op) const {
  LmdbCursor cursor(txn_, handle(table));
  MDB_val at = as_value(key);
  MDB_val value{};
  int code = 0;
  if (op == MDB_FIRST || op == MDB_LAST) {
    code = cursor.get(at, value, op);
  } else {
    code = cursor.get(at, value, MDB_SET_RANGE);
    if (op == MDB_NEXT && code == 0 && libp2p::equal(as_view(at), key)) code = cursor.get(at, value, MDB_NEXT);
    if (op == MDB_PREV && code == 0)
      code = cursor.get(at, value, MDB_PREV);
    else if (op == MDB_PREV && code == MDB_NOTFOUND)
      code = cursor.get(at, value, MDB_LAST);
  }
  if (code == MDB_NOTFOUND) return Found();
  if (code != 0) return failed(code, "reading");
  // The keys on a damaged page are in any order: who walks over them would never come to an end.
  const auto found = as_view(at);
  const bool is_above = std::lexicographical_compare(key.begin(), key.end(), found.begin(), found.end());
  const bool is_same = libp2p::equal(found, key);
  if ((op == MDB_NEXT && !is_above) || (op == MDB_SET_RANGE && !is_above && !is_same) ||
      (op == MDB_PREV && (is_above || is_same)))
    return failed(MDB_CORRUPTED, "reading");
  return Found(TableEntry{found, as_view(value)});
}

Result<TableTxn::Found> LmdbTxn::first(Table table) const { return seek(table, {}, MDB_FIRST); }
Result<TableTxn::Found> LmdbTxn::last(Table table) const { return seek(table, {}, MDB_LAST); }
Result<TableTxn::Found> LmdbTxn::at_or_after(Table table, ByteView key) const {
  return seek(table, key, MDB_SET_RANGE);
}
Result<TableTxn::Found> LmdbTxn::after(Table table, ByteView key) const { return seek(table, key, MDB_NEXT); }
Result<TableTxn::Found> LmdbTxn::before(Table table, ByteView key) const { return seek(table, key, MDB_PREV); }

Result<std::uint64_t> LmdbTxn::entries_of(MDB_dbi table) const {
  MDB_stat stat{};
  if (const int code = mdb_stat(txn_, table, &stat); code != 0) return failed(code, "counting");
  return std::uint64_t{stat.ms_entries};
}

Result<std::uint64_t> LmdbTxn::entries(Table table) const { return entries_of(handle(table)); }
Result<std::uint64_t> LmdbTxn::block_entries() const { return entries_of(tables_.blocks); }

Result<void> LmdbTxn::put(Table table, ByteView key, ByteView value) {
  note_change();
  MDB_val key_value = as_value(key);
  MDB_val data = as_value(value);
  if (const int code = mdb_put(txn_, handle(table), &key_value, &data, 0); code != 0) return failed(code, "writing");
  return {};
}

Result<void> LmdbTxn::erase_in(MDB_dbi table, ByteView key) {
  MDB_val key_value = as_value(key);
  const int code = mdb_del(txn_, table, &key_value, nullptr);
  if (code == MDB_NOTFOUND) return {};
  note_change();
  if (code != 0) return failed(code, "writing");
  return {};
}

Result<void> LmdbTxn::erase(Table table, ByteView key) { return erase_in(handle(table), key); }
Result<void> LmdbTxn::erase_block(const BlockName& name) { return erase_in(tables_.blocks, block_key(name)); }

Result<std::optional<StoredBlock>> LmdbTxn::block(const BlockName& name, bool with_body) const {
  constexpr std::size_t kHeadPage = 4096;  // what is read of a block whose body is not
  const BlockKey key = block_key(name);
  MDB_val key_value = as_value(key);
  MDB_val value{};
  const int code = mdb_get(txn_, tables_.blocks, &key_value, &value);
  if (code == MDB_NOTFOUND) return std::optional<StoredBlock>();
  if (code != 0) return failed(code, "reading block " + std::to_string(name.number));
  touched_ += with_body ? value.mv_size : std::min(value.mv_size, kHeadPage);
  OPP2P_TRY(auto out, decode_record(name.number, as_view(value), with_body));
  return std::optional<StoredBlock>(std::move(out));
}

Result<void> LmdbTxn::put_block(const StoredBlock& block) {
  note_change();
  const BlockKey key = block_key({block.number, block.hash});
  MDB_val key_value = as_value(key);
  MDB_val value{record_size(block), nullptr};
  if (const int code = mdb_put(txn_, tables_.blocks, &key_value, &value, MDB_RESERVE); code != 0)
    return failed(code, "writing");
  write_record(block, {static_cast<std::uint8_t*>(value.mv_data), value.mv_size});
  return {};
}

Result<void> LmdbTxn::put_record(const BlockName& name, ByteView record) {
  note_change();
  const BlockKey key = block_key(name);
  MDB_val key_value = as_value(key);
  MDB_val value = as_value(record);
  if (const int code = mdb_put(txn_, tables_.blocks, &key_value, &value, 0); code != 0) return failed(code, "writing");
  return {};
}

Result<std::uint64_t> LmdbTxn::bytes() const {
  std::uint64_t out = 0;
  const auto add = [&](MDB_dbi table) {
    MDB_stat stat{};
    const int code = mdb_stat(txn_, table, &stat);
    out += (std::uint64_t{stat.ms_branch_pages} + stat.ms_leaf_pages + stat.ms_overflow_pages) * stat.ms_psize;
    return code;
  };
  int code = add(tables_.blocks);
  for (const MDB_dbi table : tables_.of)
    if (code == 0) code = add(table);
  if (code != 0) return failed(code, "measuring");
  return out;
}

}  // namespace opp2p
