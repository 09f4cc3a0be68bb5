// The block store as the sync code wants it (opstack/sync/chain_store.hpp): writes go to the store, reads run on a
// worker and come back to the network thread.
//
// Owner: the node, beside the store, which outlives it. Thread: the network thread. Bounds: those of the store.
#pragma once

#include "node/store.hpp"
#include "runtime/runtime.hpp"

namespace opp2p::node {

class StoreChain final : public opstack::sync::ChainStore {
 public:
  StoreChain(libp2p::runtime::Runtime& runtime, BlockStore& store) : runtime_(runtime), store_(store) {}

  void append(opstack::sync::Block block, Done done) override;
  void lookup(std::uint64_t number, LookupDone done) override;
  void stage(std::uint64_t segment, opstack::sync::StagedBlock block, Done done) override;
  void read_staged(std::uint64_t segment, std::uint64_t from, std::size_t max_blocks, std::size_t max_bytes,
                   ReadDone done) override;
  void drop_staged(std::uint64_t segment) override;

 private:
  // A callback that does nothing any more once this object is gone.
  Done guarded(Done done) const;

  libp2p::runtime::Runtime& runtime_;
  BlockStore& store_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace opp2p::node
