#include "opp2p/store/lmdb_migration.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/crypto/hash.hpp"
#include "libp2p/storage/lmdb/lmdb_cursor.hpp"
#include "opp2p/store/chain_reader.hpp"
#include "opp2p/store/lmdb_txn.hpp"
#include "opp2p/store/store_record.hpp"

namespace opp2p {

using libp2p::storage::as_value;
using libp2p::storage::as_view;
using libp2p::storage::LmdbCursor;
using libp2p::storage::LmdbScopedTxn;

namespace {

constexpr std::uint64_t kBatchBytes = 16 << 20;
constexpr std::uint64_t kBatchBlocks = 1000;
constexpr std::uint64_t kHeaderBytes = 700;  // of a block, about

std::string meta_text(MDB_txn* txn, MDB_dbi meta, std::string_view key) {
  MDB_val at = as_value(key);
  MDB_val value{};
  return std::string(mdb_get(txn, meta, &at, &value) == 0 ? libp2p::as_text(as_view(value)) : "");
}

// The header of a block of format 1; null when its body gives none with its hash.
SharedBytes header_of(const StoredBlock& stored) {
  auto whole = unframed(stored);
  if (!whole) return nullptr;
  const auto block = opstack::payload::decode_block(whole->version, whole->body);
  if (!block) return nullptr;
  const StoredBlock made = with_header(StoredBlock(*block));
  return libp2p::crypto::keccak256(*made.header) == stored.hash ? made.header : nullptr;
}

class Migrator {
 public:
  Migrator(const LmdbStoreConfig& config, const LmdbErrors& errors, LmdbEnvironment& old)
      : config_(config), errors_(errors), old_(old.get(), MDB_RDONLY) {}

  Result<Migration> run() {
    if (old_.code() != 0) return failed(old_.code());
    OPP2P_TRYV(open_old());
    OPP2P_TRYV(plan());
    OPP2P_TRYV(check_room());
    OPP2P_TRY(young_,
              LmdbEnvironment::open(errors_, LmdbEnvironment::Kind::draft, std::max(config_.initial_map, 2 * needed_)));
    OPP2P_TRYV(create_tables());
    while (next_) OPP2P_TRYV(copy_batch());
    if (const int code = young_->sync(); code != 0) return failed(code);
    return done_;
  }

 private:
  Error failed(int code) const { return errors_.failed(code, "migrating"); }

  Result<void> open_old() {
    MDB_dbi meta = 0;
    int code = mdb_dbi_open(old_.get(), "meta", 0, &meta);
    if (code == 0) code = mdb_dbi_open(old_.get(), kBlocksTable, 0, &old_blocks_);
    if (code != 0) return failed(code);
    chain_ = meta_text(old_.get(), meta, kChainKey);
    if (!config_.chain.empty() && chain_ != config_.chain)
      return errors_.with(Errc::mismatch, "it belongs to the chain '" + chain_ + "', this node needs '" +
                                              config_.chain + "'; choose another --data-dir");
    return {};
  }

  // From the head downwards, what the budget has room for.
  Result<void> plan() {
    const std::uint64_t room = config_.max_size == 0 ? UINT64_MAX : chain_share(config_.max_size);
    LmdbCursor cursor(old_.get(), old_blocks_);
    MDB_val key{};
    MDB_val value{};
    int code = cursor.get(key, value, MDB_LAST);
    for (; code == 0; code = cursor.get(key, value, MDB_PREV)) {
      if (key.mv_size != 8) return failed(MDB_CORRUPTED);
      const std::uint64_t cost = cost_of(value.mv_size, kHeaderBytes);
      if (next_ && needed_ + cost > room) break;
      needed_ += cost;
      ++total_;
      next_ = libp2p::load_be64(as_view(key).data());
    }
    if (code != 0 && code != MDB_NOTFOUND) return failed(code);
    MDB_stat stat{};
    if (code = mdb_stat(old_.get(), old_blocks_, &stat); code != 0) return failed(code);
    done_.pruned = stat.ms_entries - total_;
    return {};
  }

  Result<void> check_room() {
    const std::uint64_t wanted = needed_ + needed_ / 16 + (1 << 20);
    std::uint64_t there = UINT64_MAX;
    if (config_.free_space) {
      there = config_.free_space();
    } else {
      std::error_code unknown;
      const auto space = std::filesystem::space(config_.folder, unknown);
      if (!unknown) there = space.available;
    }
    if (there >= wanted) return {};
    return errors_.with(Errc::exhausted,
                        "it has the format of an earlier version. To write it anew beside the old one takes about " +
                            std::to_string(wanted) + " bytes, and " + std::to_string(there) +
                            " are free on that disk. Make room, or give a smaller --store.max-size: the lowest blocks "
                            "are left out then. Nothing has been changed");
  }

  Result<void> create_tables() {
    LmdbScopedTxn txn(young_->get(), 0);
    int code = txn.code();
    if (code == 0) code = tables_.open(txn.get(), true);
    if (code != 0) return failed(code);
    LmdbTxn young(txn.get(), tables_, errors_);
    OPP2P_TRYV(young.put(Table::meta, libp2p::as_bytes(kFormatKey), libp2p::as_bytes(kFormat)));
    OPP2P_TRYV(young.put(Table::meta, libp2p::as_bytes(kChainKey), libp2p::as_bytes(chain_)));
    if (code = txn.commit(); code != 0) return failed(code);
    return {};
  }

