// Opening the database: whose it is, whether it is whole, and what is in it.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "opp2p/base/file_error.hpp"
#include "opp2p/store/lmdb_store_database.hpp"
#include "opp2p/store/store_record.hpp"

namespace opp2p {
namespace {

constexpr const char* kYoungFile = "data.mdb.new";
constexpr off_t kReaderTable = 32 << 10;  // bytes, 64 for each of the reads that can happen at a time
constexpr std::string_view kFormat = "opp2p block store 1";
constexpr std::string_view kFormatKey = "format";
constexpr std::string_view kChainKey = "chain";
constexpr std::uint64_t kCheckedAtOpen = 64;  // blocks at the upper end whose records and links are read

MDB_val as_value(std::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

// A new file is durable only when the folder that names it is, and a new folder when its parent is.
Result<void> sync_folder(const std::filesystem::path& folder) {
  for (const auto& path : {folder, folder.parent_path()}) {
    const int file = ::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) continue;  // a parent may be closed to us
    const int code = ::fsync(file) == 0 ? 0 : errno;
    ::close(file);
    if (code != 0 && code != EINVAL)  // some file systems know no sync of folders
      return fail(Errc::io, "block store in " + folder.string() + ": syncing the folder: " + file_error(code, folder));
  }
  return {};
}

std::string_view as_text(const MDB_val& value) { return {static_cast<const char*>(value.mv_data), value.mv_size}; }

}  // namespace

Result<std::unique_ptr<LmdbStore::Database>> LmdbStore::Database::open(const LmdbStoreConfig& config) {
  std::unique_ptr<Database> database(new Database(config));
  OPP2P_TRYV(database->lock_folder());
  OPP2P_TRYV(database->create());
  OPP2P_TRYV(database->open_existing());
  OPP2P_TRYV(database->recover());
  return database;
}

LmdbStore::Database::~Database() {
  close_environment();
  if (lock_file_ >= 0) ::close(lock_file_);
}

Result<void> LmdbStore::Database::lock_folder() {
  std::error_code error;
  std::filesystem::create_directories(config_.folder, error);
  if (error)
    return fail(Errc::io, "cannot create the folder " + config_.folder.string() + ": " +
                              file_error(error.value(), config_.folder));
  const auto path = config_.folder / "opp2p.lock";
  lock_file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_file_ < 0) return fail(Errc::io, "cannot open " + path.string() + ": " + file_error(errno, path));
  if (::flock(lock_file_, LOCK_EX | LOCK_NB) == 0) return {};
  return fail(Errc::denied, "the block store in " + config_.folder.string() +
                                " is in use by another process; stop it or choose another --data-dir");
}

// A database gets its name when its first transaction is on the disk: of what came before, a crash or a full disk could
// have left anything.
Result<void> LmdbStore::Database::create() {
  const auto file = config_.folder / kFile;
  const auto young = config_.folder / kYoungFile;
  std::error_code error;
  if (std::filesystem::file_size(file, error) > 0 && !error) return {};
  std::filesystem::remove(young, error);
  OPP2P_TRYV(open_environment(true));
  OPP2P_TRYV(open_tables(true));
  close_environment();
  std::filesystem::rename(young, file, error);
  if (!error) return {};
  return fail(Errc::io, "block store in " + config_.folder.string() +
                            ": naming the new database: " + file_error(error.value(), config_.folder));
}

Result<void> LmdbStore::Database::open_existing() {
  OPP2P_TRYV(reserve_readers());
  OPP2P_TRYV(open_environment(false));
  OPP2P_TRYV(open_tables(false));
  OPP2P_TRYV(sync_folder(config_.folder));
  // After a commit that failed halfway the disk may hold its end though the file no longer does. It must not while
  // pages that it points to are used again.
  if (const int code = mdb_env_sync(env_, 1); code != 0) return failed(code, "syncing");
  mapping_ = FileMapping::find(config_.folder / kFile);
  return {};
}

void LmdbStore::Database::close_environment() {
  mapping_ = {};
  if (env_ != nullptr) mdb_env_close(std::exchange(env_, nullptr));
}

