// A Datastore in LMDB: one folder with data.mdb, lock.mdb and a lock file of ours. Each apply() is one synced
// transaction: what it has answered for survives the end of the process or of the power at any moment, and of what it
// has not answered for all is there or nothing. After an error of the disk nothing is lost and the next apply() tries
// anew.
//
// A damaged file is an error of open(), which checks its pages before LMDB follows them (lmdb_file_check.hpp), and each
// record has a checksum. When the file is full, changes that take no more room than what they replace are still taken:
// an eighth of its size is kept for them.
//
// One process has a folder open at a time. A folder on a network file system is not supported, as LMDB says.
//
// Owner: the application, shared with those who write to it. Thread: any. Readers wait for nobody but for the growing
// of the file; writers wait for each other. Bounds: LmdbDatastoreConfig::max_size.
#pragma once

#include <filesystem>
#include <memory>

#include "libp2p/storage/datastore.hpp"

namespace libp2p::storage {

struct LmdbDatastoreConfig {
  std::uint64_t max_size = std::uint64_t{1} << 30;  // of the file, in bytes; Errc::exhausted beyond
  bool create = true;                               // when there is none; else Errc::not_found
};

class LmdbDatastore final : public Datastore {
 public:
  // Opens or creates. Errors say which folder and what to do: Errc::denied when another process has it open,
  // Errc::mismatch for the database of another program or format, Errc::malformed for a damaged one, Errc::not_found,
  // and Errc::io for what the system refuses.
  static Result<std::unique_ptr<LmdbDatastore>> open(const std::filesystem::path& folder,
                                                     const LmdbDatastoreConfig& config = {});
  ~LmdbDatastore() override;

  Result<std::optional<Bytes>> get(std::string_view key) const override;
  using Datastore::scan;
  Result<void> scan(std::string_view prefix, const Visit& visit, const OnDamaged& on_damaged) const override;
  Result<void> apply(std::span<const Change> changes) override;

  Result<std::uint64_t> entries() const;
  Result<std::uint64_t> file_size() const;  // bytes; free pages are used again and not given back

 private:
  class Database;
  explicit LmdbDatastore(std::unique_ptr<Database> database);
  std::unique_ptr<Database> database_;
};

}  // namespace libp2p::storage
