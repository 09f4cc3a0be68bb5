#include "opp2p/peerstore/peerstore_operations.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "libp2p/storage/lmdb/lmdb_datastore.hpp"
#include "opp2p/base/file_error.hpp"
#include "opp2p/base/secret_file.hpp"
#include "opp2p/peerstore/leveldb_copy.hpp"
#include "opp2p/peerstore/leveldb_datastore.hpp"
#include "opp2p/peerstore/peerstore_move.hpp"

namespace opp2p {

using libp2p::Errc;
using libp2p::fail;
using libp2p::PeerId;
using libp2p::Result;
using libp2p::crypto::PrivateKey;
using libp2p::storage::LmdbDatastore;
namespace fs = std::filesystem;

namespace {

Result<std::unique_ptr<LmdbDatastore>> open_store(const PeerstorePlace& place, bool create) {
  libp2p::storage::LmdbDatastoreConfig config;
  config.create = create;
  auto store = LmdbDatastore::open(place.folder, config);
  if (!store && store.error() == Errc::denied)
    return fail(Errc::denied, "the peerstore in " + place.folder.string() +
                                  " is in use by another process; stop that opp2p node first");
  if (!store && store.error() == Errc::not_found)
    return fail(Errc::not_found, "there is no peerstore in " + place.folder.string() +
                                     "; give the --data-dir of a node that has run, or import one");
  return store;
}

// "scores: 20, peer bans: 3".
std::string counts_text(const MovedRecords& moved) {
  std::string out;
  for (std::size_t i = 0; i < kRecordKinds; ++i) {
    if (moved.taken[i] == 0) continue;
    out += (out.empty() ? "" : ", ") + std::string(to_string(static_cast<RecordKind>(i))) + ": " +
           std::to_string(moved.taken[i]);
  }
  return out;
}

void add_lines(PeerstoreReport& report, const MovedRecords& moved) {
  if (moved.total() > 0) report.lines.push_back(counts_text(moved));
  if (moved.kept > 0)
    report.lines.push_back("Kept " + std::to_string(moved.kept) + " records of ours that were changed later.");
  for (const auto& one : moved.first_changed) report.lines.push_back("Took " + one.key + " as " + one.reason + ".");
  if (moved.changed > moved.first_changed.size())
    report.lines.push_back("And " + std::to_string(moved.changed - moved.first_changed.size()) +
                           " more subnets as their networks.");
  if (moved.skipped == 0) return;
  report.lines.push_back("Left out " + std::to_string(moved.skipped) + " records:");
  for (const auto& one : moved.first_skipped) report.lines.push_back("  " + one.key + ": " + one.reason);
  if (moved.skipped > moved.first_skipped.size()) report.lines.push_back("  …");
}

std::optional<PeerId> peer_of(const std::optional<PrivateKey>& key) {
  return key ? std::optional(PeerId::from_public_key(key->public_key())) : std::nullopt;
}

// A key file that is removed again unless it is kept.
class NewKeyFile {
 public:
  NewKeyFile() = default;
  NewKeyFile(const NewKeyFile&) = delete;
  NewKeyFile& operator=(const NewKeyFile&) = delete;
  ~NewKeyFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Result<void> write(const fs::path& path, const PrivateKey& key) {
    if (const auto failed = write_secret_file(path.string(), libp2p::to_hex(key.raw())))
      return io_error("the node key file cannot be " + std::string(failed->action) + ":", path, failed->code);
    path_ = path;
    return {};
  }
  void keep() { path_.clear(); }

 private:
  fs::path path_;
};

Result<GatheredRecords> read_leveldb(const fs::path& directory, const fs::path& place) {
  OPP2P_TRY(const auto copy, LevelDbCopy::make(directory, place));
  auto opened = LevelDbDatastore::open(copy.path(), LevelDbDatastore::Open::existing);
  // The copy's name means nothing to a person.
  if (!opened) return opened.error().within("reading a copy of " + directory.string());
  auto gathered = gather_records(**opened);
  if (!gathered) return gathered.error().within("reading a copy of " + directory.string());
  return gathered;
}

// The folder in which an export is written before it gets its name.
class ExportFolder {
 public:
  static Result<fs::path> check(const fs::path& directory) {
    std::error_code error;
    const auto target = fs::absolute(directory, error).lexically_normal();
    const auto named = target.has_filename() ? target : target.parent_path();
    if (fs::exists(named, error) && !(fs::is_directory(named, error) && fs::is_empty(named, error)))
      return fail(Errc::invalid_argument, named.string() + " is there already; name a folder that does not exist");
    return named;
  }

