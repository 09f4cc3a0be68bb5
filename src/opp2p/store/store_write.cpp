#include "opp2p/store/store_write.hpp"

#include "opp2p/store/store_record.hpp"
#include "opstack/sync/wire/codec.hpp"

namespace opp2p {
namespace {

// Of blocks that went before those that are not there: some may have been kept again.
Result<void> prepend_gone(const ChainReader& chain, const std::vector<BlockRef>& before, std::vector<BlockRef>& out) {
  std::vector<BlockRef> gone;
  for (const BlockRef& block : before) {
    OPP2P_TRY(const auto number, chain.number_of(block.hash));
    if (!number) gone.push_back(block);
  }
  out.insert(out.begin(), gone.begin(), gone.end());
  return {};
}

}  // namespace

KeepWrite::KeepWrite(StoredBlock block, std::optional<Attestation> attestation, bool extends_head,
                     BlockStore::Done<KeptBlock> done)
    : AnsweredWrite(std::move(done)),
      block_(std::move(block)),
      attestation_(std::move(attestation)),
      extends_head_(extends_head) {}

void KeepWrite::prepare(bool alone) {
  constexpr std::size_t kSmall = 4096;
  block_ = with_header(std::move(block_));
  if (alone && block_.body.size() > kSmall && block_.body.size() <= opstack::sync::wire::kMaxDecompressed)
    block_ = framed(std::move(block_));
}

Result<void> KeepWrite::apply(ChainWriter& chain) {
  outcome_ = chain.keep(block_, attestation_, extends_head_);
  return outcome_ ? Result<void>() : Result<void>(outcome_.error());
}

// A block that the budget had no room for has gone again. (One that was the head for a moment has been acknowledged by
// those above it.)
Result<void> KeepWrite::settle(const ChainReader& chain, std::shared_ptr<const Pruned>& pruned) {
  if (!outcome_) return {};
  if (extends_head_) return AnsweredWrite::settle(chain, pruned);
  OPP2P_TRY(const auto number, chain.number_of(block_.hash));
  if (number) return AnsweredWrite::settle(chain, pruned);
  outcome_ = Error(Errc::exhausted, "the block store has no room for block " + std::to_string(block_.number) +
                                        " beside the blocks that it has to keep; raise --store.max-size");
  return {};
}

std::size_t KeepWrite::bytes() const { return record_size(block_); }

std::size_t KeepWrite::memory_bytes() const { return 256 + block_.memory_bytes(); }

std::unique_ptr<StoreWrite> move_head_write(const HeadMove& move, BlockStore::Done<MovedHead> done) {
  return small_write<MovedHead>([move](ChainWriter& chain) { return chain.move_head(move); }, std::move(done));
}

std::unique_ptr<StoreWrite> open_era_write(const opstack::rules::Address& signer, UnixTime now,
                                           BlockStore::Done<EraRecord> done) {
  return small_write<EraRecord>([signer, now](ChainWriter& chain) { return chain.open_era(signer, now); },
                                std::move(done));
}

std::unique_ptr<StoreWrite> start_at_write(const BlockRef& genesis, std::uint64_t timestamp,
                                           BlockStore::Done<KeptBlock> done) {
  return small_write<KeptBlock>([genesis, timestamp](ChainWriter& chain) { return chain.start_at(genesis, timestamp); },
                                std::move(done));
}

std::unique_ptr<StoreWrite> rewind_write(std::uint64_t to, const std::optional<Hash>& deny,
                                         BlockStore::Done<Rewound> done) {
  return small_write<Rewound>([to, deny](ChainWriter& chain) { return chain.rewind(to, deny); }, std::move(done));
}

Result<Applied> apply_writes(TableTxn& txn, ChainWriter& chain, std::span<StoreWrite* const> batch,
                             const Pruned& untold) {
  for (StoreWrite* write : batch) {
    const auto before = txn.changes();
    const auto outcome = write->apply(chain);
    if (!outcome && (txn.has_failed() || txn.changes() != before)) return outcome.error();
  }
  OPP2P_TRY(auto pruned, chain.enforce_budget());
  Applied out;
  out.removed = pruned.blocks;
  pruned.blocks += untold.blocks;
  OPP2P_TRYV(prepend_gone(chain, untold.orphans, pruned.orphans));
  OPP2P_TRYV(prepend_gone(chain, untold.canonical, pruned.canonical));
  if (pruned.segments.empty() && !untold.segments.empty()) {
    OPP2P_TRY(pruned.segments, chain.segments());
  }
  std::shared_ptr<const Pruned> to_tell;
  if (pruned.blocks > 0) to_tell = std::make_shared<const Pruned>(std::move(pruned));
  for (auto write = batch.rbegin(); write != batch.rend(); ++write) OPP2P_TRYV((*write)->settle(chain, to_tell));
  if (to_tell) out.untold = *to_tell;
  return out;
}

}  // namespace opp2p
