#include "opp2p/store/memory_store.hpp"

#include "libp2p/base/assert.hpp"

namespace opp2p {

void MemoryStore::write(std::unique_ptr<StoreWrite> write) {
  Shared shared(std::move(write));
  if (gathering_) return gathered_.push_back(std::move(shared));
  commit({std::move(shared)}, {});
}

void MemoryStore::commit(const Result<void>& disk) { commit(std::exchange(gathered_, {}), disk); }

void MemoryStore::commit(const std::vector<Shared>& writes, const Result<void>& disk) {
  const auto fail = [&](const Error& error) {
    for (const auto& write : writes) write->fail(error);
  };
  std::vector<StoreWrite*> batch;
  for (const auto& write : writes) batch.push_back(write.get());
  {
    const std::lock_guard lock(mutex_);
    MemoryTxn txn(tables_);
    ChainWriter chain(txn, max_size_, now());
    if (closed_) {
      fail(Error(Errc::closed, "the block store is closed"));
    } else if (!disk) {
      fail(disk.error());
    } else if (auto applied = apply_writes(txn, chain, batch, untold_); applied) {
      txn.commit();
      ++changes_;
      pruned_ += applied->removed;
      untold_ = std::move(applied->untold);
    } else {
      fail(applied.error());
    }
  }
  for (const auto& write : writes) post_([write] { write->answer(); });
}

void MemoryStore::keep(StoredBlock block, std::optional<Attestation> attestation, bool extends_head,
                       Done<KeptBlock> done) {
  write(std::make_unique<KeepWrite>(std::move(block), std::move(attestation), extends_head, std::move(done)));
}

void MemoryStore::move_head(const HeadMove& move, Done<MovedHead> done) {
  write(move_head_write(move, std::move(done)));
}

void MemoryStore::open_era(const opstack::rules::Address& signer, UnixTime now, Done<EraRecord> done) {
  write(open_era_write(signer, now, std::move(done)));
}

void MemoryStore::start_at(const BlockRef& genesis, std::uint64_t timestamp, Done<KeptBlock> done) {
  write(start_at_write(genesis, timestamp, std::move(done)));
}

void MemoryStore::rewind(std::uint64_t to, const std::optional<Hash>& deny, Done<Rewound> done) {
  write(rewind_write(to, deny, std::move(done)));
}

template <class Function>
auto MemoryStore::read(const Function& function) const {
  const std::lock_guard lock(mutex_);
  const MemoryTxn txn(tables_);
  return function(ChainReader(txn), txn);
}

Result<std::optional<StoredBlock>> MemoryStore::by_number(std::uint64_t number) const {
  return read([&](const ChainReader& chain, const TableTxn&) { return chain.as_stored(number); });
}

Result<std::optional<FoundBlock>> MemoryStore::by_hash(const Hash& hash) const {
  return read([&](const ChainReader& chain, const TableTxn&) { return chain.by_hash(hash); });
}

Result<StoreSummary> MemoryStore::summary() const {
  auto out = read([&](const ChainReader& chain, const TableTxn&) { return chain.summary(); });
  if (out) out->pruned = pruned_;
  return out;
}

Result<void> MemoryStore::for_each(std::uint64_t from, std::uint64_t to,
                                   const std::function<bool(const StoredBlock&)>& visit) const {
  // The visitor runs without the lock.
  std::optional<Hash> after;
  while (from <= to) {
    OPP2P_TRY(const auto blocks,
              read([&](const ChainReader& chain, const TableTxn&) { return chain.range(from, to, 1, true, after); }));
    if (blocks.empty() || !visit(blocks[0]) || blocks[0].number == UINT64_MAX) return {};
    from = blocks[0].number + 1;
    after = blocks[0].hash;
  }
  return {};
}

Result<ChainView> MemoryStore::view(std::size_t window) const {
  return read([&](const ChainReader& chain, const TableTxn&) { return chain.view(window, now()); });
}

Result<Descent> MemoryStore::descend(const BlockRef& from) const {
  return read([&](const ChainReader& chain, const TableTxn&) { return chain.descend(from); });
}

Result<StoreCheck> MemoryStore::check(const CheckDepth& depth) const {
  return read([&](const ChainReader&, const TableTxn& txn) { return check_chain(txn, depth, false); });
}

void MemoryStore::check() const {
  const auto found = check(CheckDepth{});
  OPP2P_CHECK(found.has_value(), "tables in memory can be read");
  OPP2P_CHECK(found->defect_count == 0, "the tables of the store agree", found->defects[0]);
}

void MemoryStore::check_changed() {
  if (checked_changes_ == changes_) return;
  checked_changes_ = changes_;
  check();
}

void MemoryStore::alter(const std::function<void(TableTxn&)>& change) {
  const std::lock_guard lock(mutex_);
  MemoryTxn txn(tables_);
  change(txn);
  txn.commit();
  ++changes_;
}

void MemoryStore::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

void MemoryStore::reopen() {
  const std::lock_guard lock(mutex_);
  closed_ = false;
}

}  // namespace opp2p
