#include "opp2p/store/store_operations.hpp"

namespace opp2p {
namespace {

Result<std::unique_ptr<LmdbStore>> open_existing(const std::filesystem::path& folder, bool check_ends) {
  LmdbStoreConfig config;
  config.folder = folder;
  config.create = false;
  config.migrate = false;
  config.check_ends = check_ends;
  // Callbacks run on the store's own thread.
  return LmdbStore::open(std::move(config), [](const std::function<void()>& task) { task(); });
}

std::string named(const BlockRef& block) { return std::to_string(block.number) + " " + libp2p::to_hex0x(block.hash); }

}  // namespace

Result<StoreReport> check_store(const std::filesystem::path& folder) {
  OPP2P_TRY(const auto store, open_existing(folder, false));
  OPP2P_TRY(const auto found, store->check(CheckDepth{.bodies = true}));
  StoreReport out;
  out.is_sound = found.defect_count == 0;
  out.lines.push_back(summary_text(found.summary));
  out.lines.push_back("read: " + std::to_string(found.blocks) + " blocks with their bodies and headers, " +
                      std::to_string(found.signatures) + " signatures, " + std::to_string(found.eras) + " eras, " +
                      std::to_string(found.denied) + " denied blocks, " + std::to_string(found.summary.bytes) +
                      " bytes");
  for (const auto& defect : found.defects) out.lines.push_back("defect: " + defect);
  if (found.defect_count > found.defects.size())
    out.lines.push_back("and " + std::to_string(found.defect_count - found.defects.size()) + " more defects");
  out.lines.push_back(out.is_sound ? "no defect found" : std::to_string(found.defect_count) + " defects found");
  return out;
}

Result<StoreReport> migrate_store(const std::filesystem::path& folder, std::uint64_t max_size,
                                  std::function<void(const MigrationProgress&)> progress) {
  LmdbStoreConfig config;
  config.folder = folder;
  config.create = false;
  config.max_size = max_size;
  config.migrating = std::move(progress);
  OPP2P_TRY(const auto store, LmdbStore::open(std::move(config), [](const std::function<void()>& task) { task(); }));
  const bool migrated = store->recovered().starts_with("migrated");
  return StoreReport{{(migrated ? "" : "the store has the present format: ") + store->recovered()}};
}

Result<StoreReport> rewind_store(const std::filesystem::path& folder, std::uint64_t to,
                                 const std::optional<Hash>& deny) {
  OPP2P_TRY(const auto store, open_existing(folder, true));
  Result<Rewound> outcome = Error(Errc::closed, "the store did not answer");
  store->rewind(to, deny, [&](Result<Rewound> answer) { outcome = std::move(answer); });
  store->close();  // waits for the answer
  if (!outcome) return outcome.error();
  StoreReport out;
  out.lines.push_back("the head was " + named(outcome->from));
  out.lines.push_back("the head is  " + named(outcome->to));
  out.lines.push_back(std::to_string(outcome->orphaned) +
                      " blocks are not canonical any more; they stay readable for a day");
  if (deny) out.lines.push_back("denied from now on: " + libp2p::to_hex0x(*deny) + " and what descends from it");
  return out;
}

}  // namespace opp2p
