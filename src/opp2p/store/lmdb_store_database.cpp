#include "opp2p/store/lmdb_store_database.hpp"

#include <atomic>
#include <cstring>

#include "opp2p/base/file_error.hpp"
#include "opp2p/store/lmdb_cursor.hpp"
#include "opp2p/store/store_record.hpp"

namespace opp2p {

std::size_t StoreWrite::bytes() const {
  if (kind == Kind::put) return record_size(block);
  if (kind == Kind::stage) return staged_size(staged);
  return 64;
}

std::size_t StoreWrite::memory_bytes() const {
  const StoredBlock& kept = kind == Kind::stage ? staged.block : block;
  return bytes() + kept.body.memory_bytes() - kept.body.size();
}

Error LmdbStore::Database::failed(int code, std::string_view doing) const {
  const std::string why = code > 0 ? file_error(code, config_.folder) : mdb_strerror(code);  // LMDB's own are negative
  const std::string text = "block store in " + config_.folder.string() + ": " + std::string(doing) + ": " + why;
  if (code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND || code == MDB_INVALID) return Error(Errc::malformed, text);
  // A disk that is full within a write is an I/O error to LMDB.
  std::error_code unknown;
  const auto space = std::filesystem::space(config_.folder, unknown);
  if (unknown) return Error(Errc::io, text);
  return Error(Errc::io, text + " (" + std::to_string(space.available) + " bytes are free on that disk)");
}

// ---- writing ----

void LmdbStore::Database::write(std::vector<StoreWrite>& batch) {
  const auto answer_all = [&batch](const Error& error) {
    for (auto& item : batch) item.outcome = error;
  };
  if (env_ == nullptr) {
    if (const auto opened = reopen(); !opened) return answer_all(opened.error());
  }
  int code = 0;
  do {
    code = write_once(batch);
    if (code == MDB_MAP_FULL) {
      const int grown = grow();
      if (grown != 0) code = grown;
    }
  } while (code == MDB_MAP_FULL || code == MDB_MAP_RESIZED);
  if (code == 0) {
    std::size_t bytes = 0;
    for (const auto& item : batch) bytes += item.bytes();
    return touched(bytes);
  }
  answer_all(failed(code, "writing"));
  if (has_given_up()) (void)reopen();  // if it fails, the next write tries again
}

void LmdbStore::Database::touched(std::size_t bytes) const {
  constexpr std::size_t kMappedAround = 64 * 1024;  // the kernel maps the neighbours of a page too
  bytes += kMappedAround;
  if (touched_.fetch_add(bytes) + bytes < kMappedAtMost) return;
  touched_ = 0;
  mapping_.release();
}

int LmdbStore::Database::grow() {
  const std::unique_lock lock(map_mutex_);
  mapping_ = {};
  const int code = mdb_env_set_mapsize(env_, map_size_ * 2);
  mapping_ = FileMapping::find(config_.folder / kFile);
  if (code == 0) map_size_ *= 2;
  return code;
}

int LmdbStore::Database::write_once(std::vector<StoreWrite>& batch) {
  // The map may only be replaced by this thread, so writing needs no lock on it.
  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(env_, nullptr, 0, &txn); code != 0) return code;
  int code = 0;
  for (auto& item : batch) {
    item.outcome = Result<void>{};
    code = apply(txn, item);
    if (code != 0) break;
  }
  std::uint64_t removed = 0;
  if (code == 0) code = prune(txn, removed);
  if (code != 0) {
    mdb_txn_abort(txn);
    return code;
  }
  code = mdb_txn_commit(txn);
  if (code == 0) pruned_ += removed;
  return code;
}

int LmdbStore::Database::apply(MDB_txn* txn, StoreWrite& item) {
  switch (item.kind) {
    case StoreWrite::Kind::put: return put_block(txn, item);
    case StoreWrite::Kind::stage: return put_staged(txn, item);
    case StoreWrite::Kind::drop_staged: return drop_segment(txn, item.segment);
  }
  return 0;
}

