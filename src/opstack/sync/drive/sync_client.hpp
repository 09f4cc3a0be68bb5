// The gap source payload_by_number: reverse sync on a host. It keeps the list of peers that speak the protocol, and
// runs one loop for each, which carries out the requests of the scheduler. A worker decodes, hashes and checks the
// answers; a block keeps the bytes of its answer. All decisions are the scheduler's.
//
// A peer is taken on when identify lists the protocol. A peer about which identify has said nothing for a while is
// tried once, after all others and one such peer at a time; it is taken on if it answers.
//
// Owner: the node or Follower; destroyed before its Host and its GapSink. Thread: the network thread. A peer's
// coroutine never calls the scheduler. Re-entrancy: want(), check() and on_written() only tell the scheduler; what
// comes of that comes from the queue, so they may be called anywhere, inside the sink and inside listeners too. Neither
// may destroy the client. Bounds: those of the scheduler. One response for each request in flight, of at most 10 MiB.
// The responses of unproven peers have half of SyncConfig::max_bytes together; beyond it the largest is given up.
// Source: op-node surface, section 7 (client).
#pragma once

#include <map>
#include <string>

#include "libp2p/base/life_token.hpp"
#include "libp2p/base/live_count.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/runtime/task.hpp"
#include "opstack/chain/rollup_config.hpp"
#include "opstack/sync/drive/follower_events.hpp"
#include "opstack/sync/drive/gap_source.hpp"
#include "opstack/sync/engine/sync_scheduler.hpp"

namespace opstack::sync {

struct SyncClientConfig {
  SyncConfig scheduler;
  Nanos open_timeout = libp2p::Seconds(5);
  Nanos write_timeout = libp2p::Seconds(10);
  Nanos read_timeout = libp2p::Seconds(10);
  Nanos identify_grace = libp2p::Seconds(3);  // then a peer that said nothing may be tried
};

class SyncClient final : public GapSource, libp2p::LiveCounted<SyncClient> {
 public:
  // Tells its traces, faults and reports to the listeners of `events`, which is its owner's. Nothing is told, and
  // nothing delivered, before the constructor has returned. All but `config` outlives it; `rollup` is copied.
  SyncClient(libp2p::Host& host, const chain::RollupConfig& rollup, GapSink& sink, SyncClientConfig config,
             libp2p::EventSource<FollowerEvent>& events);
  ~SyncClient() override;
  SyncClient(const SyncClient&) = delete;
  SyncClient& operator=(const SyncClient&) = delete;

  std::string_view name() const override { return "payload_by_number"; }
  void want(std::vector<Gap> gaps) override;
  void check(const BlockRef& head, const std::optional<BlockRef>& target) override;
  // A peer is connected that speaks the protocol, or that may be tried because identify has not told yet.
  bool can_ask() const override;
  GapRecord record() const override;
  void on_written(std::size_t bytes) override;
  libp2p::runtime::Task<void> close() override;

  const SyncScheduler& scheduler() const { return scheduler_; }
  const std::string& protocol() const { return protocol_; }
  // Bytes of answers of unproven peers that are on their way.
  std::size_t unproven_answer_bytes() const;

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
  void vouch();
  void pump();
  void pump_later();
  void handle(RequestBlock& request);
  void handle(CancelRequest& cancel);
  void handle(DeliverBlock& deliver);
  void handle(PeerReport& report);
  void handle(SyncFault& fault);
  void handle(SyncTrace& trace);
  libp2p::Now now() const { return host_.runtime().now(); }

  libp2p::Host& host_;
  const std::shared_ptr<const chain::RollupConfig> rollup_;  // shared with the workers
  GapSink& sink_;
  const SyncClientConfig config_;
  libp2p::EventSource<FollowerEvent>& events_;
  const std::string protocol_;
  SyncScheduler scheduler_;
  std::map<PeerId, MonoTime> unidentified_;  // connected, and when to try without being told
  std::map<PeerId, std::unique_ptr<PeerLoop>> loops_;
  std::unique_ptr<libp2p::runtime::Timer> timer_;
  libp2p::Subscription host_events_;
  bool could_ask_ = false;  // as the sink knows it
  bool pumping_ = false;
  bool pump_posted_ = false;
  bool closed_ = false;
  libp2p::LifeToken life_;
};

}  // namespace opstack::sync