  explicit ExportFolder(const fs::path& target) : target_(target) {
    young_ = target_.parent_path() / ("." + target_.filename().string() + ".export");
  }
  ExportFolder(const ExportFolder&) = delete;
  ExportFolder& operator=(const ExportFolder&) = delete;
  ~ExportFolder() {
    std::error_code ignored;
    if (!young_.empty()) fs::remove_all(young_, ignored);
  }
  const fs::path& path() const { return young_; }

  Result<void> make() {
    std::error_code error;
    fs::remove_all(young_, error);  // what a killed process has left
    if (error) return io_error("cannot remove", young_, error.value());
    if (::mkdir(young_.c_str(), 0700) != 0) return io_error("cannot create", young_, errno);  // it gets the private key
    return {};
  }
  Result<void> give_name() {
    OPP2P_TRYV(sync(young_));
    if (::rename(young_.c_str(), target_.c_str()) != 0) return io_error("cannot name", target_, errno);
    young_.clear();
    return sync(target_.parent_path());
  }

 private:
  static Result<void> sync(const fs::path& folder) {
    const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return io_error("cannot open", folder, errno);
    const int code = ::fsync(file) == 0 ? 0 : errno;
    ::close(file);
    if (code != 0 && code != EINVAL) return io_error("cannot sync", folder, code);  // not every file system knows it
    return {};
  }

  fs::path target_;
  fs::path young_;
};

}  // namespace

Result<PeerstoreReport> import_peerstore(const fs::path& directory, const PeerstorePlace& place, bool keep_key) {
  // Our store first: its lock also keeps two imports apart, which would share the place of the copy.
  OPP2P_TRYV(check_leveldb_directory(directory));
  OPP2P_TRY(const auto store, open_store(place, true));
  const auto copy = place.folder.parent_path() / (place.folder.filename().string() + ".import");
  OPP2P_TRY(auto gathered, read_leveldb(directory, copy));
  KeyDecision decision;
  if (!keep_key) {
    OPP2P_TRY(decision, decide_key(gathered.private_keys, peer_of(place.key)));
  }
  NewKeyFile key_file;
  if (decision.to_write) OPP2P_TRYV(key_file.write(place.key_file, *decision.to_write));
  const bool has_key = !gathered.private_keys.empty();
  OPP2P_TRY(const auto moved, import_records(std::move(gathered), *store));
  if (moved.total() == 0)
    return fail(Errc::not_found, directory.string() +
                                     " has no record of a peerstore that can be read. Is it the folder "
                                     "of op-node's --p2p.peerstore.path, and whole?");
  key_file.keep();

  PeerstoreReport report;
  report.lines.push_back("Imported " + std::to_string(moved.total()) + " records from " + directory.string() +
                         " into " + place.folder.string() + ".");
  add_lines(report, moved);
  if (decision.to_write)
    report.lines.push_back("Wrote the node's key to " + place.key_file.string() + ": the node is " +
                           decision.peer->to_base58() + ", as op-node was.");
  else if (decision.peer)
    report.lines.push_back("The node's key in " + place.key_file.string() + " is op-node's: the node is " +
                           decision.peer->to_base58() + ".");
  else
    report.lines.push_back(keep_key || has_key ? "The node's key was not imported."
                                               : "There is no node key in it: the node does not become the peer that "
                                                 "op-node was.");
  return report;
}

Result<PeerstoreReport> export_peerstore(const fs::path& directory, const PeerstorePlace& place) {
  if (!place.key)
    return fail(Errc::not_found,
                "there is no node key file " + place.key_file.string() +
                    ", and op-node's peerstore has the node's key; name the file with --p2p.priv.path");
  OPP2P_TRY(const auto target, ExportFolder::check(directory));
  OPP2P_TRY(const auto store, open_store(place, false));
  ExportFolder folder(target);
  OPP2P_TRYV(folder.make());
  MovedRecords moved;
  {
    OPP2P_TRY(const auto leveldb, LevelDbDatastore::open(folder.path(), LevelDbDatastore::Open::fresh));
    OPP2P_TRY(moved, export_records(*store, *leveldb, *place.key));
  }
  OPP2P_TRYV(folder.give_name());

  PeerstoreReport report;
  report.lines.push_back("Exported " + std::to_string(moved.total()) + " records from " + place.folder.string() +
                         " to " + target.string() + ".");
  add_lines(report, moved);
  report.lines.push_back("Start op-node with --p2p.peerstore.path " + target.string() + " --p2p.priv.path " +
                         place.key_file.string() + ": it is then " + peer_of(place.key)->to_base58() +
                         ", as this node was.");
  return report;
}

Result<PeerstoreView> read_peerstore(const PeerstorePlace& place) {
  OPP2P_TRY(const auto store, open_store(place, false));
  return view_peerstore(*store);
}

}  // namespace opp2p
