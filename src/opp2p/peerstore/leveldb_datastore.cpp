#include "opp2p/peerstore/leveldb_datastore.hpp"

#include "libp2p/base/peer_text.hpp"

#ifdef OPP2P_LEVELDB
#include <leveldb/db.h>
#include <leveldb/write_batch.h>

#include <new>
#endif

namespace opp2p {

using libp2p::Bytes;
using libp2p::Errc;
using libp2p::fail;
using libp2p::Result;

#ifdef OPP2P_LEVELDB

struct LevelDbDatastore::Database {
  std::filesystem::path folder;
  std::unique_ptr<leveldb::DB> db;

  libp2p::Error error(const leveldb::Status& status) const {
    const auto text = "LevelDB in " + folder.string() + ": " + libp2p::peer_text(status.ToString());
    return fail(status.IsCorruption() || status.IsInvalidArgument() ? Errc::malformed : Errc::io, text);
  }
};

namespace {

leveldb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view text(const leveldb::Slice& slice) { return {slice.data(), slice.size()}; }

leveldb::ReadOptions checked() {
  leveldb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = false;
  return options;
}

}  // namespace

Result<std::unique_ptr<LevelDbDatastore>> LevelDbDatastore::open(const std::filesystem::path& folder, Open how) {
  leveldb::Options options;  // comparator and compression as goleveldb has them by default
  options.create_if_missing = options.error_if_exists = how == Open::fresh;
  options.paranoid_checks = true;
  options.max_open_files = 64;
  auto database = std::make_unique<Database>();
  database->folder = folder;
  leveldb::DB* db = nullptr;
  try {
    const auto status = leveldb::DB::Open(options, folder.string(), &db);
    database->db.reset(db);
    if (!status.ok()) return database->error(status);
  } catch (const std::bad_alloc&) {  // of a size that a damaged file states
    return fail(Errc::malformed, "LevelDB in " + folder.string() + " is damaged: it asks for too much memory");
  }
  return std::unique_ptr<LevelDbDatastore>(new LevelDbDatastore(std::move(database)));
}

Result<std::optional<Bytes>> LevelDbDatastore::get(std::string_view key) const {
  std::string value;
  const auto status = database_->db->Get(checked(), slice(key), &value);
  if (status.IsNotFound()) return std::optional<Bytes>();
  if (!status.ok()) return database_->error(status);
  return std::optional(libp2p::to_bytes(value));
}

Result<void> LevelDbDatastore::scan(std::string_view prefix, const Visit& visit, const OnDamaged&) const {
  try {
    const std::unique_ptr<leveldb::Iterator> at(database_->db->NewIterator(checked()));
    for (at->Seek(slice(prefix)); at->Valid() && text(at->key()).starts_with(prefix); at->Next())
      if (!visit(text(at->key()), libp2p::as_bytes(text(at->value())))) break;
    if (!at->status().ok()) return database_->error(at->status());
  } catch (const std::bad_alloc&) {
    return fail(Errc::malformed,
                "LevelDB in " + database_->folder.string() + " is damaged: it asks for too much memory");
  }
  return {};
}

Result<void> LevelDbDatastore::apply(std::span<const libp2p::storage::Change> changes) {
  OPP2P_TRYV(libp2p::storage::check_changes(changes));
  leveldb::WriteBatch batch;
  for (const auto& change : changes) {
    if (change.value)
      batch.Put(slice(change.key), slice(libp2p::as_text(*change.value)));
    else
      batch.Delete(slice(change.key));
  }
  leveldb::WriteOptions durable;
  durable.sync = true;
  if (const auto status = database_->db->Write(durable, &batch); !status.ok()) return database_->error(status);
  return {};
}

#else

struct LevelDbDatastore::Database {};

namespace {

libp2p::Error no_leveldb() {
  return fail(Errc::unsupported,
              "this opp2p was built without LevelDB; install libleveldb-dev and build it again (docs/peerstore.md)");
}

}  // namespace

Result<std::unique_ptr<LevelDbDatastore>> LevelDbDatastore::open(const std::filesystem::path&, Open) {
  return no_leveldb();
}
Result<std::optional<Bytes>> LevelDbDatastore::get(std::string_view) const { return no_leveldb(); }
Result<void> LevelDbDatastore::scan(std::string_view, const Visit&, const OnDamaged&) const { return no_leveldb(); }
Result<void> LevelDbDatastore::apply(std::span<const libp2p::storage::Change>) { return no_leveldb(); }

#endif

LevelDbDatastore::LevelDbDatastore(std::unique_ptr<Database> database) : database_(std::move(database)) {}
LevelDbDatastore::~LevelDbDatastore() = default;

}  // namespace opp2p
