// A block store that stands before another one and fails, holds back or loses what is written, as a test asks.
//
// Owner: a test or the simulation. Thread: writes from one thread, reads from any. Bounds: what is held back is as much
// as was written meanwhile.
#pragma once

#include <atomic>
#include <deque>

#include "opp2p/store/block_store.hpp"

namespace opp2p {

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

  void keep(StoredBlock block, std::optional<Attestation> attestation, bool extends_head,
            Done<KeptBlock> done) override;
  void move_head(const HeadMove& move, Done<MovedHead> done) override;
  void open_era(const opstack::rules::Address& signer, UnixTime now, Done<EraRecord> done) override;
  void start_at(const BlockRef& genesis, std::uint64_t timestamp, Done<KeptBlock> done) override;
  void rewind(std::uint64_t to, const std::optional<Hash>& deny, Done<Rewound> done) override;

  Result<std::optional<StoredBlock>> by_number(std::uint64_t number) const override;
  Result<std::optional<FoundBlock>> by_hash(const Hash& hash) const override;
  Result<StoreSummary> summary() const override { return inner_.summary(); }
  Result<void> for_each(std::uint64_t from, std::uint64_t to,
                        const std::function<bool(const StoredBlock&)>& visit) const override;
  Result<ChainView> view(std::size_t window) const override;
  Result<Descent> descend(const BlockRef& from) const override;
  Result<StoreCheck> check(const CheckDepth& depth) const override { return inner_.check(depth); }
  void close() override { inner_.close(); }

 private:
  template <class T, class Perform>
  void write(Done<T> done, Perform perform);
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