  // From block `next_` on. What it has found counts once it is committed.
  Result<void> copy_batch() {
    while (true) {
      LmdbScopedTxn txn(young_->get(), 0);
      if (txn.code() != 0) return failed(txn.code());
      LmdbTxn young(txn.get(), tables_, errors_);
      Migration found = done_;
      ChainCosts costs = costs_;
      std::optional<BlockName> below = below_;
      const auto next = copy_blocks(young, found, below, costs);
      int code = young.code();
      if (!next && code != MDB_MAP_FULL) return next.error();
      if (next) code = txn.commit();
      if (code == MDB_MAP_FULL) {
        if (code = young_->resize(2 * young_->map_size()); code != 0) return failed(code);
        continue;
      }
      if (code != 0) return failed(code);
      done_ = found;
      below_ = below;
      costs_ = costs;
      next_ = *next;
      if (config_.migrating) config_.migrating({done_.blocks + done_.damaged, total_});
      return {};
    }
  }

  // Answers where the next batch begins.
  Result<std::optional<std::uint64_t>> copy_blocks(LmdbTxn& young, Migration& found, std::optional<BlockName>& below,
                                                   ChainCosts& costs) const {
    LmdbCursor cursor(old_.get(), old_blocks_);
    const NumberKey first = number_key(*next_);
    MDB_val key = as_value(first);
    MDB_val value{};
    std::uint64_t bytes = 0;
    std::uint64_t blocks = 0;
    int code = cursor.get(key, value, MDB_SET_RANGE);
    for (; code == 0; code = cursor.get(key, value, MDB_NEXT)) {
      if (key.mv_size != 8) return failed(MDB_CORRUPTED);
      const std::uint64_t number = libp2p::load_be64(as_view(key).data());
      if (bytes > kBatchBytes || blocks >= kBatchBlocks) {
        OPP2P_TRYV(young.put(Table::meta, libp2p::as_bytes(kCostsKey), encode_costs(costs)));
        return std::optional(number);
      }
      bytes += value.mv_size;
      ++blocks;
      auto block = decode_record(number, as_view(value));
      if (!block || block->bodiless) {
        ++found.damaged;
        continue;
      }
      OPP2P_TRYV(copy_block(young, *std::move(block), as_view(value), below, costs));
      ++found.blocks;
    }
    if (code != MDB_NOTFOUND) return failed(code);
    OPP2P_TRYV(young.put(Table::meta, libp2p::as_bytes(kCostsKey), encode_costs(costs)));
    return std::optional<std::uint64_t>();
  }

  static Result<void> copy_block(LmdbTxn& young, StoredBlock block, ByteView record, std::optional<BlockName>& below,
                                 ChainCosts& costs) {
    const BlockName name{block.number, block.hash};
    block.header = header_of(block);
    costs.canonical += cost_of(block);
    OPP2P_TRYV(young.put_record(name, record));
    OPP2P_TRYV(young.put(Table::headers, block_key(name), encode_block_entry(block)));
    OPP2P_TRYV(young.put(Table::hashes, name.hash, number_key(name.number)));
    OPP2P_TRYV(young.put(Table::canonical, number_key(name.number), name.hash));
    const bool follows = below && below->number + 1 == name.number && below->hash == block.parent_hash;
    if (!follows) OPP2P_TRYV(young.put(Table::segments, block_key(name), block.parent_hash));
    below = name;
    return {};
  }

  const LmdbStoreConfig& config_;
  const LmdbErrors& errors_;
  LmdbScopedTxn old_;
  MDB_dbi old_blocks_ = 0;
  std::string chain_;
  std::unique_ptr<LmdbEnvironment> young_;
  LmdbTables tables_;
  std::optional<std::uint64_t> next_;  // the number of the next block to be copied
  std::optional<BlockName> below_;     // the last one that was
  ChainCosts costs_;                   // of those that were
  std::uint64_t total_ = 0;            // blocks to be copied
  std::uint64_t needed_ = 0;           // bytes for them
  Migration done_;
};

}  // namespace

std::string text_of(const Migration& migration) {
  std::string out = "migrated from format 1 (" + std::to_string(migration.blocks) + " blocks";
  if (migration.pruned > 0) out += ", " + std::to_string(migration.pruned) + " left out for --store.max-size";
  if (migration.damaged > 0) out += ", " + std::to_string(migration.damaged) + " left out because they are damaged";
  return out + "); ";
}

Result<bool> has_format_1(LmdbEnvironment& environment, const LmdbErrors& errors) {
  const LmdbScopedTxn txn(environment.get(), MDB_RDONLY);
  MDB_dbi meta = 0;
  int code = txn.code();
  if (code == 0) code = mdb_dbi_open(txn.get(), "meta", 0, &meta);
  if (code == MDB_NOTFOUND || code == MDB_INCOMPATIBLE) return false;
  if (code != 0) return errors.failed(code, "opening");
  return meta_text(txn.get(), meta, kFormatKey) == kFormat1;
}

Result<Migration> migrate_format_1(const LmdbStoreConfig& config, const LmdbErrors& errors, LmdbEnvironment& old) {
  auto out = Migrator(config, errors, old).run();
  if (!out) LmdbEnvironment::remove_young(errors);
  return out;
}

}  // namespace opp2p
