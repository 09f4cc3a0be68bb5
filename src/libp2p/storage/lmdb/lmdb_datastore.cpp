#include "libp2p/storage/lmdb/lmdb_datastore.hpp"

#include <mutex>

#include "libp2p/storage/file_error.hpp"
#include "libp2p/storage/lmdb/folder_lock.hpp"
#include "libp2p/storage/lmdb/lmdb_cursor.hpp"
#include "libp2p/storage/lmdb/lmdb_file.hpp"

namespace libp2p::storage {
namespace {

constexpr std::string_view kFormatKey = "format";
constexpr std::string_view kFormat = "opp2p-datastore-1";
constexpr std::uint64_t kInitialMap = 1 << 20;

}  // namespace

class LmdbDatastore::Database {
 public:
  Database(const std::filesystem::path& folder, const LmdbDatastoreConfig& config)
      : config_(config),
        errors_{folder, "datastore", "peers, scores and bans are then learned anew"},
        file_(errors_, kInitialMap, config.max_size, [this](LmdbEnvironment& env) { return open_tables(env, false); }) {
  }

  Result<void> open();
  Result<std::optional<Bytes>> get(std::string_view key) const;
  Result<void> scan(std::string_view prefix, const Visit& visit) const;
  Result<void> apply(std::span<const Change> changes);
  Result<std::uint64_t> entries() const;
  Result<std::uint64_t> file_size() const;

 private:
  Result<void> lock();
  Result<void> create();
  Result<void> open_tables(LmdbEnvironment& env, bool fresh);
  Result<void> check_format(MDB_txn* txn, MDB_dbi meta) const;
  int fill(MDB_txn* txn, std::span<const Change> changes) const;

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
  std::error_code error;
  const auto file = errors_.folder / LmdbEnvironment::kFile;
  if (std::filesystem::file_size(file, error) > 0 && !error) return {};
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
  if (code == 0 && as_text(as_view(value)) == kFormat) return {};
  return errors_.with(Errc::mismatch, "it has a format that this version does not know; name another folder");
}

// ---- reading ----

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
  return std::optional<Bytes>(to_bytes(as_view(value)));
}

Result<void> LmdbDatastore::Database::scan(std::string_view prefix, const Visit& visit) const {
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
    if (!visit(text, as_view(value))) break;
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
      MDB_val value = as_value(*change.value);
      code = mdb_put(txn, records_, &key, &value, 0);
    } else {
      code = mdb_del(txn, records_, &key, nullptr);
      if (code == MDB_NOTFOUND) code = 0;
    }
    if (code != 0) return code;
  }
  return 0;
}

Result<void> LmdbDatastore::Database::apply(std::span<const Change> changes) {
  OPP2P_TRYV(check_changes(changes));
  if (changes.empty()) return {};
  std::size_t bytes = 0;
  for (const Change& change : changes) bytes += change.key.size() + (change.value ? change.value->size() : 0);
  const std::lock_guard lock(writing_);
  OPP2P_TRYV(file_.write([&](MDB_txn* txn, int& code) -> Result<void> {
    code = fill(txn, changes);
    if (code != 0) return errors_.failed(code, "writing");
    return {};
  }));
  file_.touched(bytes);
  return {};
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
Result<void> LmdbDatastore::scan(std::string_view prefix, const Visit& visit) const {
  return database_->scan(prefix, visit);
}
Result<void> LmdbDatastore::apply(std::span<const Change> changes) { return database_->apply(changes); }
Result<std::uint64_t> LmdbDatastore::entries() const { return database_->entries(); }
Result<std::uint64_t> LmdbDatastore::file_size() const { return database_->file_size(); }

}  // namespace libp2p::storage