int LmdbStore::Database::put_block(MDB_txn* txn, StoreWrite& item) {
  const auto& block = item.block;
  const std::string name = "block " + std::to_string(block.number);
  auto head = end_of_chain(txn, MDB_LAST);
  if (!head) {
    item.outcome = head.error();
    return 0;
  }
  const auto key = number_key(block.number);
  MDB_val key_value = as_value(key);
  MDB_val value{};
  if (*head && block.number <= (*head)->number) {
    const int code = mdb_get(txn, blocks_, &key_value, &value);
    if (code != 0 && code != MDB_NOTFOUND) return code;
    if (code == MDB_NOTFOUND) {
      item.outcome = Error(Errc::mismatch, name + " is below what the store keeps");
    } else if (value.mv_size < 32 || std::memcmp(value.mv_data, block.hash.data(), 32) != 0) {
      item.outcome = Error(Errc::mismatch, name + ": another one is kept at this height, the first of the two");
    }
    return 0;
  }
  if (*head && (block.number != (*head)->number + 1 || block.parent_hash != (*head)->hash)) {
    item.outcome = Error(Errc::mismatch,
                         name + " does not connect to the head of the store, block " + std::to_string((*head)->number));
    return 0;
  }
  value.mv_size = record_size(block);
  if (const int code = mdb_put(txn, blocks_, &key_value, &value, MDB_RESERVE | MDB_NOOVERWRITE); code != 0) return code;
  write_record(block, {static_cast<std::uint8_t*>(value.mv_data), value.mv_size});
  MDB_val hash = as_value(block.hash);
  MDB_val number = as_value(key);
  return mdb_put(txn, hashes_, &hash, &number, 0);
}

int LmdbStore::Database::put_staged(MDB_txn* txn, StoreWrite& item) {
  const auto key = staged_key(item.segment, item.staged.block.number);
  MDB_val key_value = as_value(key);
  MDB_val value{staged_size(item.staged), nullptr};
  if (const int code = mdb_put(txn, staging_, &key_value, &value, MDB_RESERVE); code != 0) return code;
  write_staged(item.staged, {static_cast<std::uint8_t*>(value.mv_data), value.mv_size});
  return fit_staged(txn, &item);
}

int LmdbStore::Database::drop_segment(MDB_txn* txn, std::uint64_t segment) {
  const auto first = staged_key(segment, 0);
  while (true) {
    Cursor cursor(txn, staging_);
    MDB_val key = as_value(first);
    MDB_val value{};
    const int code = cursor.get(key, value, MDB_SET_RANGE);
    if (code == MDB_NOTFOUND) return 0;
    if (code != 0) return code;
    if (key.mv_size != 16 || libp2p::load_be64(static_cast<const std::uint8_t*>(key.mv_data)) != segment) return 0;
    if (const int erased = cursor.erase(); erased != 0) return erased;
  }
}

// ---- reading ----

Result<std::optional<StoredBlock>> LmdbStore::Database::end_of_chain(MDB_txn* txn, MDB_cursor_op which) const {
  Cursor cursor(txn, blocks_);
  MDB_val key{};
  MDB_val value{};
  const int code = cursor.get(key, value, which);
  if (code == MDB_NOTFOUND) return std::optional<StoredBlock>();
  if (code != 0) return failed(code, "reading the end of the chain");
  if (key.mv_size != 8) return failed(MDB_CORRUPTED, "reading the end of the chain");
  const std::uint64_t number = libp2p::load_be64(static_cast<const std::uint8_t*>(key.mv_data));
  OPP2P_TRY(auto block, decode_record(number, as_view(value), false));
  return std::optional<StoredBlock>(std::move(block));
}

Result<std::optional<StoredBlock>> LmdbStore::Database::by_number(std::uint64_t number) const {
  OPP2P_TRY(auto stored, as_stored(number));
  if (!stored) return stored;
  OPP2P_TRY(auto block, unframed(*std::move(stored)));
  return std::optional<StoredBlock>(std::move(block));
}

Result<std::optional<StoredBlock>> LmdbStore::Database::as_stored(std::uint64_t number) const {
  const ReadTransaction txn(*this);
  if (txn.code() != 0) return failed(txn.code(), "starting a read");
  const auto key = number_key(number);
  MDB_val key_value = as_value(key);
  MDB_val value{};
  const int code = mdb_get(txn.get(), blocks_, &key_value, &value);
  if (code == MDB_NOTFOUND) return std::optional<StoredBlock>();
  if (code != 0) return failed(code, "reading block " + std::to_string(number));
  OPP2P_TRY(auto block, decode_record(number, as_view(value)));
  touched(value.mv_size);
  return std::optional<StoredBlock>(std::move(block));
}

