#include "libp2p/storage/lmdb/lmdb_datastore.hpp"

#include <algorithm>
#include <mutex>

#include "libp2p/base/crc32c.hpp"
#include "libp2p/base/peer_text.hpp"
#include "libp2p/storage/file_error.hpp"
#include "libp2p/storage/lmdb/folder_lock.hpp"
#include "libp2p/storage/lmdb/lmdb_cursor.hpp"
#include "libp2p/storage/lmdb/lmdb_file.hpp"

namespace libp2p::storage {
namespace {

constexpr std::string_view kFormatKey = "format";
constexpr std::string_view kFormat = "opp2p-datastore-2";
constexpr std::uint64_t kInitialMap = 1 << 20;

// What a value has in front: a checksum of key and value, so that one that is found under another key does not pass.
constexpr std::size_t kChecksum = 4;  // bytes

std::uint32_t checksum_of(std::string_view key, ByteView value) {
  return masked_crc32c(crc32c(as_bytes(key))) ^ crc32c(value);
}

// The value in what is stored; nothing when it is another one than was written.
std::optional<ByteView> sound_value(std::string_view key, const MDB_val& stored) {
  const ByteView bytes = as_view(stored);
  if (bytes.size() < kChecksum) return std::nullopt;
  const ByteView value = bytes.subspan(kChecksum);
  return load_le32(bytes.data()) == checksum_of(key, value) ? std::optional(value) : std::nullopt;
}

int put(MDB_txn* txn, MDB_dbi table, std::string_view key, ByteView value) {
  MDB_val at = as_value(key);
  MDB_val place{kChecksum + value.size(), nullptr};
  if (const int code = mdb_put(txn, table, &at, &place, MDB_RESERVE); code != 0) return code;
  auto* const out = static_cast<std::uint8_t*>(place.mv_data);
  store_le32(out, checksum_of(key, value));
  std::copy(value.begin(), value.end(), out + kChecksum);
  return 0;
}

// A full datastore must have room to be made smaller: LMDB writes the pages anew from which something is erased.
std::uint64_t reserve_of(std::uint64_t max_size) { return max_size / 8; }

}  // namespace

class LmdbDatastore::Database {
 public:
  Database(const std::filesystem::path& folder, const LmdbDatastoreConfig& config)
      : config_(config),
        errors_{folder, "datastore", "peers, scores and bans are then learned anew"},
        file_(errors_, {kInitialMap, config.max_size, reserve_of(config.max_size)},
              [this](LmdbEnvironment& env) { return open_tables(env, false); }) {}

  Result<void> open();
  Result<std::optional<Bytes>> get(std::string_view key) const;
  Result<void> scan(std::string_view prefix, const Visit& visit, const OnDamaged& on_damaged) const;
  Result<void> apply(std::span<const Change> changes);
  Result<std::uint64_t> entries() const;
  Result<std::uint64_t> file_size() const;

 private:
  Result<void> lock();
  Result<void> create();
  Result<void> open_tables(LmdbEnvironment& env, bool fresh);
  Result<void> check_format(MDB_txn* txn, MDB_dbi meta) const;
  Error changed(std::string_view key) const;
  int fill(MDB_txn* txn, std::span<const Change> changes) const;
  int growth(MDB_txn* txn, std::span<const Change> changes, std::int64_t& bytes) const;

