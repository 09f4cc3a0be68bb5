// Serves the sync code (opstack/sync/drive/chain_store.hpp) from a BlockStore. Writes go to the store with the bytes
// that the block has. Reads run on a worker and come back to the network thread; a block that the store holds in snappy
// frames is sent as it lies there.
//
// At most two workers look blocks up at once. Look-ups that come meanwhile wait, and the next worker that is free reads
// them all. One that is withdrawn leaves the queue at once; a worker that has it already does not read it.
//
// Owner: the node, beside the store, which outlives it. Thread: the network thread. Bounds: those of the store, and
// kMostWanted look-ups; more are refused.
#pragma once

#include <map>
#include <memory>

#include "libp2p/base/life_token.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "opp2p/store/block_store.hpp"

namespace opp2p {

class BlockStoreAdapter final : public opstack::sync::ChainStore {
 public:
  BlockStoreAdapter(libp2p::runtime::Runtime& runtime, BlockStore& store) : runtime_(runtime), store_(store) {}

  std::unique_ptr<libp2p::runtime::Operation> lookup(std::uint64_t number, LookupDone done) override;
  void keep(opstack::payload::Block block, std::optional<Attestation> attestation, bool extends_head,
            KeepDone done) override;
  void start_at(const BlockRef& genesis, std::uint64_t timestamp, KeepDone done) override;
  void move_head(const HeadMove& move, MoveDone done) override;
  void open_era(const opstack::rules::Address& signer, UnixTime now, EraDone done) override;
  void descend(const BlockRef& from, DescendDone done) override;
  void view(std::size_t window, ViewDone done) override;

 private:
  struct Lookup;
  class LookupHandle;
  static constexpr std::size_t kReadersAtOnce = 2;
  // Above what the server of blocks lets in at once (RequestLimits::max_total).
  static constexpr std::size_t kMostWanted = 1024;

  void read_wanted();
  template <class T>
  std::function<void(Result<T>)> guarded(std::function<void(Result<T>)> done);
  template <class T, class Read>
  void read(Read read, std::function<void(Result<T>)> done);

  libp2p::runtime::Runtime& runtime_;
  BlockStore& store_;
  std::map<std::uint64_t, std::shared_ptr<Lookup>> wanted_;  // by order of arrival
  std::uint64_t next_lookup_ = 0;
  std::size_t readers_ = 0;
  libp2p::LifeToken life_;
};

}  // namespace opp2p
