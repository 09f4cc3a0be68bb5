// What the tables of the block store say about the chain, in one transaction. The rules that change it are in
// chain_writer.hpp. Errc::malformed when the tables contradict each other. Owner: who holds the transaction. Thread:
// that of the transaction. Bounds: a walk visits each block of a branch once.
#pragma once

#include <vector>

#include "opp2p/store/block_store.hpp"
#include "opp2p/store/table_txn.hpp"

namespace opp2p {

// The blocks of a branch that are not canonical, from the top downwards, and where it ends.
struct Branch {
  std::vector<BlockName> blocks;
  std::optional<std::uint64_t> fork;  // the canonical block below them; none: the parent of the lowest one is missing
  Hash missing{};                     // that parent, or the one of the block that the walk began with
};

constexpr std::uint64_t orphan_share(std::uint64_t budget) { return budget / 4; }
constexpr std::uint64_t chain_share(std::uint64_t budget) { return budget - orphan_share(budget); }

class ChainReader {
 public:
  explicit ChainReader(const TableTxn& txn) : txn_(txn) {}

  Result<std::optional<BlockEntry>> entry(const BlockName& name) const;
  Result<std::optional<BlockRef>> ref(const BlockName& name) const;
  Result<std::optional<std::uint64_t>> number_of(const Hash& hash) const;
  Result<std::optional<Hash>> canonical(std::uint64_t number) const;
  Result<bool> is_canonical(const BlockName& name) const;
  Result<std::optional<BlockName>> head() const;
  Result<std::optional<BlockName>> lowest() const;
  Result<std::optional<OrphanEntry>> orphan(const BlockName& name) const;
  Result<std::optional<Attestation>> attestation(const BlockName& name) const;
  Result<bool> is_denied(const Hash& hash) const;
  Result<std::optional<EraRecord>> last_era() const;
  Result<ChainCosts> costs() const;

  // From the parent of a block downwards.
  Result<Branch> branch_below(std::uint64_t number, const Hash& parent_hash) const;
  Result<std::vector<SegmentView>> segments() const;
  // The segment that holds canonical block `number`.
  Result<SegmentView> segment_of(std::uint64_t number) const;

  Result<std::optional<StoredBlock>> as_stored(std::uint64_t number) const;
  Result<std::optional<FoundBlock>> by_hash(const Hash& hash) const;
  Result<StoreSummary> summary() const;
  // At most `most` canonical blocks from `from` to `to`, the rest of a range that began with the child of `after`.
  Result<std::vector<StoredBlock>> range(std::uint64_t from, std::uint64_t to, std::size_t most, bool with_bodies,
                                         const std::optional<Hash>& after) const;
  // Without the orphans of a rewind, which are no candidates until they come anew.
  Result<ChainView> view(std::size_t window, UnixTime now) const;
  Result<Descent> descend(const BlockRef& from) const;

 protected:
  static Error broken(const BlockName& name, std::string_view what);
  // An entry that must be there.
  Result<BlockEntry> entry_of(const BlockName& name) const;

 private:
  Result<opstack::sync::KnownBlock> known(const BlockName& name) const;
  Result<std::vector<opstack::sync::KnownBlock>> newest_orphans(std::size_t most) const;
  Result<std::vector<opstack::sync::ForkRecord>> forks_since(UnixTime since) const;
  Result<std::optional<std::uint64_t>> first_of_range(std::uint64_t from, const std::optional<Hash>& after) const;

  const TableTxn& txn_;
};

}  // namespace opp2p
