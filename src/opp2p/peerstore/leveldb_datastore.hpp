// A LevelDB directory as a Datastore: op-node's peerstore folder (go-ds-leveldb with its default options: the keys are
// texts, blocks are compressed with Snappy). Checksums are verified. Built without LevelDB, open() answers
// Errc::unsupported and says so.
//
// Opening writes to the directory, and its lock is another one than op-node's: open a copy (leveldb_copy.hpp). Thread:
// any. Bounds: LevelDB's caches, about 12 MiB.
#pragma once

#include <filesystem>
#include <memory>

#include "libp2p/storage/datastore.hpp"

namespace opp2p {

class LevelDbDatastore final : public libp2p::storage::Datastore {
 public:
  enum class Open : std::uint8_t { existing, fresh };  // fresh: there must be none yet

  static libp2p::Result<std::unique_ptr<LevelDbDatastore>> open(const std::filesystem::path& folder, Open how);
  ~LevelDbDatastore() override;

  libp2p::Result<std::optional<libp2p::Bytes>> get(std::string_view key) const override;
  using Datastore::scan;
  // LevelDB has checksums of its blocks and not of its records: damage ends the scan.
  libp2p::Result<void> scan(std::string_view prefix, const Visit& visit, const OnDamaged& on_damaged) const override;
  libp2p::Result<void> apply(std::span<const libp2p::storage::Change> changes) override;

 private:
  struct Database;
  explicit LevelDbDatastore(std::unique_ptr<Database> database);
  std::unique_ptr<Database> database_;
};

}  // namespace opp2p
