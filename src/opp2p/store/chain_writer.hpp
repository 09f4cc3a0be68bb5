// The rules by which the block store changes, in one transaction: docs/fork-choice.md. A function that refuses says so
// before it has changed anything; an error after a change (TableTxn::changes() tells) means that the transaction must
// be aborted. Bodies are written once and never moved: what makes a block canonical, or an orphan, is in the small
// tables.
//
// Owner: who holds the transaction. Thread: that of the transaction. Bounds: a walk visits each block of a branch once.
#pragma once

#include "opp2p/store/chain_reader.hpp"

namespace opp2p {

class ChainWriter : public ChainReader {
 public:
  static constexpr auto kOrphanLife = std::chrono::hours(24);

  // `budget` 0: no limit of bytes. `now` is when what becomes an orphan here does.
  ChainWriter(TableTxn& txn, std::uint64_t budget, UnixTime now)
      : ChainReader(txn), txn_(txn), budget_(budget), now_(now) {}

  Result<KeptBlock> keep(const StoredBlock& block, const std::optional<Attestation>& attestation, bool extends_head);
  Result<MovedHead> move_head(const HeadMove& move);
  Result<EraRecord> open_era(const opstack::rules::Address& signer, UnixTime now);
  Result<KeptBlock> start_at(const BlockRef& genesis, std::uint64_t timestamp);
  Result<Rewound> rewind(std::uint64_t to, const std::optional<Hash>& deny);
  // Answers how many blocks are still denied. Errc::not_found when this one is not.
  Result<std::uint64_t> allow(const Hash& hash);

  // Removes what is too old and what goes above the budget. Called once, at the end: it writes the costs too.
  Result<Pruned> enforce_budget();
  std::uint64_t budget() const { return budget_; }

 private:
  Result<KeptBlock> extend(const StoredBlock& block, const std::optional<Attestation>& attestation);
  Result<KeptBlock> keep_again(const StoredBlock& block, const std::optional<Attestation>& attestation,
                               bool extends_head, bool is_next);
  Result<void> count_again(const BlockName& name);
  Result<void> insert(const StoredBlock& block);
  Result<bool> has_parent(const StoredBlock& block) const;
  Result<std::optional<BlockName>> segment_above(const BlockName& name) const;
  Result<std::optional<UnixTime>> join_waiting_above(const BlockName& name);
  Result<void> refuse_below_denied(const Branch& branch) const;
  Result<void> check_signed(const BlockName& name, Era era) const;
  Result<void> check_safe(const Branch& branch, std::uint64_t to, const BlockRef& safe) const;
  Result<std::vector<BlockName>> canonical_from(std::uint64_t number) const;

  Result<void> find_displaced(const Branch& branch, KeptBlock& out) const;
  Result<void> adopt(const Branch& branch, OrphanReason displaced);
  Result<void> drop_canonical(const BlockName& name, OrphanReason reason);
  Result<void> add_orphan(const BlockName& name, const OrphanEntry& entry);
  Result<void> forget_orphan(const BlockName& name);
  enum class Count : std::uint8_t { add, remove };
  Result<void> count(std::uint64_t ChainCosts::* which, Count what, std::uint64_t cost);
  Result<void> load_costs();
  Result<void> remove(const BlockName& name);
  Result<void> orphan_children(const BlockName& name);
  Result<void> prune_canonical(Pruned& out);
  Result<std::optional<BlockName>> oldest_orphan(std::optional<UnixTime> until) const;

  TableTxn& txn_;
  const std::uint64_t budget_;
  const UnixTime now_;
  std::optional<ChainCosts> costs_;  // as they will be; enforce_budget() writes them
};

}  // namespace opp2p
