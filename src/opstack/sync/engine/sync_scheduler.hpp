// Reverse sync by hash, as a pure engine. It is told of gaps, the most urgent first: each is a missing block that is
// known by its hash, because the block above it names it as its parent. It asks peers for that block, which is due, and
// for those below it ahead of time. A block counts only when its hash is the one that is wanted. It is delivered at
// once, and its own parent is due next: a gap fills from the top downwards. A block that comes before the one above it
// waits in the quarantine.
//
// Nothing waits inside: with no peer free it stops, says so, and goes on when one is. Refusals ("not found", "busy")
// cost a peer nothing but its turn; what no honest peer sends is a fault with evidence. A well-formed block of another
// hash is another branch, and no fault: its peer is passed over for that gap, with all that it sent for it, and stays
// good for the others. A request that passes its deadline is given up and asked of another peer. The block that is due
// is asked of a second peer when the first takes long; no block of a gap is asked of more than two at a time. Whom to
// ask is decided by proof (sync_peers.hpp).
//
// Gaps share everything. The most urgent one comes first; a quarter of the rate and of the requests in flight is for
// the blocks that the others wait for. A gap whose due block nobody has pauses by itself.
//
// Owner: SyncClient. Thread: its. Bounds: max_gaps; SyncConfig::max_bytes for quarantined blocks and delivered ones
// that are not written yet (from half of it on nothing is asked); max_in_flight requests; per gap the connected peers
// that are passed over, kRemembered hashes, and kTroubled numbers that could not be had at once. Source: op-node
// surface, sections 7 (client), 13 and 14; what that client got wrong is in sync_scheduler_test.cpp, a test each.
#pragma once

#include <deque>
#include <functional>
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
  std::size_t max_gaps = 16;   // of more the most urgent count
  std::uint64_t window = 512;  // how far below the lowest linked block requests may go
  std::size_t max_in_flight = 32;
  PeerLimits peer;
  double global_per_second = 20;
  double global_burst = 40;
  Nanos request_deadline = libp2p::Seconds(25);   // 5 s to open, 10 s to write, 10 s to read
  Nanos trial_deadline = libp2p::Seconds(3);      // of the first request to a peer that has proved nothing
  Nanos second_after_trial = libp2p::Seconds(1);  // when a second peer is asked for the block that is due
  Nanos second_after = libp2p::Seconds(2);        // the same where the first one is proven
  // When a gap is filled down to its floor and is wanted as before, its owner may not have seen yet that it is closed.
  Nanos below_floor_after = libp2p::Seconds(1);
};

class SyncScheduler {
 public:
  static constexpr std::size_t kRemembered = 512;  // hashes of blocks that were delivered, per gap
  static constexpr std::size_t kTroubled = 32;     // numbers of a gap that somebody was asked for in vain
  // After so many rounds in which everybody was asked in vain, who is passed over is asked again: a peer may have
  // changed to the branch that is wanted.
  static constexpr int kForgivingRounds = 5;

  SyncScheduler(SyncConfig config, libp2p::Rng& rng, MonoTime now);

  // `identified`: identify lists the protocol. One that is not is tried alone, last and once, until it answers.
  void on_peer_added(const PeerId& peer, Now now, const AddressBlocks& blocks = {}, bool identified = true);
  void on_peer_removed(const PeerId& peer, Now now);
  // A block of the peer was accepted elsewhere, so that it comes before strangers.
  void on_peer_vouched(const PeerId& peer) { peers_.vouch(peer); }

  // What is wanted from now on, the most urgent first. A gap that is not listed any more is dropped, with its requests.
  // A gap whose id stays goes on: below what was delivered for it, as long as its child is the one that was listed
  // before or a block that was delivered for it; else below its new child, which another source has brought. So whoever
  // lost what was delivered gives the gap another id, or leaves it out of one list.
  void set_gaps(const std::vector<Gap>& gaps, Now now);
  // The regular check of the chain, which is only told: its head, and the lowest signed block above it that does not
  // connect. Nothing is told where `target` is the next block or below the head.
  void on_check(const BlockRef& head, const std::optional<BlockRef>& target, Now now);
  // Delivered blocks are in the store, or were dropped: so many bytes of them.
  void on_written(std::size_t bytes, Now now);

  // At most once for a request; never after CancelRequest (what crosses it on the way is dropped).
  void on_answer(RequestId id, Answer answer, Now now);
  void on_timeout(Now now);
  std::optional<MonoTime> next_deadline() const;
  std::optional<SyncAction> poll_action();

  // A peer is known that speaks the protocol, or that may be tried.
  bool can_ask() const { return !peers_.empty(); }
  struct Record {
    std::uint64_t delivered = 0;  // blocks
    std::uint64_t failed = 0;     // requests without a block that could be used
    std::optional<MonoTime> last_delivery;
  };
  const Record& record() const { return record_; }

  // For status pages and tests.
  std::size_t gaps() const { return order_.size(); }
  // The lowest linked block of a gap: its child at first.
  std::optional<std::uint64_t> lowest(GapId gap) const;
  std::size_t passed_over(GapId gap) const;
  bool is_unfillable(GapId gap) const;
  std::size_t in_flight() const { return in_flight_.size(); }
  bool is_proven(const PeerId& peer) const { return peers_.is_proven(peer); }
  std::size_t trials() const { return peers_.trials(); }  // of those, to peers that had proved nothing
  std::size_t quarantined() const { return quarantine_.size(); }
  std::size_t writing_bytes() const { return writing_bytes_; }
  std::size_t memory_bytes() const { return quarantine_.bytes() + writing_bytes_; }
  std::size_t peers() const { return peers_.size(); }
  void check() const;  // every invariant, between two inputs (sync_scheduler_check.cpp)

