#include "opp2p/store/store_operations.hpp"

#include <algorithm>

namespace opp2p {
namespace {

Result<std::unique_ptr<LmdbStore>> open_existing(const std::filesystem::path& folder, bool check_ends,
                                                 std::uint64_t checked_pages = libp2p::storage::kPagesAtOpen) {
  LmdbStoreConfig config;
  config.folder = folder;
  config.create = false;
  config.migrate = false;
  config.check_ends = check_ends;
  config.checked_pages = checked_pages;
  // Callbacks run on the store's own thread.
  return LmdbStore::open(std::move(config), [](const std::function<void()>& task) { task(); });
}

std::string seconds_text(UnixTime time) { return std::to_string(libp2p::unix_seconds(time)); }

std::string named(const BlockRef& block) { return std::to_string(block.number) + " " + libp2p::to_hex0x(block.hash); }

}  // namespace

Result<StoreReport> check_store(const std::filesystem::path& folder) {
  OPP2P_TRY(const auto store, open_existing(folder, false, UINT64_MAX));
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
  bool is_there = true;
  if (deny) {
    OPP2P_TRY(const auto found, store->by_hash(*deny));
    is_there = found.has_value();
  }
  Result<Rewound> outcome = Error(Errc::closed, "the store did not answer");
  store->rewind(to, deny, [&](Result<Rewound> answer) { outcome = std::move(answer); });
  store->close();  // waits for the answer
  if (!outcome) return outcome.error();
  StoreReport out;
  out.lines.push_back("the head was " + named(outcome->from));
  out.lines.push_back("the head is  " + named(outcome->to));
  out.lines.push_back(std::to_string(outcome->orphaned) +
                      " blocks are not canonical any more; opp2p db show and opp2p_blockByHash read them for a day" +
                      (deny && is_there ? ", but for the denied one, which is gone" : ""));
  if (!deny) {
    out.lines.push_back(
        "a signed block that stands on them brings them back; --deny HASH keeps them off (docs/fork-choice.md has the "
        "price)");
    return out;
  }
  out.lines.push_back("denied from now on: " + libp2p::to_hex0x(*deny) + " and what descends from it");
  out.lines.push_back(
      "until another signer signs, no branch above a hole is followed: the head waits for a block that is missing; "
      "opp2p db allow --hash takes the denial back");
  if (!is_there)
    out.lines.push_back(
        "warning: the denied block is not in the store, so nothing here shows that the hash is right; "
        "the block is refused when it comes");
  return out;
}

Result<StoreReport> list_denied(const std::filesystem::path& folder) {
  OPP2P_TRY(const auto store, open_existing(folder, true));
  OPP2P_TRY(const auto view, store->view(0));
  StoreReport out;
  for (const auto& hash : view.denied) out.lines.push_back(libp2p::to_hex0x(hash));
  if (out.lines.empty()) out.lines.emplace_back("no block is denied");
  return out;
}

Result<StoreReport> allow_block(const std::filesystem::path& folder, const Hash& hash) {
  OPP2P_TRY(const auto store, open_existing(folder, true));
  Result<std::uint64_t> outcome = Error(Errc::closed, "the store did not answer");
  store->allow(hash, [&](Result<std::uint64_t> answer) { outcome = std::move(answer); });
  store->close();  // waits for the answer
  if (!outcome) return outcome.error();
  StoreReport out;
  out.lines.push_back("denied no more: " + libp2p::to_hex0x(hash));
  out.lines.push_back(std::to_string(*outcome) + " blocks are still denied");
  return out;
}

Result<StoreReport> show_block(const std::filesystem::path& folder, const Hash& hash) {
  OPP2P_TRY(const auto store, open_existing(folder, false));
  OPP2P_TRY(const auto found, store->by_hash(hash));
  if (!found) {
    OPP2P_TRY(const auto view, store->view(0));
    const bool denied = std::find(view.denied.begin(), view.denied.end(), hash) != view.denied.end();
    return Error(Errc::not_found, "block " + libp2p::to_hex0x(hash) + " is not in the store" +
                                      (denied ? "; it is denied by the operator" : ""));
  }
  const auto& block = found->block;
  StoreReport out;
  const auto line = [&](const char* name, const std::string& value) {
    out.lines.push_back(std::string(name) + ": " + value);
  };
  line("number", std::to_string(block.number));
  line("hash", libp2p::to_hex0x(block.hash));
  line("parent", libp2p::to_hex0x(block.parent_hash));
  line("timestamp", std::to_string(block.timestamp));
  line("canonical", found->orphan ? "no" : "yes");
  if (found->orphan)
    line("orphan", std::string(orphan_id(*found->orphan)) + " since " + seconds_text(*found->orphaned));
  const auto& attested = found->attestation;
  line("signature", attested ? libp2p::to_hex0x(attested->signature) : "none");
  if (attested) line("signer", libp2p::to_hex0x(attested->signer));
  if (attested) line("era", std::to_string(attested->era));
  if (attested) line("arrived", seconds_text(attested->arrived));
  line("size", std::to_string(block.body.size()) + " bytes");
  return out;
}

}  // namespace opp2p
