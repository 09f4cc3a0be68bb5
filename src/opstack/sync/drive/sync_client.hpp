// Drives reverse sync on a host. It keeps the list of peers that speak payload_by_number, and runs one loop for each,
// which carries out the requests of the scheduler. A worker decodes and hashes the answers; a block keeps the bytes of
// its answer. Promoted blocks go to the staging table and come back from it. All decisions are the scheduler's.
//
// A peer is taken on when identify lists the protocol. A peer about which identify has said nothing for a while is
// tried once, after all others and one such peer at a time; it is taken on if it answers.
//
// Owner: the node or Follower; destroyed before its Host and its StagingArea. Thread: the network thread. A peer's
// coroutine never calls the scheduler. Bounds: those of the scheduler. One response for each request in flight, of at
// most 10 MiB. The responses of unproven peers have half of SyncConfig::max_bytes together; beyond it the largest is
// given up. Source: op-node surface, section 7 (client).
#pragma once

#include <functional>
#include <map>
#include <string>

#include "libp2p/base/life_token.hpp"
#include "libp2p/base/live_count.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/runtime/task.hpp"
#include "opstack/chain/rollup_config.hpp"
#include "opstack/sync/drive/chain_store.hpp"
#include "opstack/sync/drive/follower_events.hpp"
#include "opstack/sync/engine/sync_scheduler.hpp"

namespace opstack::sync {

struct SyncClientConfig {
  SyncConfig scheduler;
  Nanos open_timeout = libp2p::Seconds(5);
  Nanos write_timeout = libp2p::Seconds(10);
  Nanos read_timeout = libp2p::Seconds(10);
  Nanos identify_grace = libp2p::Seconds(3);  // then a peer that said nothing may be tried
};

class SyncClient final : libp2p::LiveCounted<SyncClient> {
 public:
  using DeliverFn = std::function<void(const PeerId&, Block)>;  // a block that is linked down to the head

  // Tells its traces, faults and reports to the listeners of `events`, which is its owner's. Nothing is told, and
  // nothing delivered, before the constructor has returned.
  SyncClient(libp2p::Host& host, const chain::RollupConfig& rollup, StagingArea& staging, SyncClientConfig config,
             DeliverFn deliver, libp2p::EventSource<FollowerEvent>& events);
  ~SyncClient();
  SyncClient(const SyncClient&) = delete;
  SyncClient& operator=(const SyncClient&) = delete;

  // SyncScheduler::request_range and on_head. May be called from within `deliver`.
  void request_range(const BlockRef& start, const std::optional<BlockRef>& end);
  void on_head(const BlockRef& head);

  const SyncScheduler& scheduler() const { return scheduler_; }
  const std::string& protocol() const { return protocol_; }
  // Bytes of answers of unproven peers that are on their way.
  std::size_t unproven_answer_bytes() const;
  // Ends all loops; nothing is asked any more.
  libp2p::runtime::Task<void> close();

 private:
  struct PeerLoop;
  struct Exchange;
  void on(const libp2p::PeerConnected& event);
  void on(const libp2p::PeerDisconnected& event);
  void on(const libp2p::PeerIdentified& event);
  template <class Other>
  void on(const Other&) {}

  void take_connected();
  void add_peer(const PeerId& peer, bool identified);
  void admit(const PeerId& peer, bool identified);
  void remove_peer(const PeerId& peer);
  void start_loop(PeerLoop& loop);
  libp2p::runtime::Task<void> run(PeerLoop& loop);
  libp2p::runtime::Task<Answer> exchange(PeerLoop& loop, std::uint64_t number);
  libp2p::runtime::Task<Answer> receive(PeerLoop& loop, libp2p::Stream& stream, std::uint64_t number);
  PeerLoop* largest_beyond_budget() const;
  void give_up(PeerLoop& loop, std::string_view why);
  void post_answer(RequestId id, Answer answer);
  void on_open_timeout(const PeerId& peer);
  void on_timer();
  void pump();
  void handle(RequestBlock& request);
  void handle(CancelRequest& cancel);
  void handle(StageBlock& stage);
  void handle(ReadStaged& read);
  void handle(DropStaged& drop);
  void handle(DeliverBlock& deliver);
  void handle(PeerReport& report);
  void handle(SyncFault& fault);
  void handle(SyncTrace& trace);
  libp2p::Now now() const { return host_.runtime().now(); }

  libp2p::Host& host_;
  const std::shared_ptr<const chain::RollupConfig> rollup_;  // shared with the workers
  StagingArea& staging_;
  const SyncClientConfig config_;
  const DeliverFn deliver_;
  libp2p::EventSource<FollowerEvent>& events_;
  const std::string protocol_;
  SyncScheduler scheduler_;
  std::map<PeerId, MonoTime> unidentified_;  // connected, and when to try without being told
  std::map<PeerId, std::unique_ptr<PeerLoop>> loops_;
  std::unique_ptr<libp2p::runtime::Timer> timer_;
  libp2p::Subscription host_events_;
  bool pumping_ = false;
  bool closed_ = false;
  libp2p::LifeToken life_;
};

}  // namespace opstack::sync
