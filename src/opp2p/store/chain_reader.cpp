#include "opp2p/store/chain_reader.hpp"

#include <algorithm>

namespace opp2p {

using opstack::sync::KnownBlock;

Error ChainReader::broken(const BlockName& name, std::string_view what) {
  return Error(Errc::malformed, "the tables of the block store contradict each other: block " +
                                    std::to_string(name.number) + " " + libp2p::to_hex0x(name.hash) + " " +
                                    std::string(what));
}

Result<std::optional<BlockEntry>> ChainReader::entry(const BlockName& name) const {
  OPP2P_TRY(const auto value, txn_.get(Table::headers, block_key(name)));
  if (!value) return std::optional<BlockEntry>();
  OPP2P_TRY(auto out, read_block_entry(*value));
  return std::optional<BlockEntry>(out);
}

Result<BlockEntry> ChainReader::entry_of(const BlockName& name) const {
  OPP2P_TRY(const auto out, entry(name));
  if (!out) return broken(name, "is not there");
  return *out;
}

Result<std::optional<BlockRef>> ChainReader::ref(const BlockName& name) const {
  OPP2P_TRY(const auto found, entry(name));
  if (!found) return std::optional<BlockRef>();
  return std::optional<BlockRef>(BlockRef{name.number, name.hash, found->parent_hash});
}

Result<std::optional<std::uint64_t>> ChainReader::number_of(const Hash& hash) const {
  OPP2P_TRY(const auto value, txn_.get(Table::hashes, hash));
  if (!value) return std::optional<std::uint64_t>();
  OPP2P_TRY(const auto number, read_number(*value));
  return std::optional<std::uint64_t>(number);
}

Result<std::optional<Hash>> ChainReader::canonical(std::uint64_t number) const {
  OPP2P_TRY(const auto value, txn_.get(Table::canonical, number_key(number)));
  if (!value) return std::optional<Hash>();
  OPP2P_TRY(const auto hash, read_hash(*value));
  return std::optional<Hash>(hash);
}

Result<bool> ChainReader::is_canonical(const BlockName& name) const {
  OPP2P_TRY(const auto hash, canonical(name.number));
  return hash == name.hash;
}

namespace {

Result<std::optional<BlockName>> canonical_name(const TableTxn::Found& found) {
  if (!found) return std::optional<BlockName>();
  BlockName out;
  OPP2P_TRY(out.number, read_number(found->key));
  OPP2P_TRY(out.hash, read_hash(found->value));
  return std::optional<BlockName>(out);
}

}  // namespace

Result<std::optional<BlockName>> ChainReader::head() const {
  OPP2P_TRY(const auto found, txn_.last(Table::canonical));
  return canonical_name(found);
}

Result<std::optional<BlockName>> ChainReader::lowest() const {
  OPP2P_TRY(const auto found, txn_.first(Table::canonical));
  return canonical_name(found);
}

Result<std::optional<OrphanEntry>> ChainReader::orphan(const BlockName& name) const {
  OPP2P_TRY(const auto value, txn_.get(Table::orphans, block_key(name)));
  if (!value) return std::optional<OrphanEntry>();
  OPP2P_TRY(const auto out, read_orphan(*value));
  return std::optional<OrphanEntry>(out);
}

Result<std::optional<Attestation>> ChainReader::attestation(const BlockName& name) const {
  OPP2P_TRY(const auto value, txn_.get(Table::signatures, block_key(name)));
  if (!value) return std::optional<Attestation>();
  OPP2P_TRY(auto out, read_attestation(*value));
  return std::optional<Attestation>(std::move(out));
}

Result<bool> ChainReader::is_denied(const Hash& hash) const {
  OPP2P_TRY(const auto value, txn_.get(Table::denied, hash));
  return value.has_value();
}

Result<std::optional<EraRecord>> ChainReader::last_era() const {
  OPP2P_TRY(const auto found, txn_.last(Table::eras));
  if (!found) return std::optional<EraRecord>();
  OPP2P_TRY(const auto out, read_era(found->key, found->value));
  return std::optional<EraRecord>(out);
}

Result<ChainCosts> ChainReader::costs() const {
  OPP2P_TRY(const auto value, txn_.get(Table::meta, libp2p::as_bytes(kCostsKey)));
  return value ? read_costs(*value) : ChainCosts{};
}

Result<Branch> ChainReader::branch_below(std::uint64_t number, const Hash& parent_hash) const {
  Branch out;
  out.missing = parent_hash;
  while (number > 0) {
    const BlockName below{--number, out.missing};
    OPP2P_TRY(const auto found, entry(below));
    if (!found) return out;
    OPP2P_TRY(const bool canonical_below, is_canonical(below));
    if (canonical_below) {
      out.fork = number;
      return out;
    }
    out.blocks.push_back(below);
    out.missing = found->parent_hash;
  }
  return out;
}

Result<std::vector<SegmentView>> ChainReader::segments() const {
  std::vector<SegmentView> out;
  OPP2P_TRY(auto found, txn_.first(Table::segments));
  while (found) {
    OPP2P_TRY(const auto name, read_block_key(found->key));
    SegmentView segment;
    OPP2P_TRY(const auto missing, read_hash(found->value));
    segment.lowest = {name.number, name.hash, missing};
    segment.is_base = out.empty();
    if (!out.empty()) {
      OPP2P_TRY(const auto below, txn_.before(Table::canonical, number_key(name.number)));
      OPP2P_TRY(const auto highest, canonical_name(below));
      if (!highest) return broken(name, "has a segment below it that has no block");
      out.back().highest = highest->number;
    }
    out.push_back(segment);
    OPP2P_TRY(found, txn_.after(Table::segments, block_key(name)));
  }
  OPP2P_TRY(const auto highest, head());
  if (highest.has_value() == out.empty()) return Error(Errc::malformed, "the canonical chain has no lowest block");
  if (highest) out.back().highest = highest->number;
  return out;
}

Result<SegmentView> ChainReader::segment_of(std::uint64_t number) const {
  Hash above;
  above.fill(0xff);
  OPP2P_TRY(auto found, txn_.at_or_after(Table::segments, block_key({number, above})));
  std::optional<std::uint64_t> next;
  if (found) {
    OPP2P_TRY(const auto name, read_block_key(found->key));
    next = name.number;
  }
  OPP2P_TRY(found, txn_.before(Table::segments, block_key({number, above})));
  if (!found) return Error(Errc::malformed, "block " + std::to_string(number) + " is in no segment");
  OPP2P_TRY(const auto name, read_block_key(found->key));
  SegmentView out;
  OPP2P_TRY(const auto missing, read_hash(found->value));
  out.lowest = {name.number, name.hash, missing};
  OPP2P_TRY(const auto lower, txn_.before(Table::segments, block_key(name)));
  out.is_base = !lower;
  OPP2P_TRY(const auto last, next ? txn_.before(Table::canonical, number_key(*next)) : txn_.last(Table::canonical));
  OPP2P_TRY(const auto highest, canonical_name(last));
  if (!highest) return broken(name, "is in a segment that has no block");
  out.highest = highest->number;
  return out;
}

Result<std::optional<StoredBlock>> ChainReader::as_stored(std::uint64_t number) const {
  OPP2P_TRY(const auto hash, canonical(number));
  if (!hash) return std::optional<StoredBlock>();
  OPP2P_TRY(auto out, txn_.block({number, *hash}, true));
  if (!out) return broken({number, *hash}, "is canonical and not there");
  if (out->bodiless) return std::optional<StoredBlock>();
  return out;
}

Result<std::optional<FoundBlock>> ChainReader::by_hash(const Hash& hash) const {
  OPP2P_TRY(const auto number, number_of(hash));
  if (!number) return std::optional<FoundBlock>();
  const BlockName name{*number, hash};
  OPP2P_TRY(auto block, txn_.block(name, true));
  if (!block) return broken(name, "is in the index of hashes and not there");
  FoundBlock out;
  out.block = std::move(*block);
  OPP2P_TRY(const auto value, txn_.get(Table::headers, block_key(name)));
  if (!value || value->size() < kBlockEntry) return broken(name, "has no header");
  if (value->size() > kBlockEntry) out.block.header = libp2p::share(libp2p::to_bytes(header_of_entry(*value)));
  OPP2P_TRY(const auto orphaned, orphan(name));
  if (orphaned) out.orphan = orphaned->reason;
  if (orphaned) out.orphaned = orphaned->since;
  OPP2P_TRY(out.attestation, attestation(name));
  return std::optional<FoundBlock>(std::move(out));
}

Result<StoreSummary> ChainReader::summary() const {
  StoreSummary out;
  OPP2P_TRY(out.blocks, txn_.entries(Table::canonical));
  OPP2P_TRY(out.orphans, txn_.entries(Table::orphans));
  OPP2P_TRY(out.bytes, txn_.bytes());
  OPP2P_TRY(out.segments, segments());
  OPP2P_TRY(const auto top, head());
  if (!top) return out;
  OPP2P_TRY(out.head, txn_.block(*top, false));
  if (!out.head) return broken(*top, "is the head and not there");
  OPP2P_TRY(auto bottom, lowest());
  OPP2P_TRY(const auto bottom_entry, entry_of(*bottom));
  if (bottom_entry.bodiless) {
    --out.blocks;
    OPP2P_TRY(const auto next, txn_.after(Table::canonical, number_key(bottom->number)));
    OPP2P_TRY(bottom, canonical_name(next));
  }
  if (bottom) out.lowest = bottom->number;
  return out;
}

// Where a range begins: at `from`, or at the lowest block when that is above it.
Result<std::optional<std::uint64_t>> ChainReader::first_of_range(std::uint64_t from,
                                                                 const std::optional<Hash>& after) const {
  OPP2P_TRY(const auto found, txn_.at_or_after(Table::canonical, number_key(from)));
  OPP2P_TRY(const auto first, canonical_name(found));
  if (!first || first->number == from) return first ? std::optional(from) : std::nullopt;
  if (after) return std::optional<std::uint64_t>();
  OPP2P_TRY(const auto below, txn_.before(Table::canonical, number_key(first->number)));
  return below ? std::nullopt : std::optional(first->number);
}

Result<std::vector<StoredBlock>> ChainReader::range(std::uint64_t from, std::uint64_t to, std::size_t most,
                                                    bool with_bodies, const std::optional<Hash>& after) const {
  std::vector<StoredBlock> out;
  OPP2P_TRY(const auto first, first_of_range(from, after));
  if (!first) return out;
  std::optional<Hash> below = after;
  std::uint64_t number = *first;
  OPP2P_TRY(auto found, txn_.at_or_after(Table::canonical, number_key(number)));
  while (found && out.size() < most && number <= to) {
    OPP2P_TRY(const auto name, canonical_name(found));
    if (name->number != number) break;
    OPP2P_TRY(const auto value, txn_.get(Table::headers, block_key(*name)));
    if (!value) return broken(*name, "is canonical and not there");
    OPP2P_TRY(const auto fields, read_block_entry(*value));
    if (below && fields.parent_hash != *below) break;  // a hole without a height, or another chain by now
    below = name->hash;
    if (!fields.bodiless) {
      StoredBlock block;
      if (with_bodies) {
        OPP2P_TRY(auto stored, txn_.block(*name, true));
        if (!stored) return broken(*name, "is canonical and not there");
        OPP2P_TRY(block, unframed(std::move(*stored)));
      } else {
        block.number = number;
        block.hash = name->hash;
        block.parent_hash = fields.parent_hash;
        block.timestamp = fields.timestamp;
        block.version = fields.version;
        if (value->size() > kBlockEntry) block.header = libp2p::share(libp2p::to_bytes(header_of_entry(*value)));
      }
      out.push_back(std::move(block));
    }
    if (number++ == UINT64_MAX) break;
    OPP2P_TRY(found, txn_.after(Table::canonical, number_key(name->number)));
  }
  return out;
}

Result<KnownBlock> ChainReader::known(const BlockName& name) const {
  OPP2P_TRY(const auto fields, entry_of(name));
  KnownBlock out;
  out.ref = {name.number, name.hash, fields.parent_hash};
  out.timestamp = fields.timestamp;
  OPP2P_TRY(out.attestation, attestation(name));
  OPP2P_TRY(const auto orphaned, orphan(name));
  if (orphaned) {
    out.orphan = orphaned->reason;
  }
  return out;
}

// But for those that a rewind took from the chain: in memory they would be tips, and the head again at once.
Result<std::vector<KnownBlock>> ChainReader::newest_orphans(std::size_t most) const {
  std::vector<KnownBlock> out;
  OPP2P_TRY(auto found, txn_.last(Table::orphan_ages));
  while (found && out.size() < most) {
    OPP2P_TRY(const auto age, read_age_key(found->key));
    OPP2P_TRY(auto block, known(age.second));
    if (block.orphan != OrphanReason::rewound) out.push_back(std::move(block));
    OPP2P_TRY(found, txn_.before(Table::orphan_ages, age_key(age.first, age.second)));
  }
  std::sort(out.begin(), out.end(), [](const KnownBlock& a, const KnownBlock& b) {
    return std::pair(a.ref.number, a.ref.hash) < std::pair(b.ref.number, b.ref.hash);
  });
  return out;
}

// Blocks that went at one time stand together in the table of ages, by number.
Result<std::vector<opstack::sync::ForkRecord>> ChainReader::forks_since(UnixTime since) const {
  std::vector<opstack::sync::ForkRecord> out;
  OPP2P_TRY(auto found, txn_.at_or_after(Table::orphan_ages, age_key(since, {})));
  while (found) {
    OPP2P_TRY(const auto age, read_age_key(found->key));
    OPP2P_TRY(const auto entry, orphan(age.second));
    if (!entry) return broken(age.second, "has the age of an orphan that it is not");
    const bool left = entry->reason != OrphanReason::waiting && entry->reason != OrphanReason::rewound;
    if (left && (out.empty() || out.back().at != age.first)) out.push_back({age.first, age.second.number});
    OPP2P_TRY(found, txn_.after(Table::orphan_ages, age_key(age.first, age.second)));
  }
  return out;
}

Result<ChainView> ChainReader::view(std::size_t window, UnixTime now) const {
  ChainView out;
  OPP2P_TRY(out.segments, segments());
  OPP2P_TRY(const auto top, head());
  if (top) {
    OPP2P_TRY(out.head, ref(*top));
  }
  OPP2P_TRY(auto found, txn_.last(Table::canonical));
  while (found && out.recent.size() < window) {
    OPP2P_TRY(const auto name, canonical_name(found));
    OPP2P_TRY(auto block, known(*name));
    out.recent.push_back(std::move(block));
    OPP2P_TRY(found, txn_.before(Table::canonical, number_key(name->number)));
  }
  std::reverse(out.recent.begin(), out.recent.end());
  OPP2P_TRY(auto orphans, newest_orphans(window));
  std::move(orphans.begin(), orphans.end(), std::back_inserter(out.recent));
  OPP2P_TRY(out.forks, forks_since(std::max(now - opstack::sync::kForksTold, UnixTime{})));
  OPP2P_TRY(found, txn_.first(Table::eras));
  while (found) {
    OPP2P_TRY(const auto era, read_era(found->key, found->value));
    out.eras.push_back(era);
    libp2p::ByteArray<4> key;
    libp2p::store_be32(key.data(), era.era);
    OPP2P_TRY(found, txn_.after(Table::eras, key));
  }
  OPP2P_TRY(found, txn_.first(Table::denied));
  while (found) {
    OPP2P_TRY(const auto hash, read_hash(found->key));
    out.denied.push_back(hash);
    const Era era = found->value.size() == 4 ? libp2p::load_le32(found->value.data()) : 0;
    out.denied_era = std::max(out.denied_era.value_or(era), era);
    OPP2P_TRY(found, txn_.after(Table::denied, hash));
  }
  return out;
}

Result<Descent> ChainReader::descend(const BlockRef& from) const {
  const BlockName top{from.number, from.hash};
  OPP2P_TRY(const auto start, ref(top));
  if (!start) return Error(Errc::not_found, "block " + std::to_string(from.number) + " is not in the store");
  Descent out;
  out.lowest = *start;
  OPP2P_TRY(const bool on_chain, is_canonical(top));
  if (on_chain) {
    out.canonical = top.number;
  } else {
    OPP2P_TRY(const auto branch, branch_below(start->number, start->parent_hash));
    out.canonical = branch.fork;
    if (!branch.blocks.empty()) {
      const BlockName& last = branch.blocks.back();
      out.lowest = {last.number, last.hash, branch.missing};
    }
  }
  if (!out.canonical) return out;
  OPP2P_TRY(const auto segment, segment_of(*out.canonical));
  out.lowest = segment.lowest;
  out.is_base = segment.is_base;
  return out;
}

}  // namespace opp2p