 private:
  // What is known about a number that could not be had at once.
  struct Height {
    std::vector<PeerId> asked;  // in vain, sorted
    int rounds = 0;             // in which everybody was asked
    std::optional<MonoTime> paused_until;
  };
  struct Work {
    Gap gap;                          // as it was listed last
    std::uint64_t lowest = 0;         // number of the lowest linked block
    Hash expected{};                  // hash of its parent: the one block that is due
    std::deque<Hash> linked;          // of delivered blocks, from `lowest` upwards
    std::vector<PeerId> passed_over;  // sorted
    std::map<std::uint64_t, Height> heights;
    bool unfillable = false;           // the block that is due has a wrong time
    std::optional<MonoTime> floor_at;  // since when `lowest` is not above the floor
    std::uint64_t turn = 0;            // when it was last served ahead of its turn; who waits longest is the least
    std::uint64_t due() const { return lowest - 1; }
  };
  struct InFlight {
    PeerId peer;
    std::uint64_t number = 0;
    GapId gap = 0;
    MonoTime deadline;
    MonoTime second_at;  // when a second peer may be asked for the same block
  };
  using GapNumber = std::pair<GapId, std::uint64_t>;
  enum class Tried : std::uint8_t { sent, nobody, stop };  // nobody: for this number now. stop: for others neither

  // Gaps (sync_scheduler.cpp).
  void take_gap(const Gap& gap, Now now);
  void drop_gap(GapId id);
  void restart(Work& work);
  void trim(Work& work);
  static bool has_linked(const Work& work, const BlockRef& block);
  void note_floor(Work& work, Now now);
  std::uint64_t bottom(const Work& work) const;
  bool wants(const Work& work, std::uint64_t number) const;
  void withdraw_deliveries(GapId id);
  void cancel_requests(const std::function<bool(const InFlight&)>& which);

  // Answers (sync_scheduler_link.cpp).
  void accept_block(const InFlight& request, Answer answer, Now now);
  bool link_where_due(const PeerId& peer, const Answer& answer, Now now);
  void link(Work& work, const PeerId& peer, const Answer& answer, Now now);
  void link_from_quarantine(Work& work, Now now);
  std::optional<Quarantine::Key> find_due(const Work& work) const;
  void put_in_quarantine(Quarantined entry);
  void put_elsewhere(Quarantined entry);
  void rehome(const std::vector<Quarantine::Key>& keys);
  void pass_over(Work& work, const PeerId& peer, const Hash& got);
  void mark_unfillable(GapId gap, const Answer& answer);
  void note_expected(Work& work);
  void on_good(const PeerId& peer);
  void tell_broken(const Work& work, const Answer& answer);

  void fault(const InFlight& request, SyncFaultKind kind, std::string evidence, Now now);
  void report(const PeerId& peer, PeerMerit merit);
  void say_paused(const PeerId& peer, Nanos length, std::string_view why);
  void mark_asked(GapId gap, std::uint64_t number, const PeerId& peer);
  static Height* height_of(Work& work, std::uint64_t number);
  // Takes the request out of the tables.
  InFlight end_request(std::map<RequestId, InFlight>::iterator at);
  void remove_if_unidentified(const PeerId& peer, Now now);

  // What is asked next (sync_scheduler_plan.cpp).
  void proceed(Now now);
  void schedule(Now now);
  bool schedule_due(Work& work, Now now);
  void schedule_below(Work& work, Now now);
  bool schedule_second(Work& work, Now now);
  bool may_ask_due(const Work& work, Now now);
  bool is_first(const Work& work) const { return work.gap.id == order_.front(); }
  bool others_have_share(Now now);
  Tried ask(Work& work, std::uint64_t number, Now now);
  bool is_paused(Work& work, std::uint64_t number, Now now);
  void pause(Work& work, std::uint64_t number, Now now);
  bool wait_for_global_rate(Now now);
  void send(Work& work, std::uint64_t number, const PeerId& peer, Now now);
  std::size_t waiting_dues() const;
  bool has_room(std::size_t more) const;
  bool make_room_for_due();
  void wake_at(MonoTime time) { wake_ = std::min(wake_.value_or(time), time); }
  void trace(SyncTrace trace) { actions_.emplace_back(std::move(trace)); }
  void trace(SyncTraceKind kind, std::optional<GapId> gap, std::optional<std::uint64_t> number, const PeerId& peer = {},
             std::string text = {});
  void check_requests() const;
  void check_gaps() const;
  void check_quarantine() const;

  SyncConfig config_;
  libp2p::Rng& rng_;
  SyncPeers peers_;
  TokenBucket global_;
  TokenBucket others_;  // the share of all gaps but the most urgent one
  Quarantine quarantine_;
  std::vector<GapId> order_;  // the most urgent first
  std::map<GapId, Work> works_;
  std::map<RequestId, InFlight> in_flight_;
  std::multimap<GapNumber, RequestId> asked_;                // at most two for a number of a gap
  std::size_t writing_bytes_ = 0;                            // delivered, not written yet
  std::size_t typical_bytes_ = 64 << 10;                     // of a block, leaning to the large ones
  libp2p::LruMap<Hash, libp2p::NoValue, FirstBytes> wrong_;  // blocks that have a wrong time, by hash
  libp2p::LruMap<Hash, libp2p::NoValue, FirstBytes>
      told_broken_;  // blocks that break a rule and were reported, by hash
  Record record_;
  bool said_no_free_peer_ = false;
  std::optional<MonoTime> wake_;
  std::uint64_t next_id_ = 1;
  std::uint64_t turns_ = 0;
  std::deque<SyncAction> actions_;
};

}  // namespace opstack::sync
