// The reverse sync client as a pure engine. It is told of a gap: the head below, and above a block that is trusted
// because the sequencer signed it. It asks peers for the blocks between, from the top down and several at once, and
// trusts a block only when the trusted block above names it as its parent. What is trusted is promoted: it goes to the
// staging table on disk, so that a gap of any size fills in bounded memory. When the chain has come down to the head,
// the staged blocks are read back and delivered upwards. What arrives before its child waits in the quarantine.
//
// Nothing waits inside: with no peer free it stops, says so, and goes on when one is. Refusals ("not found", "busy")
// cost a peer nothing but its turn; lies are faults with evidence. A request that passes its deadline is given up and
// asked of another peer. The block that the chain waits for is asked of a second peer when the first takes long; no
// block is asked of more than two at a time. Whom to ask is decided by proof (sync_peers.hpp).
//
// Owner: SyncClient. Thread: its. Bounds: SyncConfig::max_bytes for quarantined and promoted blocks that are not on
// disk yet, max_in_flight requests, max_segments half-filled ranges; on overflow of the quarantine the highest number
// goes, and unproven peers have a quarter of it. Where the staging table is too small for a range, its highest blocks
// are gone when it is read back: what lies below is delivered, and the rest is asked for again. Source: op-node
// surface, sections 7 (client), 13 and 14; what that client got wrong is in sync_scheduler_test.cpp, a test each.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "libp2p/base/lru_map.hpp"
#include "libp2p/base/rng.hpp"
#include "opstack/sync/engine/quarantine.hpp"
#include "opstack/sync/engine/sync_peers.hpp"

namespace opstack::sync {

struct SyncConfig {
  std::size_t max_bytes = 32 << 20;  // its half of --sync.memory
  std::size_t max_quarantined = 4096;
  std::uint64_t window = 512;  // how far below the lowest trusted block requests may go
  std::size_t max_in_flight = 32;
  std::size_t max_segments = 8;
  PeerLimits peer;
  double global_per_second = 20;
  double global_burst = 40;
  Nanos request_deadline = libp2p::Seconds(25);   // 5 s to open, 10 s to write, 10 s to read
  Nanos trial_deadline = libp2p::Seconds(3);      // of the first request to a peer that has proved nothing
  Nanos second_after_trial = libp2p::Seconds(1);  // when a second peer is asked for what the chain waits for
  Nanos second_after = libp2p::Seconds(2);        // the same where the first one is proven
  Nanos delivery_deadline = libp2p::Seconds(10);  // delivered blocks must move the head within this
  Nanos retry_after = libp2p::Seconds(10);        // an abandoned range is not taken up again before this
  Nanos diverged_after = libp2p::Seconds(300);    // nor one whose chain does not reach our head
  std::size_t read_blocks = 64;                   // how much is read back at once
  std::size_t read_bytes = 4 << 20;
};

class SyncScheduler {
 public:
  SyncScheduler(SyncConfig config, libp2p::Rng& rng, MonoTime now);

  // `identified`: identify lists the protocol. One that is not is tried alone, last and once, until it answers.
  void on_peer_added(const PeerId& peer, Now now, const AddressBlocks& blocks = {}, bool identified = true);
  void on_peer_removed(const PeerId& peer, Now now);
  // A block of the peer was accepted elsewhere, so that it comes before strangers.
  void on_peer_vouched(const PeerId& peer) { peers_.vouch(peer); }

  // There is a gap between `start`, our head, and `end`, the lowest trusted block above it. Only a signal: what comes
  // of it comes as DeliverBlock. No end, end 0 and end <= start + 1 schedule nothing.
  void request_range(const BlockRef& start, const std::optional<BlockRef>& end, Now now);
  // The head moved (its block is safe in the store): the gap may be smaller, and delivery may go on.
  void on_head(const BlockRef& head, Now now);

  // At most once for a request; never after CancelRequest (what crosses it on the way is dropped).
  void on_answer(RequestId id, Answer answer, Now now);
  void on_staged(SegmentId segment, std::uint64_t number, bool ok, Now now);
  void on_staged_read(RequestId id, Result<std::vector<StagedBlock>> blocks, Now now);

  void on_timeout(Now now);
  std::optional<MonoTime> next_deadline() const;
  std::optional<SyncAction> poll_action();

