// The block store in memory: the rules of LmdbStore without a disk, for tests, simulation and nodes without a data
// folder. Also FaultyStore, which stands before another store and fails, holds back or loses what is written, as a test
// asks.
//
// Owner: the node or a test. Thread: put, stage and drop from one thread, reads from any. Bounds: max_bytes of bodies
// in chain and staging (store.hpp, "Budget").
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <mutex>

#include "opp2p/store/block_store.hpp"

namespace opp2p {

class MemoryStore final : public BlockStore {
 public:
  explicit MemoryStore(Post post, std::uint64_t max_bytes = UINT64_MAX)
      : post_(std::move(post)), max_bytes_(max_bytes) {}

  void put(StoredBlock block, Done done) override;
  Result<std::optional<StoredBlock>> by_number(std::uint64_t number) const override;
  Result<std::optional<StoredBlock>> by_hash(const Hash& hash) const override;
  Result<StoreSummary> summary() const override;
  Result<void> for_each(std::uint64_t from, std::uint64_t to,
                        const std::function<bool(const StoredBlock&)>& visit) const override;
  void stage(std::uint64_t segment, StagedRecord record, Done done) override;
  Result<std::vector<StagedRecord>> read_staged(std::uint64_t segment, std::uint64_t from, std::size_t max_blocks,
                                                std::size_t max_bytes) const override;
  void drop_staged(std::uint64_t segment, Done done) override;
  void close() override;
  // As if a process had ended and the next one opened the database: what was staged is dropped, and writes are taken
  // again.
  void reopen();
  void check() const;

 private:
  using Staging = std::map<std::pair<std::uint64_t, std::uint64_t>, StagedRecord>;  // by segment and number
  Result<void> try_put(StoredBlock block);
  Result<void> try_stage(std::uint64_t segment, StagedRecord record);
  void fit_staged();
  Staging::iterator first_to_evict();
  void erase_staged(Staging::iterator at);
  void answer(Done done, Result<void> outcome) const;

  Post post_;
  std::uint64_t max_bytes_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, StoredBlock> blocks_;
  std::map<Hash, std::uint64_t> hashes_;
  Staging staging_;
  std::uint64_t bytes_ = 0;  // of the chain
  std::uint64_t staged_bytes_ = 0;
  std::uint64_t pruned_ = 0;
  bool closed_ = false;
};

class FaultyStore final : public BlockStore {
 public:
  FaultyStore(BlockStore& inner, Post post) : inner_(inner), post_(std::move(post)) {}

  // The next n writes fail with Errc::io, nothing of them is kept.
  void fail_writes(std::size_t n) { failing_ = n; }
  // The next n reads fail.
  void fail_reads(std::size_t n) { failing_reads_ = n; }
  // Reads so far, of all kinds.
  std::size_t reads() const { return reads_; }
  // From now on writes are taken but neither kept nor acknowledged, until sync() passes them on in order, or
  // lose_unsynced() drops them as a loss of power does: their callbacks never come.
  void hold_writes() { holding_ = true; }
  void sync();
  void lose_unsynced() { held_.clear(); }
  std::size_t unsynced() const { return held_.size(); }

  void put(StoredBlock block, Done done) override;
  Result<std::optional<StoredBlock>> by_number(std::uint64_t number) const override;
  Result<std::optional<StoredBlock>> by_hash(const Hash& hash) const override;
  Result<StoreSummary> summary() const override { return inner_.summary(); }
  Result<void> for_each(std::uint64_t from, std::uint64_t to,
                        const std::function<bool(const StoredBlock&)>& visit) const override;
  void stage(std::uint64_t segment, StagedRecord record, Done done) override;
  Result<std::vector<StagedRecord>> read_staged(std::uint64_t segment, std::uint64_t from, std::size_t max_blocks,
                                                std::size_t max_bytes) const override;
  void drop_staged(std::uint64_t segment, Done done) override;
  void close() override { inner_.close(); }

 private:
  void write(Done done, std::function<void(Done)> perform);
  bool read_fails() const;

  BlockStore& inner_;
  Post post_;
  std::size_t failing_ = 0;
  mutable std::size_t failing_reads_ = 0;
  mutable std::atomic<std::size_t> reads_{0};
  bool holding_ = false;
  std::deque<std::function<void()>> held_;
};

}  // namespace opp2p
