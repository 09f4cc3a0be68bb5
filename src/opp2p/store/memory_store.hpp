// The block store in memory: the rules of LmdbStore without a disk, for tests and simulation. It makes no headers. A
// write takes effect within the call; only its callback comes later. A test can gather writes, which are one
// transaction then, as those are that come while a database commits.
//
// Owner: the node or a test. Thread: writes from one thread, reads from any. Bounds: `max_size` (block_store.hpp,
// "Budget").
#pragma once

#include <mutex>

#include "opp2p/store/chain_check.hpp"
#include "opp2p/store/memory_txn.hpp"
#include "opp2p/store/store_write.hpp"

namespace opp2p {

class MemoryStore final : public BlockStore {
 public:
  // `wall` says what time it is, for the age of orphans; without one they do not age.
  explicit MemoryStore(Post post, std::uint64_t max_size = 0, std::function<UnixTime()> wall = nullptr)
      : post_(std::move(post)), max_size_(max_size), wall_(std::move(wall)) {}

  void keep(StoredBlock block, std::optional<Attestation> attestation, bool extends_head,
            Done<KeptBlock> done) override;
  void move_head(const HeadMove& move, Done<MovedHead> done) override;
  void open_era(const opstack::rules::Address& signer, UnixTime now, Done<EraRecord> done) override;
  void start_at(const BlockRef& genesis, std::uint64_t timestamp, Done<KeptBlock> done) override;
  void rewind(std::uint64_t to, const std::optional<Hash>& deny, Done<Rewound> done) override;

  Result<std::optional<StoredBlock>> by_number(std::uint64_t number) const override;
  Result<std::optional<FoundBlock>> by_hash(const Hash& hash) const override;
  Result<StoreSummary> summary() const override;
  Result<void> for_each(std::uint64_t from, std::uint64_t to,
                        const std::function<bool(const StoredBlock&)>& visit) const override;
  Result<ChainView> view(std::size_t window) const override;
  Result<Descent> descend(const BlockRef& from) const override;
  Result<StoreCheck> check(const CheckDepth& depth) const override;
  void close() override;
  // From now on writes wait: commit() makes one transaction of them, or of none of them when the disk fails;
  // lose_gathered() drops them as a crash does, and their callbacks never come.
  void gather_writes() { gathering_ = true; }
  std::size_t gathered() const { return gathered_.size(); }
  void commit(const Result<void>& disk = {});
  void lose_gathered() { gathered_.clear(); }
  // As if a process had ended and the next one opened the database: writes are taken again.
  void reopen();
  // Asserts that the tables agree. It walks over all of them.
  void check() const;
  // The same, if something has changed since the last call.
  void check_changed();
  // For tests of the checks: changes the tables past the rules.
  void alter(const std::function<void(TableTxn&)>& change);

 private:
  using Shared = std::shared_ptr<StoreWrite>;  // a task can be copied
  void write(std::unique_ptr<StoreWrite> write);
  void commit(const std::vector<Shared>& writes, const Result<void>& disk);
  template <class Function>
  auto read(const Function& function) const;

  UnixTime now() const { return wall_ ? wall_() : UnixTime{}; }

  Post post_;
  const std::uint64_t max_size_;
  const std::function<UnixTime()> wall_;
  bool gathering_ = false;
  std::vector<Shared> gathered_;
  mutable std::mutex mutex_;
  mutable MemoryTables tables_;  // a transaction that only reads takes them too
  std::uint64_t pruned_ = 0;
  Pruned untold_;
  std::uint64_t changes_ = 0;
  std::uint64_t checked_changes_ = 0;
  bool closed_ = false;
};

}  // namespace opp2p