// LMDB refuses all that follows once the end of a commit could not be written, readers too.
bool LmdbStore::Database::has_given_up() const { return ReadTransaction(*this).code() == MDB_PANIC; }

Result<void> LmdbStore::Database::reopen() {
  const std::unique_lock lock(map_mutex_);
  close_environment();
  auto opened = open_existing();
  if (!opened) close_environment();
  return opened;
}

// LMDB maps the table of readers, and a mapped page for which a full disk has no room is a fatal signal when it is
// touched.
Result<void> LmdbStore::Database::reserve_readers() {
  const auto path = config_.folder / "lock.mdb";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return fail(Errc::io, "cannot open " + path.string() + ": " + file_error(errno, path));
  const int code = ::posix_fallocate(file, 0, kReaderTable);
  ::close(file);
  if (code != 0) return failed(code, "opening");
  return {};
}

Result<void> LmdbStore::Database::open_environment(bool young) {
  const auto file = config_.folder / (young ? kYoungFile : kFile);
  const auto& path = young ? file : config_.folder;
  const unsigned flags = young ? MDB_NOSUBDIR | MDB_NOLOCK : 0;
  std::error_code ignored;
  const auto size = std::filesystem::exists(file, ignored) ? std::filesystem::file_size(file, ignored) : 0;
  map_size_ = std::max<std::uint64_t>(config_.initial_map, 1 << 20);
  while (map_size_ < 2 * size) map_size_ *= 2;
  int code = mdb_env_create(&env_);
  if (code == 0) code = mdb_env_set_maxdbs(env_, 8);
  if (code == 0) code = mdb_env_set_mapsize(env_, map_size_);
  // No flag that weakens durability. Readers are tied to their transaction, not to their thread; read-ahead only costs.
  if (code == 0) code = mdb_env_open(env_, path.c_str(), MDB_NOTLS | MDB_NORDAHEAD | flags, 0600);
  if (code == MDB_INVALID || code == MDB_VERSION_MISMATCH || code == MDB_CORRUPTED)
    return fail(Errc::malformed, file.string() + " is damaged or no database of opp2p (" + mdb_strerror(code) +
                                     "); move it away and start again, the blocks come back from peers");
  if (code != 0) return failed(code, "opening");

  // A page beyond the end of the file would be a fatal signal when it is touched: fill up with zeros, which LMDB
  // recognises as damage wherever a page in use is missing. (Pages that were never used may be missing in a healthy
  // file.)
  MDB_envinfo info{};
  MDB_stat stat{};
  mdb_env_info(env_, &info);
  mdb_env_stat(env_, &stat);
  const std::uint64_t needed = (std::uint64_t{info.me_last_pgno} + 1) * stat.ms_psize;
  if (std::filesystem::file_size(file, ignored) < needed) std::filesystem::resize_file(file, needed, ignored);
  return {};
}

Result<void> LmdbStore::Database::open_tables(bool fresh) {
  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(env_, nullptr, 0, &txn); code != 0) return failed(code, "opening");
  const auto give_up = [&](Error error) {
    mdb_txn_abort(txn);
    return error;
  };
  const unsigned create = fresh ? MDB_CREATE : 0;
  struct Table {
    const char* name;
    MDB_dbi* handle;
  };
  for (const Table table :
       {Table{"meta", &meta_}, Table{"blocks", &blocks_}, Table{"hashes", &hashes_}, Table{"staging", &staging_}}) {
    const int code = mdb_dbi_open(txn, table.name, create, table.handle);
    if (code == MDB_NOTFOUND || code == MDB_INCOMPATIBLE)
      return give_up(Error(Errc::mismatch, "the database in " + config_.folder.string() +
                                               " was not written by opp2p; choose another --data-dir"));
    if (code != 0) return give_up(failed(code, "opening"));
  }
  if (auto identity = check_identity(txn, fresh); !identity) return give_up(identity.error());
  if (const int code = mdb_txn_commit(txn); code != 0) return failed(code, "opening");
  return {};
}

