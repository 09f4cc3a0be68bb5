// Drives the unsafe chain of a node. It takes accepted blocks from gossip and from reverse sync, appends those that
// connect to the store, queues those that do not, and checks at intervals for a gap that reverse sync should fill. The
// decisions are UnsafeChain's and SyncClient's.
//
// A block counts as ours once the store has acknowledged it: stored_head() and BlockStored speak of such blocks only.
// An empty node starts at `head` (the genesis of the rollup configuration: reverse sync fetches everything after it,
// backwards from the first accepted block). Without `head` it starts at the first accepted block and has nothing below
// it.
//
// Owner: the node; destroyed before its Host and ChainStore. Thread: the network thread. A listener may call back in.
// Bounds: the queue and the quarantine have half of --sync.memory each; the store bounds the blocks that are being
// written.
#pragma once

#include <deque>

#include "libp2p/base/life_token.hpp"
#include "opstack/sync/drive/follower_events.hpp"
#include "opstack/sync/drive/sync_client.hpp"
#include "opstack/sync/engine/unsafe_chain.hpp"

namespace opstack::sync {

struct FollowerConfig {
  std::size_t memory = 64 << 20;           // --sync.memory: queue and quarantine together
  bool req_resp = true;                    // --p2p.sync.req-resp: without it gaps are seen but not filled from peers
  Nanos first_check = libp2p::Seconds(1);  // after a block had to be queued
  std::uint64_t gossip_reach = 8;          // blocks: a wider gap is not left to gossip
  Nanos check_interval{0};                 // then, and without an event; 0 means twice the block time
  SyncClientConfig client;                 // its memory bound is set from `memory`
};

class Follower : libp2p::LiveCounted<Follower> {
 public:
  using Done = std::function<void(Result<void>)>;

  Follower(libp2p::Host& host, const chain::RollupConfig& rollup, ChainStore& store, FollowerConfig config,
           std::optional<BlockRef> head);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // Nothing is told before the constructor has returned.
  libp2p::Subscription subscribe(std::function<void(const FollowerEvent&)> listener) {
    return events_.subscribe(std::move(listener));
  }

  // A block that the gossip rules have accepted, one that the operator vouches for, or our own. `done`, which may be
  // empty, is called once the block is in the store, and with success for a block that is stored already. It gets
  // Errc::would_block when the block is queued above a gap, and Errc::mismatch when another block is kept at its height
  // or the block does not follow the head.
  void on_block(const PeerId& peer, Block block, Done done = nullptr);

  // The highest block that connects, stored or being written; and the highest that is stored.
  const std::optional<BlockRef>& head() const { return chain_.head(); }
  const std::optional<BlockRef>& stored_head() const { return stored_head_; }
  const UnsafeChain& chain() const { return chain_; }
  const SyncClient* client() const { return client_.get(); }
  void check() const {
    chain_.check();
    if (client_) client_->scheduler().check();
  }
  // Looks for a gap now.
  void check_gap();
  libp2p::runtime::Task<void> close();

 private:
  struct Writing {
    BlockRef ref;
    Done done;
  };
  void pump_chain(Done* done);
  void append(AppendBlock& append, Done done);
  void write(const std::shared_ptr<AppendBlock>& kept);
  void on_appended(std::uint64_t epoch, const PeerId& peer, const Block& block, const Result<void>& outcome);
  void back_to_stored(const BlockRef& failed, const Error& error);
  void arm(Nanos delay);
  bool gap_is_wide() const;
  Nanos interval() const;

  libp2p::Host& host_;
  const chain::RollupConfig& rollup_;
  ChainStore& store_;
  const FollowerConfig config_;
  libp2p::EventSource<FollowerEvent> events_;
  const std::optional<BlockRef> start_;
  UnsafeChain chain_;
  std::optional<BlockRef> stored_head_;
  std::deque<Writing> writing_;  // in the order of the store's answers
  std::uint64_t epoch_ = 0;      // of writes; answers of an older one mean nothing
  // An empty store takes any block as its first. So until it has taken the right one nothing else is given to it: were
  // the first refused and the next one taken, the chain below would be closed for good.
  bool begun_ = false;
  std::deque<std::shared_ptr<AppendBlock>> unsent_;
  std::size_t unsent_bytes_ = 0;  // at most half of `memory`
  bool check_due_ = false;        // a check came while blocks were being written
  std::optional<MonoTime> check_at_;
  std::unique_ptr<libp2p::runtime::Timer> timer_;
  std::unique_ptr<SyncClient> client_;
  bool closed_ = false;
  libp2p::LifeToken life_;
};

// Where a node with an empty store begins: at genesis while that is at most `reach` ago, so that all blocks can be
// fetched backwards; else nowhere, which makes the first accepted block the anchor. (op-node's client gives up on gaps
// over 12 h, too.)
std::optional<BlockRef> starting_point(const chain::RollupConfig& rollup, libp2p::UnixTime now,
                                       Nanos reach = libp2p::Seconds(12 * 3600));

}  // namespace opstack::sync
