// What `opp2p db` does with the store of a node that does not run: it opens the store, does one thing, and says in
// plain words what came of it. A store that is in use is Errc::denied.
//
// Owner: none. Thread: any; each call takes as long as the disk does. Bounds: one block in memory at a time.
#pragma once

#include "opp2p/store/lmdb_store.hpp"

namespace opp2p {

struct StoreReport {
  std::vector<std::string> lines;
  bool is_sound = true;
};

// Reads everything; each defect is a line.
Result<StoreReport> check_store(const std::filesystem::path& folder);
// Makes a store of the present format from one of an earlier format, with what fits into `max_size` (0: all).
Result<StoreReport> migrate_store(const std::filesystem::path& folder, std::uint64_t max_size,
                                  std::function<void(const MigrationProgress&)> progress);
Result<StoreReport> rewind_store(const std::filesystem::path& folder, std::uint64_t to,
                                 const std::optional<Hash>& deny);
// The hashes of the blocks that are denied, a line each.
Result<StoreReport> list_denied(const std::filesystem::path& folder);
// Takes back what rewind_store() denied. Errc::not_found when it did not.
Result<StoreReport> allow_block(const std::filesystem::path& folder, const Hash& hash);
// What is known of one block, canonical or not, a line for each fact. Errc::not_found when it is not stored.
Result<StoreReport> show_block(const std::filesystem::path& folder, const Hash& hash);

}  // namespace opp2p
