// What ChainWriter removes when the budget is used up (block_store.hpp, "Budget").
#include "opp2p/store/chain_writer.hpp"

namespace opp2p {

Result<Pruned> ChainWriter::enforce_budget() {
  Pruned out;
  const auto remove_orphan = [&](const BlockName& name) -> Result<void> {
    OPP2P_TRY(const auto gone, ref(name));
    if (!gone) return broken(name, "is an orphan and not there");
    out.orphans.push_back(*gone);
    ++out.blocks;
    return remove(name);
  };
  while (true) {
    OPP2P_TRY(const auto oldest, oldest_orphan(now_ - kOrphanLife));
    if (!oldest) break;
    OPP2P_TRYV(remove_orphan(*oldest));
  }
  OPP2P_TRYV(load_costs());
  while (budget_ != 0 && costs_->others > orphan_share(budget_)) {
    OPP2P_TRY(const auto oldest, oldest_orphan(std::nullopt));
    if (!oldest) return Error(Errc::malformed, "the costs of the blocks are miscounted");
    OPP2P_TRYV(remove_orphan(*oldest));
  }
  OPP2P_TRYV(prune_canonical(out));
  OPP2P_TRY(const auto before, costs());
  if (*costs_ != before) OPP2P_TRYV(txn_.put(Table::meta, libp2p::as_bytes(kCostsKey), encode_costs(*costs_)));
  return out;
}

Result<void> ChainWriter::prune_canonical(Pruned& out) {
  const std::uint64_t before = out.blocks;
  while (budget_ != 0 && costs_->canonical > chain_share(budget_)) {
    OPP2P_TRY(const auto bottom, lowest());
    OPP2P_TRY(const auto top, head());
    if (!top) return Error(Errc::malformed, "the costs of the blocks are miscounted");
    if (bottom == top) break;  // the head stays, however large
    OPP2P_TRY(const auto gone, ref(*bottom));
    if (!gone) return broken(*bottom, "is canonical and not there");
    out.canonical.push_back(*gone);
    ++out.blocks;
    OPP2P_TRYV(remove(*bottom));
  }
  if (out.blocks == before) return {};
  OPP2P_TRY(out.segments, segments());
  if (out.segments.empty()) return Error(Errc::malformed, "the canonical chain has lost its head");
  return {};
}

Result<std::optional<BlockName>> ChainWriter::oldest_orphan(std::optional<UnixTime> until) const {
  OPP2P_TRY(const auto found, txn_.first(Table::orphan_ages));
  if (!found) return std::optional<BlockName>();
  OPP2P_TRY(const auto age, read_age_key(found->key));
  if (until && age.first > *until) return std::optional<BlockName>();
  return std::optional<BlockName>(age.second);
}

Result<void> ChainWriter::remove(const BlockName& name) {
  OPP2P_TRY(const bool on_chain, is_canonical(name));
  if (on_chain) {
    OPP2P_TRY(const auto fields, entry_of(name));
    OPP2P_TRYV(count(&ChainCosts::canonical, Count::remove, fields.cost));
    OPP2P_TRYV(txn_.erase(Table::canonical, number_key(name.number)));
    OPP2P_TRYV(txn_.erase(Table::segments, block_key(name)));
  } else {
    OPP2P_TRYV(forget_orphan(name));
    OPP2P_TRYV(txn_.erase(Table::waiting, block_key(name)));
  }
  OPP2P_TRYV(txn_.erase_block(name));
  OPP2P_TRYV(txn_.erase(Table::headers, block_key(name)));
  OPP2P_TRYV(txn_.erase(Table::signatures, block_key(name)));
  OPP2P_TRYV(txn_.erase(Table::hashes, name.hash));
  return orphan_children(name);
}

// The parent of a block's children is missing from now on.
Result<void> ChainWriter::orphan_children(const BlockName& name) {
  if (name.number == UINT64_MAX) return {};
  OPP2P_TRY(auto found, txn_.at_or_after(Table::headers, block_key({name.number + 1, Hash{}})));
  while (found) {
    OPP2P_TRY(const auto child, read_block_key(found->key));
    if (child.number != name.number + 1) return {};
    OPP2P_TRY(const auto fields, read_block_entry(found->value));
    if (fields.parent_hash == name.hash) {
      OPP2P_TRY(const bool on_chain, is_canonical(child));
      OPP2P_TRYV(txn_.put(on_chain ? Table::segments : Table::waiting, block_key(child), name.hash));
    }
    OPP2P_TRY(found, txn_.after(Table::headers, block_key(child)));
  }
  return {};
}

}  // namespace opp2p
