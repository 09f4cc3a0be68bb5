// Opening the database: whose it is, whether it is whole, and what is in it.
#include "libp2p/base/assert.hpp"
#include "libp2p/storage/lmdb/lmdb_cursor.hpp"
#include "opp2p/base/file_error.hpp"
#include "opp2p/store/lmdb_migration.hpp"
#include "opp2p/store/lmdb_store_database.hpp"

namespace opp2p {

using libp2p::storage::as_value;
using libp2p::storage::as_view;
using libp2p::storage::LmdbScopedTxn;

namespace {

constexpr std::uint64_t kCheckedAtOpen = 64;  // canonical blocks at the upper end whose records and links are read

}  // namespace

Result<std::unique_ptr<LmdbStore::Database>> LmdbStore::Database::open(const LmdbStoreConfig& config) {
  std::unique_ptr<Database> database(new Database(config));
  if (!database->config_.wall) database->config_.wall = system_time;
  OPP2P_TRYV(database->lock_folder());
  OPP2P_TRYV(database->create());
  OPP2P_TRY(auto opened, database->migrate());
  OPP2P_TRYV(database->file_.open(std::move(opened)));
  OPP2P_TRYV(database->recover());
  return database;
}

Result<void> LmdbStore::Database::lock_folder() {
  std::error_code error;
  if (config_.create) std::filesystem::create_directories(config_.folder, error);
  if (error)
    return fail(Errc::io, "cannot create the folder " + config_.folder.string() + ": " +
                              file_error(error.value(), config_.folder));
  const auto file = config_.folder / LmdbEnvironment::kFile;
  if (!config_.create && !std::filesystem::exists(file, error))
    return fail(Errc::not_found, "there is no block store in " + config_.folder.string());
  const Error in_use = fail(Errc::denied, "the block store in " + config_.folder.string() +
                                              " is in use by another process; stop it or choose another --data-dir");
  OPP2P_TRY(lock_, libp2p::storage::FolderLock::take(config_.folder / "opp2p.lock", in_use));
  return {};
}

Result<void> LmdbStore::Database::create() {
  LmdbEnvironment::remove_young(errors_);
  if (LmdbEnvironment::is_there(errors_)) return {};
  if (!config_.create)
    return fail(Errc::not_found, "the block store in " + config_.folder.string() + " is an empty file");
  OPP2P_ASSERT(!config_.chain.empty(), "a new database belongs to a chain");
  OPP2P_TRY(auto young, LmdbEnvironment::open(errors_, LmdbEnvironment::Kind::young, config_.initial_map));
  OPP2P_TRYV(open_tables(*young, true));
  young.reset();
  return LmdbEnvironment::name_young(errors_);
}

// Answers the environment that it has opened, if it is the one to go on with. The old database has its name until the
// new one is whole on the disk.
Result<std::unique_ptr<LmdbEnvironment>> LmdbStore::Database::migrate() {
  OPP2P_TRY(auto env, LmdbEnvironment::open(errors_, LmdbEnvironment::Kind::named, config_.initial_map, UINT64_MAX,
                                            config_.checked_pages));
  OPP2P_TRY(const bool old, has_format_1(*env, errors_));
  if (!old) return env;
  if (!config_.migrate)
    return errors_.with(Errc::mismatch, "it has the format of an earlier version; opp2p db migrate makes it anew");
  OPP2P_TRY(const auto done, migrate_format_1(config_, errors_, *env));
  env.reset();
  OPP2P_TRYV(LmdbEnvironment::name_young(errors_));
  migrated_ = text_of(done);
  return env;
}

Result<void> LmdbStore::Database::open_tables(LmdbEnvironment& env, bool fresh) {
  LmdbScopedTxn txn(env.get(), 0);
  int code = txn.code();
  if (code != 0) return errors_.failed(code, "opening");
  code = tables_.open(txn.get(), fresh);
  if (code == MDB_NOTFOUND || code == MDB_INCOMPATIBLE)
    return Error(Errc::mismatch,
                 "the database in " + config_.folder.string() + " was not written by opp2p; choose another --data-dir");
  if (code != 0) return errors_.failed(code, "opening");
  OPP2P_TRYV(check_identity(txn.get(), fresh));
  if (code = txn.commit(); code != 0) return errors_.failed(code, "opening");
  return {};
}

Result<void> LmdbStore::Database::check_identity(MDB_txn* txn, bool fresh) {
  struct Entry {
    std::string_view key;
    std::string_view expected;
    std::string_view what;
  };
  const MDB_dbi meta = tables_.of[static_cast<std::size_t>(Table::meta)];
  for (const Entry& entry :
       {Entry{kFormatKey, kFormat, "has the format"}, Entry{kChainKey, config_.chain, "belongs to the chain"}}) {
    MDB_val key = as_value(entry.key);
    MDB_val value = as_value(entry.expected);
    if (fresh) {
      if (const int code = mdb_put(txn, meta, &key, &value, 0); code != 0) return errors_.failed(code, "creating");
      continue;
    }
    const int code = mdb_get(txn, meta, &key, &value);
    if (code != 0 && code != MDB_NOTFOUND) return errors_.failed(code, "opening");
    const std::string found(code == 0 ? libp2p::as_text(as_view(value)) : "");
    if (found != entry.expected && !entry.expected.empty())
      return fail(Errc::mismatch, "the block store in " + config_.folder.string() + " " + std::string(entry.what) +
                                      " '" + found + "', this node needs '" + std::string(entry.expected) +
                                      "'; choose another --data-dir");
  }
  return {};
}

Result<void> LmdbStore::Database::recover() {
  if (config_.check_ends)
    OPP2P_TRYV(read([this](const ChainReader& chain, const TableTxn& txn) { return check_ends(chain, txn); }));
  OPP2P_TRY(const auto now, read([](const ChainReader& chain, const TableTxn&) { return chain.summary(); }));
  recovered_ = migrated_ + summary_text(now);
  return {};
}

Error LmdbStore::Database::broken(std::uint64_t number, const std::string& why) const {
  return Error(Errc::malformed, "the block store in " + config_.folder.string() + " is damaged at block " +
                                    std::to_string(number) + ": " + why +
                                    "; move the folder away and start again, the blocks come back from peers");
}

// The last blocks are what a crash could have hurt: each must be whole, indexed, and the parent of the next, unless a
// hole lies between the two.
Result<void> LmdbStore::Database::check_ends(const ChainReader& chain, const TableTxn& txn) const {
  OPP2P_TRY(const auto head, chain.head());
  if (!head) return {};
  OPP2P_TRY(const auto records, txn.block_entries());
  OPP2P_TRY(const auto headers, txn.entries(Table::headers));
  OPP2P_TRY(const auto hashes, txn.entries(Table::hashes));
  OPP2P_TRY(const auto canonical, txn.entries(Table::canonical));
  OPP2P_TRY(const auto orphans, txn.entries(Table::orphans));
  if (records != headers || records != hashes || records != canonical + orphans)
    return broken(head->number, "blocks are missing in between, or in the index of hashes");
  OPP2P_TRY(auto found, txn.last(Table::canonical));
  for (std::uint64_t seen = 0; found && seen < kCheckedAtOpen; ++seen) {
    BlockName name;
    OPP2P_TRY(name.number, read_number(found->key));
    OPP2P_TRY(name.hash, read_hash(found->value));
    OPP2P_TRYV(check_end(chain, txn, name));
    OPP2P_TRY(found, txn.before(Table::canonical, number_key(name.number)));
  }
  return {};
}

Result<void> LmdbStore::Database::check_end(const ChainReader& chain, const TableTxn& txn,
                                            const BlockName& name) const {
  const auto block = txn.block(name, true);
  if (!block) return txn.has_failed() ? block.error() : broken(name.number, block.error().text());
  if (!*block) return broken(name.number, "its record is missing");
  OPP2P_TRY(const auto entry, chain.entry(name));
  if (!entry || (*block)->hash != name.hash || entry->parent_hash != (*block)->parent_hash)
    return broken(name.number, "its header is another one");
  OPP2P_TRY(const auto number, chain.number_of(name.hash));
  if (number != name.number) return broken(name.number, "it is not in the index of hashes");
  OPP2P_TRY(const auto missing, txn.get(Table::segments, block_key(name)));
  if (missing) return {};
  const std::optional<Hash> none;
  OPP2P_TRY(const auto below, name.number == 0 ? Result<std::optional<Hash>>(none) : chain.canonical(name.number - 1));
  if (below != entry->parent_hash) return broken(name.number, "it does not follow the one before");
  return {};
}

}  // namespace opp2p
