#include "opp2p/store/chain_writer.hpp"

#include <algorithm>

namespace opp2p {
namespace {

std::string title(std::uint64_t number) { return "block " + std::to_string(number); }

}  // namespace

// ---- keep ----

Result<KeptBlock> ChainWriter::keep(const StoredBlock& block, const std::optional<Attestation>& attestation,
                                    bool extends_head) {
  const BlockName name{block.number, block.hash};
  OPP2P_TRY(const bool denied, is_denied(block.hash));
  if (denied) return Error(Errc::denied, title(block.number) + " is denied by the operator (opp2p db rewind --deny)");
  OPP2P_TRY(const auto top, head());
  const bool is_next = !top || (block.number == top->number + 1 && block.parent_hash == top->hash);
  OPP2P_TRY(const auto known, number_of(block.hash));
  if (known && *known != block.number)
    return Error(Errc::mismatch, title(block.number) + " has the hash of " + title(*known));
  if (known) return keep_again(block, attestation, extends_head, is_next);
  if (extends_head && !is_next)
    return Error(Errc::mismatch,
                 title(block.number) + " does not connect to the head of the store, " + title(top->number));
  if (extends_head && top) return extend(block, attestation);
  OPP2P_TRY(const auto upper, segment_above(name));
  KeptBlock out;
  OPP2P_TRY(out.parent_there, has_parent(block));
  out.canonical = extends_head || upper;
  Branch branch;
  if (out.canonical) {  // else the walk would cost more with each block of a long branch
    OPP2P_TRY(branch, branch_below(block.number, block.parent_hash));
  }

  OPP2P_TRYV(insert(block));
  if (attestation) OPP2P_TRYV(txn_.put(Table::signatures, block_key(name), encode_attestation(*attestation)));
  OPP2P_TRY(const auto since, join_waiting_above(name));
  if (out.canonical) {
    if (upper) {
      OPP2P_TRYV(txn_.erase(Table::segments, block_key(*upper)));
    }
    branch.blocks.insert(branch.blocks.begin(), name);
    if (upper) OPP2P_TRYV(find_displaced(branch, out));
    OPP2P_TRYV(adopt(branch, OrphanReason::joined));
    OPP2P_TRY(out.segments, segments());
  } else {
    OPP2P_TRYV(add_orphan(name, {since.value_or(now_), OrphanReason::waiting}));
    if (!out.parent_there) OPP2P_TRYV(txn_.put(Table::waiting, block_key(name), block.parent_hash));
  }
  return out;
}

// A new block on the head. What keep() asks for in general is known here: its parent, that nothing is above it, and
// that it is no orphan.
Result<KeptBlock> ChainWriter::extend(const StoredBlock& block, const std::optional<Attestation>& attestation) {
  const BlockName name{block.number, block.hash};
  OPP2P_TRYV(insert(block));
  if (attestation) OPP2P_TRYV(txn_.put(Table::signatures, block_key(name), encode_attestation(*attestation)));
  OPP2P_TRYV(join_waiting_above(name));
  OPP2P_TRYV(txn_.put(Table::canonical, number_key(block.number), block.hash));
  OPP2P_TRYV(count(&ChainCosts::canonical, Count::add, cost_of(block)));
  KeptBlock out;
  out.parent_there = true;
  out.canonical = true;
  return out;
}

Result<KeptBlock> ChainWriter::keep_again(const StoredBlock& block, const std::optional<Attestation>& attestation,
                                          bool extends_head, bool is_next) {
  const BlockName name{block.number, block.hash};
  KeptBlock out;
  out.was_there = true;
  OPP2P_TRY(out.canonical, is_canonical(name));
  OPP2P_TRY(out.parent_there, has_parent(block));
  if (extends_head && !out.canonical) {
    if (!is_next) return Error(Errc::mismatch, title(block.number) + " is stored and does not connect to the head");
    OPP2P_TRY(Branch branch, branch_below(block.number, block.parent_hash));
    branch.blocks.insert(branch.blocks.begin(), name);
    OPP2P_TRYV(adopt(branch, OrphanReason::joined));
    OPP2P_TRY(out.segments, segments());
    out.canonical = true;
  }
  OPP2P_TRYV(count_again(name));
  if (!attestation) return out;
  OPP2P_TRY(const auto signed_before, this->attestation(name));
  if (!signed_before || signed_before->era < attestation->era)
    OPP2P_TRYV(txn_.put(Table::signatures, block_key(name), encode_attestation(*attestation)));
  return out;
}

// A block that a rewind took from the chain has come anew: from now on it waits as any other (ChainReader::view).
Result<void> ChainWriter::count_again(const BlockName& name) {
  OPP2P_TRY(const auto before, orphan(name));
  if (!before || before->reason != OrphanReason::rewound) return {};
  OPP2P_TRYV(forget_orphan(name));
  return add_orphan(name, {now_, OrphanReason::waiting});
}

Result<void> ChainWriter::insert(const StoredBlock& block) {
  const BlockName name{block.number, block.hash};
  OPP2P_TRYV(txn_.put_block(block));
  OPP2P_TRYV(txn_.put(Table::headers, block_key(name), encode_block_entry(block)));
  return txn_.put(Table::hashes, block.hash, number_key(block.number));
}

Result<bool> ChainWriter::has_parent(const StoredBlock& block) const {
  if (block.number == 0) return false;
  OPP2P_TRY(const auto parent, entry({block.number - 1, block.parent_hash}));
  return parent.has_value();
}

// The canonical block whose missing parent this is.
Result<std::optional<BlockName>> ChainWriter::segment_above(const BlockName& name) const {
  if (name.number == UINT64_MAX) return std::optional<BlockName>();
  OPP2P_TRY(const auto hash, canonical(name.number + 1));
  if (!hash) return std::optional<BlockName>();
  const BlockName upper{name.number + 1, *hash};
  OPP2P_TRY(const auto missing, txn_.get(Table::segments, block_key(upper)));
  if (!missing || !libp2p::equal(*missing, name.hash)) return std::optional<BlockName>();
  return std::optional<BlockName>(upper);
}

// Blocks that are not canonical and whose missing parent this is have it now. Answers since when the newest of them is
// stored: the parent counts as being as old. So of a branch that is fetched downwards the lowest blocks are the first
// to go, and not those that it is fetched for.
Result<std::optional<UnixTime>> ChainWriter::join_waiting_above(const BlockName& name) {
  std::optional<UnixTime> newest;
  if (name.number == UINT64_MAX) return newest;
  BlockKey at = block_key({name.number + 1, Hash{}});
  OPP2P_TRY(auto found, txn_.at_or_after(Table::waiting, at));
  while (found) {
    OPP2P_TRY(const auto child, read_block_key(found->key));
    if (child.number != name.number + 1) return newest;
    at = block_key(child);
    if (libp2p::equal(found->value, name.hash)) {
      OPP2P_TRYV(txn_.erase(Table::waiting, at));
      OPP2P_TRY(const auto fields, orphan(child));
      if (!fields) return broken(child, "waits for its parent and is no orphan");
      newest = std::max(newest.value_or(fields->since), fields->since);
    }
    OPP2P_TRY(found, txn_.after(Table::waiting, at));
  }
  return newest;
}

// A denied block is not stored: what descends from it lacks it.
Result<void> ChainWriter::refuse_below_denied(const Branch& branch) const {
  if (branch.fork) return {};
  OPP2P_TRY(const bool denied, is_denied(branch.missing));
  if (denied) return Error(Errc::denied, "the branch descends from a block that is denied by the operator");
  return {};
}

// ---- the canonical chain ----

// What of the canonical chain adopt() will replace: the blocks above the fork, up to the height of the branch.
Result<void> ChainWriter::find_displaced(const Branch& branch, KeptBlock& out) const {
  for (const auto& name : branch.blocks) {
    OPP2P_TRY(const auto other, canonical(name.number));
    if (!other) continue;
    const BlockName gone{name.number, *other};
    if (out.displaced++ == 0) {
      OPP2P_TRY(const auto highest, ref(gone));
      if (!highest) return broken(gone, "is canonical and not there");
      out.highest_displaced = *highest;
    }
    out.fork = name.number > 0 ? name.number - 1 : 0;
  }
  return {};
}

// Makes the blocks of a branch canonical, whatever else is at their heights.
Result<void> ChainWriter::adopt(const Branch& branch, OrphanReason displaced) {
  for (const auto& name : branch.blocks) {
    OPP2P_TRY(const auto other, canonical(name.number));
    if (other) OPP2P_TRYV(drop_canonical({name.number, *other}, displaced));
    OPP2P_TRYV(txn_.put(Table::canonical, number_key(name.number), name.hash));
    OPP2P_TRY(const auto fields, entry_of(name));
    OPP2P_TRYV(count(&ChainCosts::canonical, Count::add, fields.cost));
    OPP2P_TRYV(forget_orphan(name));
  }
  if (branch.fork || branch.blocks.empty()) return {};
  const BlockKey lowest_key = block_key(branch.blocks.back());
  OPP2P_TRYV(txn_.erase(Table::waiting, lowest_key));
  return txn_.put(Table::segments, lowest_key, branch.missing);
}

Result<void> ChainWriter::drop_canonical(const BlockName& name, OrphanReason reason) {
  OPP2P_TRYV(txn_.erase(Table::canonical, number_key(name.number)));
  OPP2P_TRY(const auto fields, entry_of(name));
  OPP2P_TRYV(count(&ChainCosts::canonical, Count::remove, fields.cost));
  OPP2P_TRY(const auto missing, txn_.get(Table::segments, block_key(name)));
  if (missing) {
    OPP2P_TRY(const auto hash, read_hash(*missing));
    OPP2P_TRYV(txn_.erase(Table::segments, block_key(name)));
    OPP2P_TRYV(txn_.put(Table::waiting, block_key(name), hash));
  }
  return add_orphan(name, {now_, reason});
}

Result<void> ChainWriter::add_orphan(const BlockName& name, const OrphanEntry& entry) {
  OPP2P_TRY(const auto fields, entry_of(name));
  OPP2P_TRYV(txn_.put(Table::orphans, block_key(name), encode_orphan(entry)));
  OPP2P_TRYV(txn_.put(Table::orphan_ages, age_key(entry.since, name), {}));
  return count(&ChainCosts::others, Count::add, fields.cost);
}

Result<void> ChainWriter::forget_orphan(const BlockName& name) {
  OPP2P_TRY(const auto before, orphan(name));
  if (!before) return {};
  OPP2P_TRY(const auto fields, entry_of(name));
  OPP2P_TRYV(txn_.erase(Table::orphans, block_key(name)));
  OPP2P_TRYV(txn_.erase(Table::orphan_ages, age_key(before->since, name)));
  return count(&ChainCosts::others, Count::remove, fields.cost);
}

Result<void> ChainWriter::load_costs() {
  if (costs_) return {};
  OPP2P_TRY(costs_, costs());
  return {};
}

Result<void> ChainWriter::count(std::uint64_t ChainCosts::* which, Count what, std::uint64_t cost) {
  OPP2P_TRYV(load_costs());
  std::uint64_t& counted = (*costs_).*which;
  if (what == Count::remove && counted < cost) return Error(Errc::malformed, "the costs of the blocks are miscounted");
  counted = what == Count::add ? counted + cost : counted - cost;
  return {};
}

Result<std::vector<BlockName>> ChainWriter::canonical_from(std::uint64_t number) const {
  std::vector<BlockName> out;
  OPP2P_TRY(auto found, txn_.at_or_after(Table::canonical, number_key(number)));
  while (found) {
    BlockName name;
    OPP2P_TRY(name.number, read_number(found->key));
    OPP2P_TRY(name.hash, read_hash(found->value));
    out.push_back(name);
    OPP2P_TRY(found, txn_.after(Table::canonical, number_key(name.number)));
  }
  return out;
}

// Another block at the height of the safe one, as far as the store can tell.
Result<void> ChainWriter::check_safe(const Branch& branch, std::uint64_t to, const BlockRef& safe) const {
  const auto other = [&] {
    return Error(Errc::mismatch, "the branch has another block than safe " + title(safe.number));
  };
  if (to < safe.number) return Error(Errc::mismatch, "the branch ends below safe " + title(safe.number));
  for (const auto& name : branch.blocks)
    if (name.number == safe.number) return name.hash == safe.hash ? Result<void>() : other();
  if (!branch.fork) return {};
  OPP2P_TRY(const auto hash, canonical(safe.number));
  return hash && *hash != safe.hash ? other() : Result<void>();
}

// A signature may have been lost that came after its block was stored: after a restart another branch would be better.
Result<void> ChainWriter::check_signed(const BlockName& name, Era era) const {
  OPP2P_TRY(const auto found, attestation(name));
  if (found && found->era == era) return {};
  return Error(Errc::mismatch, title(name.number) + " is stored " +
                                   (found ? "with a signature of another era" : "without its signature"));
}

Result<MovedHead> ChainWriter::move_head(const HeadMove& move) {
  const BlockName target{move.to.number, move.to.hash};
  OPP2P_TRY(const auto to, ref(target));
  if (!to) return Error(Errc::mismatch, title(target.number) + " is not in the store and cannot become its head");
  Branch branch;
  OPP2P_TRY(const bool on_chain, is_canonical(target));
  if (on_chain) {
    branch.fork = target.number;
  } else {
    OPP2P_TRY(branch, branch_below(to->number, to->parent_hash));
    branch.blocks.insert(branch.blocks.begin(), target);
  }
  OPP2P_TRYV(refuse_below_denied(branch));
  if (move.joined && !branch.fork)
    return Error(Errc::mismatch, title(target.number) + " does not descend from a canonical block: the parent of " +
                                     title(branch.blocks.back().number) + " is missing");
  if (move.signed_in) OPP2P_TRYV(check_signed(target, *move.signed_in));
  if (move.safe) OPP2P_TRYV(check_safe(branch, target.number, *move.safe));

  MovedHead out;
  out.to = *to;
  out.fork = branch.fork;
  OPP2P_TRY(const auto top, head());
  if (top) {
    OPP2P_TRY(const auto from, ref(*top));
    if (!from) return broken(*top, "is the head and not there");
    out.from = *from;
  }
  // The fork is below UINT64_MAX where anything is above it.
  if (!branch.fork || *branch.fork < UINT64_MAX) {
    OPP2P_TRY(const auto gone, canonical_from(branch.fork ? *branch.fork + 1 : branch.blocks.back().number));
    for (const auto& name : gone) OPP2P_TRYV(drop_canonical(name, move.reason));
    out.depth = gone.size();
  }
  OPP2P_TRYV(adopt(branch, move.reason));
  OPP2P_TRY(out.segments, segments());
  return out;
}

Result<Rewound> ChainWriter::rewind(std::uint64_t to, const std::optional<Hash>& deny) {
  OPP2P_TRY(const auto hash, canonical(to));
  if (!hash) return Error(Errc::not_found, title(to) + " is not in the canonical chain of this store");
  if (deny) {
    OPP2P_TRY(const auto number, number_of(*deny));
    if (number && *number <= to) {
      OPP2P_TRY(const bool stays, is_canonical({*number, *deny}));
      if (stays)
        return Error(Errc::invalid_argument, "the block to be denied, " + title(*number) +
                                                 ", would stay in the chain: rewind to a block below it");
    }
  }
  HeadMove move;
  move.to = {to, *hash, {}};
  move.reason = OrphanReason::rewound;
  OPP2P_TRY(const auto moved, move_head(move));
  if (deny) {
    OPP2P_TRY(const auto era, last_era());
    libp2p::ByteArray<4> bytes;
    libp2p::store_le32(bytes.data(), era ? era->era : 0);
    OPP2P_TRYV(txn_.put(Table::denied, *deny, bytes));
    OPP2P_TRY(const auto number, number_of(*deny));
    if (number) OPP2P_TRYV(remove({*number, *deny}));
  }
  return Rewound{moved.from, moved.to, moved.depth};
}

Result<std::uint64_t> ChainWriter::allow(const Hash& hash) {
  OPP2P_TRY(const bool denied, is_denied(hash));
  if (!denied) return Error(Errc::not_found, "block " + libp2p::to_hex0x(hash) + " is not denied");
  OPP2P_TRYV(txn_.erase(Table::denied, hash));
  return txn_.entries(Table::denied);
}

// ---- eras and genesis ----

Result<EraRecord> ChainWriter::open_era(const opstack::rules::Address& signer, UnixTime now) {
  OPP2P_TRY(const auto last, last_era());
  if (last && last->signer == signer) return *last;
  EraRecord out;
  out.era = last ? last->era + 1 : 1;
  out.signer = signer;
  out.opened = now;
  libp2p::ByteArray<4> key;
  libp2p::store_be32(key.data(), out.era);
  OPP2P_TRYV(txn_.put(Table::eras, key, encode_era(out)));
  return out;
}

Result<KeptBlock> ChainWriter::start_at(const BlockRef& genesis, std::uint64_t timestamp) {
  OPP2P_TRY(const auto bottom, lowest());
  const BlockName name{genesis.number, genesis.hash};
  if (bottom && *bottom != name)
    return Error(Errc::mismatch, "the store begins with " + title(bottom->number) + " already");
  StoredBlock block;
  block.number = genesis.number;
  block.hash = genesis.hash;
  block.parent_hash = genesis.parent_hash;
  block.timestamp = timestamp;
  block.bodiless = true;
  return keep(block, std::nullopt, true);
}

}  // namespace opp2p
