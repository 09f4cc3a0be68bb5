// Drives the unsafe chain of a node. It gives signed blocks to the chain, carries out the chain's writes and reads on
// the store, and tells the gap sources what is missing. The decisions are UnsafeChain's (docs/fork-choice.md).
//
// A block counts as ours once the store has acknowledged it: stored_head() and BlockStored speak of such blocks only.
// At intervals of twice the block time, counted anew when the head moves, the follower looks for a gap and tells the
// sources: with the head, and the lowest signed block above it that does not connect, if there is one.
//
// Owner: the node; destroyed before its Host and ChainStore. Thread: the network thread. A listener may call back in.
// Bounds: what waits for the disk, and what sources hold, have half of --sync.memory each.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "libp2p/base/life_token.hpp"
#include "libp2p/base/live_count.hpp"
#include "libp2p/host/host.hpp"
#include "opstack/sync/drive/chain_store.hpp"
#include "opstack/sync/drive/follower_events.hpp"
#include "opstack/sync/drive/gap_source.hpp"
#include "opstack/sync/drive/sync_client.hpp"
#include "opstack/sync/engine/unsafe_chain.hpp"

namespace opstack::sync {

struct FollowerConfig {
  std::size_t memory = 64 << 20;  // --sync.memory: blocks that wait for the disk, and what the sources hold
  bool req_resp = true;           // --p2p.sync.req-resp: whether peers are asked by payload_by_number
  Nanos check_interval{0};        // between two looks for a gap; 0 means twice the block time
  UnsafeChainConfig chain;        // its memory bound is set from `memory`
  SyncClientConfig client;        // its memory bound is set from `memory`
};

class Follower final : libp2p::LiveCounted<Follower> {
 public:
  using Done = std::function<void(Result<void>)>;

  // `view` is what the store has.
  Follower(libp2p::Host& host, const chain::RollupConfig& rollup, ChainStore& store, FollowerConfig config,
           const ChainView& view);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // Nothing is told before the constructor has returned.
  libp2p::Subscription subscribe(std::function<void(const FollowerEvent&)> listener) {
    return events_.subscribe(std::move(listener));
  }

  // Who signs the chain's blocks from now on. A new signer opens an era.
  void set_signer(const rules::Address& signer);

  // A block that the gossip rules have accepted.
  void on_block(const PeerId& peer, Block block, const rules::Signature& signature, const rules::Address& signer);
  // A block that this node publishes. `done` when it is stored: then it may be gossiped.
  void on_own_block(Block block, const rules::Signature& signature, const rules::Address& signer, Done done);
  // A block that the operator vouches for: it extends the head or fills a hole by its hash, otherwise
  // Errc::would_block.
  void on_vouched(Block block, Done done);

  // The highest canonical block, stored or being written; and the highest that is stored.
  const std::optional<BlockRef>& head() const { return chain_.head(); }
  const std::optional<BlockRef>& stored_head() const { return chain_.stored_head(); }
  const UnsafeChain& chain() const { return chain_; }
  const SyncClient* client() const { return client_.get(); }
  // The sources, with what each has done.
  const std::vector<GapSource*>& sources() const { return sources_; }
  bool can_ask() const;
  void check() const;
  // Looks for a gap now.
  void check_gap();
  libp2p::runtime::Task<void> close();

 private:
  // The sources' end.
  class Sink final : public GapSink {
   public:
    explicit Sink(Follower& follower) : follower_(follower) {}
    void on_fetched(GapId gap, const PeerId& from, Block block) override;
    void on_source_changed() override;

   private:
    Follower& follower_;
  };
  void on_fetched(const PeerId& from, Block block);
  void on_source_changed();
  Attestation attest(const rules::Signature& signature, const rules::Address& signer) const;
  void wait_for(const Arrived& arrived, const BlockRef& block, Done done);
  void pump();
  void handle(KeepBlock& keep);
  void handle(StartAt& start);
  void handle(OpenEra& open);
  void handle(MoveHead& move);
  void handle(Descend& descend);
  void handle(LoadView& load);
  void handle(BlockKept& kept);
  void handle(BlockNotKept& lost);
  void handle(HeadMoved& event);
  void handle(HoleChanged& event);
  void handle(ChainTrace& trace);
  void answer(WriteId id, const Result<void>& outcome);
  void written(bool fetched, const Block& block);
  void on_head();
  void tell_sources();
  Nanos interval() const;
  libp2p::Now now() const { return host_.runtime().now(); }

  libp2p::Host& host_;
  const chain::RollupConfig& rollup_;
  ChainStore& store_;
  const FollowerConfig config_;
  libp2p::EventSource<FollowerEvent> events_;
  UnsafeChain chain_;
  std::multimap<WriteId, Done> waiting_;
  std::string refused_because_;  // what the chain said of the last block
  Sink sink_{*this};
  std::unique_ptr<SyncClient> client_;
  std::vector<GapSource*> sources_;
  std::vector<Gap> told_gaps_;
  std::optional<bool> told_can_ask_;
  std::unique_ptr<libp2p::runtime::Timer> chain_timer_;
  std::unique_ptr<libp2p::runtime::Timer> check_timer_;
  bool pumping_ = false;
  bool closed_ = false;
  libp2p::LifeToken life_;
};

// Where a node with an empty store begins: at genesis while that is at most `reach` ago, so that all blocks can be
// fetched backwards; else nowhere, which makes the first accepted block the lowest one. (op-node's client gives up on
// gaps over 12 h, too.)
std::optional<BlockRef> starting_point(const chain::RollupConfig& rollup, libp2p::UnixTime now,
                                       Nanos reach = libp2p::Seconds(12 * 3600));

}  // namespace opstack::sync