Result<std::optional<StoredBlock>> LmdbStore::Database::by_hash(const Hash& hash) const {
  std::uint64_t number = 0;
  {
    const ReadTransaction txn(*this);
    if (txn.code() != 0) return failed(txn.code(), "starting a read");
    MDB_val key = as_value(hash);
    MDB_val value{};
    const int code = mdb_get(txn.get(), hashes_, &key, &value);
    if (code == MDB_NOTFOUND) return std::optional<StoredBlock>();
    if (code != 0) return failed(code, "reading by hash");
    if (value.mv_size != 8) return failed(MDB_CORRUPTED, "reading by hash");
    number = libp2p::load_be64(static_cast<const std::uint8_t*>(value.mv_data));
  }
  // Between the two reads the block may be pruned, which is the same as not being there; it never changes.
  return by_number(number);
}

Result<StoreSummary> LmdbStore::Database::summary() const {
  const ReadTransaction txn(*this);
  if (txn.code() != 0) return failed(txn.code(), "starting a read");
  StoreSummary out;
  MDB_stat stat{};
  if (const int code = mdb_stat(txn.get(), blocks_, &stat); code != 0) return failed(code, "counting blocks");
  out.blocks = stat.ms_entries;
  if (const int code = mdb_stat(txn.get(), staging_, &stat); code != 0) return failed(code, "counting staged blocks");
  out.staged = stat.ms_entries;
  if (const int code = used_bytes(txn.get(), {blocks_, hashes_, staging_}, out.bytes); code != 0)
    return failed(code, "measuring");
  OPP2P_TRY(const auto lowest, end_of_chain(txn.get(), MDB_FIRST));
  if (lowest) out.lowest = lowest->number;
  OPP2P_TRY(out.head, end_of_chain(txn.get(), MDB_LAST));
  out.pruned = pruned_;
  return out;
}

Result<std::vector<StoredBlock>> LmdbStore::Database::range(std::uint64_t from, std::uint64_t to, std::size_t most,
                                                            bool with_bodies) const {
  const ReadTransaction txn(*this);
  if (txn.code() != 0) return failed(txn.code(), "starting a read");
  constexpr std::size_t kHeadPage = 4096;  // what is read of a block whose body is not
  std::vector<StoredBlock> out;
  std::size_t bytes = 0;
  const auto first = number_key(from);
  Cursor cursor(txn.get(), blocks_);
  MDB_val key = as_value(first);
  MDB_val value{};
  int code = cursor.get(key, value, MDB_SET_RANGE);
  for (; code == 0 && out.size() < most; code = cursor.get(key, value, MDB_NEXT)) {
    const std::uint64_t number = libp2p::load_be64(static_cast<const std::uint8_t*>(key.mv_data));
    if (number > to) break;
    OPP2P_TRY(auto block, decode_record(number, as_view(value), with_bodies));
    if (with_bodies) {
      OPP2P_TRY(block, unframed(std::move(block)));
    }
    out.push_back(std::move(block));
    bytes += with_bodies ? value.mv_size : std::min(value.mv_size, kHeadPage);
  }
  touched(bytes);
  if (code != 0 && code != MDB_NOTFOUND) return failed(code, "reading a range");
  return out;
}

Result<std::vector<StagedRecord>> LmdbStore::Database::read_staged(std::uint64_t segment, std::uint64_t from,
                                                                   std::size_t max_blocks,
                                                                   std::size_t max_bytes) const {
  const ReadTransaction txn(*this);
  if (txn.code() != 0) return failed(txn.code(), "starting a read");
  std::vector<StagedRecord> out;
  std::size_t bytes = 0;
  const auto first = staged_key(segment, from);
  Cursor cursor(txn.get(), staging_);
  MDB_val key = as_value(first);
  MDB_val value{};
  int code = cursor.get(key, value, MDB_SET_RANGE);
  for (std::uint64_t expected = from; code == 0 && out.size() < max_blocks && bytes < max_bytes; ++expected) {
    if (key.mv_size != 16) return failed(MDB_CORRUPTED, "reading staged blocks");
    const auto* raw = static_cast<const std::uint8_t*>(key.mv_data);
    if (libp2p::load_be64(raw) != segment || libp2p::load_be64(raw + 8) != expected) break;
    OPP2P_TRY(auto record, decode_staged(expected, as_view(value)));
    bytes += value.mv_size;
    out.push_back(std::move(record));
    code = cursor.get(key, value, MDB_NEXT);
  }
  touched(bytes);
  if (code != 0 && code != MDB_NOTFOUND) return failed(code, "reading staged blocks");
  return out;
}

}  // namespace opp2p