Result<void> LmdbStore::Database::check_identity(MDB_txn* txn, bool fresh) {
  struct Entry {
    std::string_view key;
    std::string_view expected;
    std::string_view what;
  };
  for (const Entry& entry :
       {Entry{kFormatKey, kFormat, "has the format"}, Entry{kChainKey, config_.chain, "belongs to the chain"}}) {
    MDB_val key = as_value(entry.key);
    MDB_val value = as_value(entry.expected);
    if (fresh) {
      if (const int code = mdb_put(txn, meta_, &key, &value, 0); code != 0) return failed(code, "creating");
      continue;
    }
    const int code = mdb_get(txn, meta_, &key, &value);
    if (code != 0 && code != MDB_NOTFOUND) return failed(code, "opening");
    const std::string found(code == 0 ? as_text(value) : "");
    if (found != entry.expected)
      return fail(Errc::mismatch, "the block store in " + config_.folder.string() + " " + std::string(entry.what) +
                                      " '" + found + "', this node needs '" + std::string(entry.expected) +
                                      "'; choose another --data-dir");
  }
  return {};
}

Result<void> LmdbStore::Database::recover() {
  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(env_, nullptr, 0, &txn); code != 0) return failed(code, "opening");
  MDB_stat staged{};
  auto checked = check_ends(txn);
  int code = checked ? mdb_stat(txn, staging_, &staged) : 0;
  // Nobody knows any more to which trusted end these were linked.
  if (checked && code == 0 && staged.ms_entries > 0) code = mdb_drop(txn, staging_, 0);
  if (!checked || code != 0) {
    mdb_txn_abort(txn);
    return checked ? Result<void>(failed(code, "opening")) : checked;
  }
  if (code = mdb_txn_commit(txn); code != 0) return failed(code, "opening");

  OPP2P_TRY(const auto now, summary());
  if (now.head) {
    recovered_ = std::to_string(now.blocks) + " blocks, " + std::to_string(*now.lowest) + " to " +
                 std::to_string(now.head->number) + ", head " + libp2p::to_hex0x(now.head->hash);
  } else {
    recovered_ = "no blocks";
  }
  if (staged.ms_entries > 0) recovered_ += "; " + std::to_string(staged.ms_entries) + " staged blocks dropped";
  return {};
}

// The last blocks are what a crash could have hurt: each must be whole, indexed, and the parent of the next.
Result<void> LmdbStore::Database::check_ends(MDB_txn* txn) {
  const auto broken = [&](std::uint64_t number, const std::string& why) {
    return Error(Errc::malformed, "the block store in " + config_.folder.string() + " is damaged at block " +
                                      std::to_string(number) + ": " + why +
                                      "; move the folder away and start again, the blocks come back from peers");
  };
  MDB_stat blocks{};
  MDB_stat hashes{};
  int code = mdb_stat(txn, blocks_, &blocks);
  if (code == 0) code = mdb_stat(txn, hashes_, &hashes);
  if (code != 0) return failed(code, "counting blocks");
  OPP2P_TRY(const auto lowest, end_of_chain(txn, MDB_FIRST));
  OPP2P_TRY(const auto head, end_of_chain(txn, MDB_LAST));
  if (!head) return {};
  if (blocks.ms_entries != hashes.ms_entries || blocks.ms_entries != head->number - lowest->number + 1)
    return broken(head->number, "blocks are missing in between, or in the index of hashes");

  // Read through the open write transaction, so that the check and what follows see one state.
  const std::uint64_t from = std::max(lowest->number, head->number - std::min(head->number, kCheckedAtOpen - 1));
  std::optional<Hash> expected_parent;
  for (std::uint64_t number = from; number <= head->number; ++number) {
    const auto key = number_key(number);
    MDB_val key_value{key.size(),
                      const_cast<std::uint8_t*>(key.data())};  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    MDB_val value{};
    if (code = mdb_get(txn, blocks_, &key_value, &value); code != 0) return broken(number, mdb_strerror(code));
    const ByteView record(static_cast<const std::uint8_t*>(value.mv_data), value.mv_size);
    const auto block = decode_record(number, record);
    if (!block) return broken(number, block.error().text());
    if (expected_parent && *expected_parent != block->parent_hash)
      return broken(number, "it does not follow the one before");
    expected_parent = block->hash;
    if (number == UINT64_MAX) break;
  }
  return {};
}

}  // namespace opp2p