  const LmdbDatastoreConfig config_;
  const LmdbErrors errors_;
  FolderLock lock_;
  MDB_dbi records_ = 0;
  LmdbFile file_;
  std::mutex writing_;
};

// ---- opening ----

Result<void> LmdbDatastore::Database::open() {
  OPP2P_TRYV(lock());
  OPP2P_TRYV(create());
  return file_.open();
}

Result<void> LmdbDatastore::Database::lock() {
  const auto& folder = errors_.folder;
  std::error_code error;
  if (config_.create) std::filesystem::create_directories(folder, error);
  if (error) return errors_.with(Errc::io, "cannot create the folder: " + file_error(error.value(), folder));
  if (!config_.create && !std::filesystem::exists(folder / LmdbEnvironment::kFile, error))
    return fail(Errc::not_found, "there is no datastore in " + folder.string());
  const Error in_use = errors_.with(Errc::denied, "another process has it open; stop that one or name another folder");
  OPP2P_TRY(lock_, FolderLock::take(folder / "opp2p.lock", in_use));
  return {};
}

// A database has its name when it is whole: a crash before leaves the folder as it was.
Result<void> LmdbDatastore::Database::create() {
  LmdbEnvironment::remove_young(errors_);
  if (LmdbEnvironment::is_there(errors_)) return {};
  if (!config_.create) return errors_.with(Errc::not_found, "it is an empty file");
  OPP2P_TRY(auto young, LmdbEnvironment::open(errors_, LmdbEnvironment::Kind::young, kInitialMap));
  OPP2P_TRYV(open_tables(*young, true));
  young.reset();
  return LmdbEnvironment::name_young(errors_);
}

Result<void> LmdbDatastore::Database::open_tables(LmdbEnvironment& env, bool fresh) {
  LmdbScopedTxn txn(env.get(), 0);
  MDB_dbi meta = 0;
  const unsigned flags = fresh ? MDB_CREATE : 0;
  int code = txn.code();
  if (code == 0) code = mdb_dbi_open(txn.get(), "datastore-meta", flags, &meta);
  if (code == 0) code = mdb_dbi_open(txn.get(), "datastore", flags, &records_);
  if (code == MDB_NOTFOUND || code == MDB_INCOMPATIBLE)
    return errors_.with(Errc::mismatch, "the database there is none of a datastore; name another folder");
  if (code == 0 && fresh) {
    MDB_val key = as_value(kFormatKey);
    MDB_val value = as_value(kFormat);
    code = mdb_put(txn.get(), meta, &key, &value, 0);
  }
  if (code != 0) return errors_.failed(code, "opening");
  if (!fresh) OPP2P_TRYV(check_format(txn.get(), meta));
  if (code = txn.commit(); code != 0) return errors_.failed(code, "opening");
  return {};
}

Result<void> LmdbDatastore::Database::check_format(MDB_txn* txn, MDB_dbi meta) const {
  MDB_val key = as_value(kFormatKey);
  MDB_val value{};
  const int code = mdb_get(txn, meta, &key, &value);
  if (code != 0 && code != MDB_NOTFOUND) return errors_.failed(code, "opening");
  const auto found = code == 0 ? as_text(as_view(value)) : "";
  if (found == kFormat) return {};
  return errors_.with(Errc::mismatch, "it has the format '" + peer_text(found) + "' and this version needs '" +
                                          std::string(kFormat) + "'; move " + LmdbEnvironment::kFile +
                                          " away, or name another folder");
}

// ---- reading ----

Error LmdbDatastore::Database::changed(std::string_view key) const {
  return errors_.with(Errc::malformed, "the disk has changed the record " + peer_text(key) + ": its checksum is wrong");
}

Result<std::optional<Bytes>> LmdbDatastore::Database::get(std::string_view key) const {
  if (key.empty() || key.size() > kMaxKey) return std::optional<Bytes>();
  const LmdbFile::Read txn(file_);
  if (txn.code() != 0) return errors_.failed(txn.code(), "reading");
  MDB_val at = as_value(key);
  MDB_val value{};
  const int code = mdb_get(txn.get(), records_, &at, &value);
  if (code == MDB_NOTFOUND) return std::optional<Bytes>();
  if (code != 0) return errors_.failed(code, "reading");
  file_.touched(value.mv_size);
  const auto sound = sound_value(key, value);
  if (!sound) return changed(key);
  return std::optional<Bytes>(to_bytes(*sound));
}

Result<void> LmdbDatastore::Database::scan(std::string_view prefix, const Visit& visit,
                                           const OnDamaged& on_damaged) const {
  if (prefix.size() > kMaxKey) return {};
  const LmdbFile::Read txn(file_);
  if (txn.code() != 0) return errors_.failed(txn.code(), "reading");
  LmdbCursor cursor(txn.get(), records_);
  MDB_val key = as_value(prefix);
  MDB_val value{};
  std::size_t seen = 0;
  std::string last;
  int code = cursor.get(key, value, prefix.empty() ? MDB_FIRST : MDB_SET_RANGE);
  for (; code == 0; code = cursor.get(key, value, MDB_NEXT)) {
    const auto text = as_text(as_view(key));
    if (!text.starts_with(prefix)) break;
    // The keys on a damaged page are in any order: a walk over them would never come to an end.
    if (!last.empty() && text <= last) return errors_.failed(MDB_CORRUPTED, "reading");
    last = text;
    seen += key.mv_size + value.mv_size;
    const auto sound = sound_value(text, value);
    if (!sound) {
      on_damaged(text, changed(text));
    } else if (!visit(text, *sound)) {
      break;
    }
  }
  file_.touched(seen);
  if (code != 0 && code != MDB_NOTFOUND) return errors_.failed(code, "reading");
  return {};
}

Result<std::uint64_t> LmdbDatastore::Database::entries() const {
  const LmdbFile::Read txn(file_);
  MDB_stat stat{};
  const int code = txn.code() != 0 ? txn.code() : mdb_stat(txn.get(), records_, &stat);
  if (code != 0) return errors_.failed(code, "reading");
  return std::uint64_t{stat.ms_entries};
}

Result<std::uint64_t> LmdbDatastore::Database::file_size() const {
  std::error_code error;
  const auto size = std::filesystem::file_size(errors_.folder / LmdbEnvironment::kFile, error);
  if (error) return errors_.with(Errc::io, "asking for its size: " + file_error(error.value(), errors_.folder));
  return std::uint64_t{size};
}

// ---- writing ----

int LmdbDatastore::Database::fill(MDB_txn* txn, std::span<const Change> changes) const {
  for (const Change& change : changes) {
    MDB_val key = as_value(change.key);
    int code = 0;
    if (change.value) {
      code = put(txn, records_, change.key, *change.value);
    } else {
      code = mdb_del(txn, records_, &key, nullptr);
      if (code == MDB_NOTFOUND) code = 0;
    }
    if (code != 0) return code;
  }
  return 0;
}

// How many bytes the records have more after the changes. A key that is named twice counts twice, which is too much.
int LmdbDatastore::Database::growth(MDB_txn* txn, std::span<const Change> changes, std::int64_t& bytes) const {
  constexpr std::size_t kEntry = 16;  // of the page
  for (const Change& change : changes) {
    MDB_val key = as_value(change.key);
    MDB_val old{};
    const int code = mdb_get(txn, records_, &key, &old);
    if (code != 0 && code != MDB_NOTFOUND) return code;
    const auto cost = [&](std::size_t size) { return static_cast<std::int64_t>(kEntry + key.mv_size + size); };
    if (change.value) bytes += cost(kChecksum + change.value->size());
    if (code == 0) bytes -= cost(old.mv_size);
  }
  return 0;
}

Result<void> LmdbDatastore::Database::apply(std::span<const Change> changes) {
  OPP2P_TRYV(check_changes(changes));
  if (changes.empty()) return {};
  std::size_t bytes = 0;
  for (const Change& change : changes) bytes += change.key.size() + (change.value ? change.value->size() : 0);
  const auto write = [&](MDB_txn* txn, int& code) -> Result<void> {
    code = fill(txn, changes);
    if (code != 0) return errors_.failed(code, "writing");
    return {};
  };
  const std::lock_guard lock(writing_);
  auto outcome = file_.write(write);
  if (!outcome && outcome.error() == Errc::exhausted) {
    // Changes that take no more room than what they replace may use the reserve.
    const auto full = outcome;
    outcome = file_.write_in_reserve([&](MDB_txn* txn, int& code) -> Result<void> {
      std::int64_t more = 0;
      code = growth(txn, changes, more);
      if (code != 0) return errors_.failed(code, "writing");
      return more > 0 ? full : write(txn, code);
    });
  }
  if (outcome) file_.touched(bytes);
  return outcome;
}

// ---- the datastore ----

LmdbDatastore::LmdbDatastore(std::unique_ptr<Database> database) : database_(std::move(database)) {}
LmdbDatastore::~LmdbDatastore() = default;

Result<std::unique_ptr<LmdbDatastore>> LmdbDatastore::open(const std::filesystem::path& folder,
                                                           const LmdbDatastoreConfig& config) {
  auto database = std::make_unique<Database>(folder, config);
  OPP2P_TRYV(database->open());
  return std::unique_ptr<LmdbDatastore>(new LmdbDatastore(std::move(database)));
}

Result<std::optional<Bytes>> LmdbDatastore::get(std::string_view key) const { return database_->get(key); }
Result<void> LmdbDatastore::scan(std::string_view prefix, const Visit& visit, const OnDamaged& on_damaged) const {
  return database_->scan(prefix, visit, on_damaged);
}
Result<void> LmdbDatastore::apply(std::span<const Change> changes) { return database_->apply(changes); }
Result<std::uint64_t> LmdbDatastore::entries() const { return database_->entries(); }
Result<std::uint64_t> LmdbDatastore::file_size() const { return database_->file_size(); }

}  // namespace libp2p::storage
