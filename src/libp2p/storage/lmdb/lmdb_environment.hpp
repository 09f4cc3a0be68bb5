// An LMDB environment: one file, open, with a map that grows. Beside the database, data.mdb, there may be a young one,
// data.mdb.new, that gets the other's name when it is whole on the disk; of what came before, a crash or a full disk
// could have left anything.
//
// Owner: LmdbFile, or code that makes a database. Thread: any, for transactions; opening, growing and closing while no
// transaction is open. Bounds: the map doubles when it is full.
#pragma once

#include <lmdb.h>

#include <filesystem>
#include <memory>

#include "libp2p/base/result.hpp"
#include "libp2p/storage/lmdb/lmdb_file_check.hpp"

namespace libp2p::storage {

// Errors of the database in one folder, for a person.
struct LmdbErrors {
  std::filesystem::path folder;
  std::string what;    // "block store"
  std::string remedy;  // what happens when a damaged file is moved away: "the blocks come back from peers"
  // `code` is LMDB's or the system's: "block store in /data/blocks: writing: …".
  Error failed(int code, std::string_view doing) const;
  Error with(Errc code, const std::string& text) const;
};

class LmdbEnvironment {
 public:
  enum class Kind : std::uint8_t {
    named,  // data.mdb, with its table of readers
    young,  // data.mdb.new
    draft,  // the same, and not synced before sync() is called
  };
  static constexpr const char* kFile = "data.mdb";
  static constexpr const char* kYoungFile = "data.mdb.new";

  // Creates the file if it is not there, and checks the pages of one that is, at most `checked_pages`. The map has room
  // for twice of what is in the file, and at most `max_map`.
  static Result<std::unique_ptr<LmdbEnvironment>> open(const LmdbErrors& errors, Kind kind, std::uint64_t initial_map,
                                                       std::uint64_t max_map = UINT64_MAX,
                                                       std::uint64_t checked_pages = kPagesAtOpen);
  ~LmdbEnvironment();
  // Whether data.mdb has anything in it.
  static bool is_there(const LmdbErrors& errors);
  LmdbEnvironment(const LmdbEnvironment&) = delete;
  LmdbEnvironment& operator=(const LmdbEnvironment&) = delete;

  // Gives the young file, which must be closed, the name of the database.
  static Result<void> name_young(const LmdbErrors& errors);
  static void remove_young(const LmdbErrors& errors);
  // Names are durable when the folder is synced.
  static Result<void> sync_folder(const LmdbErrors& errors);

  MDB_env* get() const { return env_; }
  std::uint64_t map_size() const { return map_size_; }
  // Of the map; never below what is in the file.
  int resize(std::uint64_t size);
  int sync() { return mdb_env_sync(env_, 1); }

 private:
  LmdbEnvironment() = default;
  Result<void> map(const LmdbErrors& errors, Kind kind, const std::filesystem::path& file);
  std::string fatal_;  // what is told when LMDB finds that it cannot go on
  MDB_env* env_ = nullptr;
  std::uint64_t map_size_ = 0;
};

}  // namespace libp2p::storage