  // For status pages and tests.
  std::size_t in_flight() const { return in_flight_.size(); }
  bool is_proven(const PeerId& peer) const { return peers_.is_proven(peer); }
  std::size_t trials() const { return peers_.trials(); }  // of those, to peers that had proved nothing
  std::size_t quarantined() const { return quarantine_.size(); }
  std::size_t memory_bytes() const { return quarantine_.bytes() + staging_bytes_; }
  std::size_t peers() const { return peers_.size(); }
  struct Progress {
    std::uint64_t start = 0;   // the head
    std::uint64_t end = 0;     // the trusted end
    std::uint64_t lowest = 0;  // the chain is linked from the end down to here
    bool delivering = false;
  };
  std::optional<Progress> progress() const;
  void check() const;  // every invariant, between two inputs (sync_scheduler_check.cpp)

 private:
  // A chain that hangs on a trusted end and grows downwards.
  struct Segment {
    SegmentId id = 0;
    BlockRef end;
    std::uint64_t lowest = 0;  // the lowest promoted number; end.number at first
    Hash expected{};           // the hash of the block below: the one hash that this segment trusts
    std::size_t staging = 0;   // promoted, not on disk yet
    std::uint64_t last_used = 0;
    bool delivering = false;
    std::uint64_t first_read = 0;  // delivering: where reading back began
    std::uint64_t next_read = 0;   // delivering: the next number to read back
    std::optional<RequestId> reading;
    std::uint64_t seen_head = 0;
    MonoTime stalled_at;  // delivering: when to give up, unless the head moves
  };
  struct InFlight {
    PeerId peer;
    std::uint64_t number = 0;
    SegmentId segment = 0;
    MonoTime deadline;
    MonoTime second_at;  // when a second peer may be asked for the same block
  };
  // What is known about a number that could not be had at once.
  struct Height {
    std::vector<PeerId> asked;  // sorted
    int rounds = 0;
    MonoTime not_before;
  };

  Segment* active();
  Segment& segment_for(const BlockRef& end);
  // `cool`: the range is not taken up again for a while.
  void abandon(SegmentId id, SyncTraceKind kind, std::string why, Now now, bool cool = true);
  void cancel_requests_of(SegmentId id);
  void forget_segment(SegmentId id);

  void accept_block(const InFlight& request, Answer answer, Now now);
  void promote(Segment& segment, const PeerId& peer, Block block, const std::string& broken_rule);
  void promote_from_quarantine(Segment& segment, Now now);
  void reject(const PeerId& peer, std::uint64_t number, const Hash& got, const Hash& expected, Now now);
  void fault(const PeerId& peer, SyncFaultKind kind, std::uint64_t number, std::string evidence, Now now);
  void say_paused(const PeerId& peer, Nanos length, std::string_view why);
  void mark_asked(std::uint64_t number, const PeerId& peer);
  // Takes the request out of the tables.
  InFlight end_request(std::map<RequestId, InFlight>::iterator at);
  void remove_if_unidentified(const PeerId& peer, Now now);

  void proceed(Now now);
  void schedule(Segment& segment, Now now);
  bool schedule_number(Segment& segment, std::uint64_t number, Now now);
  void schedule_second(Segment& segment, std::uint64_t number, Now now);
  bool wait_for_global_rate(Now now);
  void send(Segment& segment, std::uint64_t number, const PeerId& peer, Now now);
  // True when the segment went away.
  bool check_linked(Segment& segment, Now now);
  void deliver(Segment& segment, Now now);
  bool has_room(std::size_t more) const;
  void wake_at(MonoTime time) { wake_ = std::min(wake_.value_or(time), time); }
  void trace(SyncTrace trace) { actions_.emplace_back(std::move(trace)); }
  void trace(SyncTraceKind kind, std::optional<std::uint64_t> number, const PeerId& peer = {}, std::string text = {});
  void check_requests() const;
  void check_segments() const;
  void check_memory() const;

  SyncConfig config_;
  libp2p::Rng& rng_;
  SyncPeers peers_;
  TokenBucket global_;
  Quarantine quarantine_;
  BlockRef head_;
  std::optional<SegmentId> active_;
  std::map<SegmentId, Segment> segments_;
  std::map<RequestId, InFlight> in_flight_;
  std::multimap<std::uint64_t, RequestId> asked_numbers_;  // at most two for a number
  std::map<std::uint64_t, Height> heights_;
  std::map<std::pair<SegmentId, std::uint64_t>, std::size_t> staging_sizes_;
  std::size_t staging_bytes_ = 0;
  std::size_t typical_bytes_ = 64 << 10;           // of a block, leaning to the large ones
  libp2p::LruMap<std::string, MonoTime> cooling_;  // ends of abandoned ranges, by hash
  libp2p::LruMap<std::string, bool> told_broken_;  // blocks that break a rule and were reported, by hash
  bool said_no_free_peer_ = false;
  std::optional<MonoTime> wake_;
  std::uint64_t next_id_ = 1;
  std::uint64_t uses_ = 0;
  std::deque<SyncAction> actions_;
};

}  // namespace opstack::sync
