// Something that waits to be written, and what became of it; and the rules of a batch of them, which is one
// transaction. What one write is refused for leaves the others alone; an error of the disk is everybody's.
//
// Owner: the store's queue. Thread: made by the caller; applied by the store's writer; answered where callbacks run.
// Bounds: memory_bytes() is what queues count.
#pragma once

#include <memory>
#include <span>
#include <utility>

#include "opp2p/store/chain_writer.hpp"

namespace opp2p {

class StoreWrite {
 public:
  StoreWrite() = default;
  virtual ~StoreWrite() = default;
  StoreWrite(const StoreWrite&) = delete;
  StoreWrite& operator=(const StoreWrite&) = delete;

  // Off the network thread, before the transaction. `alone`: no other write shares it.
  virtual void prepare(bool /*alone*/) {}
  // In the transaction; more than once if that has to be tried again. Answers what answer() will tell.
  virtual Result<void> apply(ChainWriter& chain) = 0;
  // At the end of the transaction, when the budget has been enforced; the last write first. `pruned`: null for nothing;
  // who takes it tells it.
  virtual Result<void> settle(const ChainReader& chain, std::shared_ptr<const Pruned>& pruned) = 0;
  virtual void fail(const Error& error) = 0;
  // Calls back.
  virtual void answer() = 0;
  virtual std::size_t bytes() const { return 128; }         // on the disk
  virtual std::size_t memory_bytes() const { return 256; }  // while it waits
};
using StoreWrites = std::vector<std::unique_ptr<StoreWrite>>;

template <class T>
class AnsweredWrite : public StoreWrite {
 public:
  explicit AnsweredWrite(BlockStore::Done<T> done) : done_(std::move(done)) {}
  void fail(const Error& error) override { outcome_ = error; }
  void answer() override {
    if (done_) done_(std::move(outcome_));
  }
  Result<void> settle(const ChainReader& /*chain*/, std::shared_ptr<const Pruned>& pruned) override {
    if constexpr (requires(T& told) { told.pruned; })
      if (outcome_) outcome_->pruned = std::exchange(pruned, nullptr);
    return {};
  }

 protected:
  Result<T> outcome_ = T{};

 private:
  BlockStore::Done<T> done_;
};

class KeepWrite final : public AnsweredWrite<KeptBlock> {
 public:
  KeepWrite(StoredBlock block, std::optional<Attestation> attestation, bool extends_head,
            BlockStore::Done<KeptBlock> done);
  // Makes the header, and compresses a block that is alone and not small.
  void prepare(bool alone) override;
  Result<void> apply(ChainWriter& chain) override;
  Result<void> settle(const ChainReader& chain, std::shared_ptr<const Pruned>& pruned) override;
  std::size_t bytes() const override;
  std::size_t memory_bytes() const override;

 private:
  StoredBlock block_;
  const std::optional<Attestation> attestation_;
  const bool extends_head_;
};

// One of the small writes: a function of the chain.
template <class T, class Function>
class SmallWrite final : public AnsweredWrite<T> {
 public:
  SmallWrite(Function function, BlockStore::Done<T> done)
      : AnsweredWrite<T>(std::move(done)), function_(std::move(function)) {}
  Result<void> apply(ChainWriter& chain) override {
    this->outcome_ = function_(chain);
    return this->outcome_ ? Result<void>() : Result<void>(this->outcome_.error());
  }

 private:
  Function function_;
};

template <class T, class Function>
std::unique_ptr<StoreWrite> small_write(Function function, BlockStore::Done<T> done) {
  return std::make_unique<SmallWrite<T, Function>>(std::move(function), std::move(done));
}
std::unique_ptr<StoreWrite> move_head_write(const HeadMove& move, BlockStore::Done<MovedHead> done);
std::unique_ptr<StoreWrite> open_era_write(const opstack::rules::Address& signer, UnixTime now,
                                           BlockStore::Done<EraRecord> done);
std::unique_ptr<StoreWrite> start_at_write(const BlockRef& genesis, std::uint64_t timestamp,
                                           BlockStore::Done<KeptBlock> done);
std::unique_ptr<StoreWrite> rewind_write(std::uint64_t to, const std::optional<Hash>& deny,
                                         BlockStore::Done<Rewound> done);

// What went in a batch, and what no write of this and earlier batches has told.
struct Applied {
  std::uint64_t removed = 0;
  Pruned untold;
};

// Applies a batch and enforces the budget. After an error the transaction must be aborted.
Result<Applied> apply_writes(TableTxn& txn, ChainWriter& chain, std::span<StoreWrite* const> batch,
                             const Pruned& untold);

}  // namespace opp2p
