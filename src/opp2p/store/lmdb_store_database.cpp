#include "opp2p/store/lmdb_store_database.hpp"

namespace opp2p {

LmdbStore::Database::Database(const LmdbStoreConfig& config)
    : config_(config),
      errors_{config.folder, "block store", "the blocks come back from peers"},
      file_(errors_, {.initial = config.initial_map, .checked_pages = config.checked_pages},
            [this](LmdbEnvironment& env) { return open_tables(env, false); }) {}

void LmdbStore::Database::write(const StoreWrites& batch) {
  std::vector<StoreWrite*> writes;
  std::size_t bytes = 0;
  for (const auto& write : batch) writes.push_back(write.get());
  for (const auto* write : writes) bytes += write->bytes();
  std::optional<Applied> applied;
  const auto outcome = file_.write([&](MDB_txn* txn, int& code) -> Result<void> {
    LmdbTxn tables(txn, tables_, errors_);
    ChainWriter chain(tables, config_.max_size, config_.wall());
    auto done = apply_writes(tables, chain, writes, untold_);
    code = tables.code();
    if (!done) return done.error();
    applied = std::move(*done);
    return {};
  });
  if (!outcome) {
    for (auto* write : writes) write->fail(outcome.error());
    return;
  }
  pruned_ += applied->removed;
  untold_ = std::move(applied->untold);
  file_.touched(bytes);
}

}  // namespace opp2p
