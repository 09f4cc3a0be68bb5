// A world around a SyncScheduler, for its tests: chains, peers that behave as told, a disk and a follower that wants
// gaps filled, all on a virtual clock and from one seed. It is a naive model: it knows all chains, so what is delivered
// can be held against them block by block.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "libp2p/base/rng.hpp"
#include "libp2p/crypto/hash.hpp"
#include "opstack/sync/engine/sync_scheduler.hpp"

namespace opstack::sync::testing_world {

using libp2p::Millis;
using libp2p::Seconds;

inline PeerId peer_named(std::uint64_t n) {
  // An identity multihash of four bytes: no key, but a well-formed id.
  Bytes raw{0x00, 0x04, 0, 0, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)};
  return PeerId::from_bytes(raw).value();
}

inline Hash hash_of(std::uint64_t number, std::uint64_t fork) {
  Bytes seed(16);
  libp2p::store_le64(seed.data(), number);
  libp2p::store_le64(seed.data() + 8, fork);
  return libp2p::crypto::sha256(seed);
}

// Block `number` of a fork; fork 0 is the true chain.
inline Block block_at(std::uint64_t number, std::size_t size = 400, std::uint64_t fork = 0,
                      std::uint64_t parent_fork = 0) {
  payload::Envelope envelope;
  envelope.payload.block_number = number;
  envelope.payload.block_hash = hash_of(number, fork);
  envelope.payload.parent_hash = number == 0 ? Hash{} : hash_of(number - 1, parent_fork);
  return Block(payload::Version::v1, std::make_shared<const payload::Envelope>(std::move(envelope)),
               libp2p::share(Bytes(size, 0)));
}

// The numbers of the blocks `from` down to `to`, as a gap is filled.
inline std::vector<std::uint64_t> downwards(std::uint64_t from, std::uint64_t to) {
  std::vector<std::uint64_t> out;
  for (std::uint64_t n = from; n >= to; --n) out.push_back(n);
  return out;
}

enum class Manner {
  honest,
  silent,        // never answers
  brief,         // serves one block and is silent from then on
  empty_handed,  // has nothing
  behind,        // has only the lower half
  busy,          // throttles every second request
  busy_always,   // throttles every request
  failing,       // its connections break
  wrong_number,
  bad_hash,
  altered,
  garbage,      // lies that the driver notices
  other_chain,  // honest, with another chain than the true one: fork 7
  junk,         // well-formed blocks that nobody else has
  no_protocol,
};

class World {
 public:
  explicit World(SyncConfig config, std::uint64_t seed = 1, std::uint64_t head = 10)
      : rng(seed), engine_rng(seed + 1), scheduler(config, engine_rng, now.mono), head_(head) {}

  void add_peer(std::uint64_t name, Manner manner, Nanos latency = Millis(50), const AddressBlocks& blocks = {},
                bool identified = true) {
    manners[peer_named(name)] = {manner, latency};
    scheduler.on_peer_added(peer_named(name), now, blocks, identified);
    drain();
  }
  void remove_peer(std::uint64_t name) { remove(peer_named(name)); }
  void remove(const PeerId& peer) {
    busy.erase(peer);
    manners.erase(peer);
    scheduler.on_peer_removed(peer, now);
    drain();
  }

  // ---- the follower ----

  struct Wanted {
    Gap gap;
    std::uint64_t fork = 0;
    BlockRef lowest;  // the lowest block that is there
  };
  // Block `number` of the chain that leaves the true one above `fork_point`.
  Block make(std::uint64_t number, std::uint64_t fork) const {
    return block_at(number, block_size, number > fork_point ? fork : 0, number > fork_point + 1 ? fork : 0);
  }
  static GapId id_of(std::uint64_t end, std::uint64_t fork) { return 1000 * end + fork; }
  // All between the head and a block at `end`, and nothing else.
  void request(std::uint64_t end, std::uint64_t fork = 0) {
    if (wanted.size() != 1 || !wanted.contains(id_of(end, fork))) wanted.clear();
    order.clear();
    also(end, fork);
  }
  // That too, and less urgently. One that is wanted already stays as it is.
  GapId also(std::uint64_t end, std::uint64_t fork = 0, bool list_now = true) {
    highest = std::max(highest, end);
    const GapId id = id_of(end, fork);
    if (std::find(order.begin(), order.end(), id) == order.end()) order.push_back(id);
    if (!wanted.contains(id)) {
      const BlockRef child = make(end, fork).ref();
      wanted[id] = Wanted{Gap{id, child, head_ + 1}, fork, child};
    }
    if (list_now) list();
    return id;
  }
  void forget(GapId id) {
    wanted.erase(id);
    std::erase(order, id);
    list();
  }
  // Another source has brought all down to `number`.
  void move_child(GapId id, std::uint64_t number) {
    Wanted& gap = wanted.at(id);
    gap.lowest = gap.gap.child = make(number, gap.fork).ref();
    list();
  }
  void list() {
    std::vector<Gap> gaps;
    for (const GapId id : order)
      if (wanted.contains(id)) gaps.push_back(wanted.at(id).gap);
    scheduler.set_gaps(gaps, now);
    if (!draining_) drain();
  }
  void set_head(std::uint64_t number) {
    head_ = number;
    for (auto& [id, gap] : wanted) gap.gap.floor = head_ + 1;
    std::erase_if(wanted, [&](const auto& entry) { return entry.second.lowest.number <= head_ + 1; });
    list();
  }
  std::uint64_t head() const { return head_; }
  bool filled() const { return wanted.empty(); }
  BlockRef ref(std::uint64_t number) const { return make(number, 0).ref(); }

  // Runs until nothing more can happen or `limit` has passed.
  void run(Nanos limit) {
    const MonoTime until = now.mono + limit;
    while (true) {
      std::optional<MonoTime> next = scheduler.next_deadline();
      if (!events.empty()) next = std::min(next.value_or(events.begin()->first), events.begin()->first);
      if (!next || *next > until) break;
      if (*next > now.mono) now = now + (*next - now.mono);
      ASSERT_LT(++steps, 2000000u) << "the engine spins";
      if (!events.empty() && events.begin()->first <= now.mono) {
        const auto event = std::move(events.begin()->second);
        events.erase(events.begin());
        event();
      } else {
        scheduler.on_timeout(now);
      }
      drain();
    }
    if (until > now.mono) now = now + (until - now.mono);
  }

  void drain() {
    draining_ = true;
    while (auto action = scheduler.poll_action()) {
      std::visit([this](auto& a) { handle(a); }, *action);
      most_memory = std::max(most_memory, scheduler.memory_bytes());
    }
    draining_ = false;
    scheduler.check();
  }

  void handle(RequestBlock& request) {
    ASSERT_TRUE(manners.contains(request.peer)) << "a peer that is gone was asked";
    ASSERT_TRUE(busy.emplace(request.peer, request.id).second) << "two requests at once to one peer";
    most_trials = std::max(most_trials, scheduler.trials());
    EXPECT_TRUE(request.number > head_ || asks_below_the_floor) << request.number;
    ++requests[request.peer];
    asked.push_back(request.number);
    if (on_asked) on_asked(request.peer);
    const auto [manner, latency] = manners.at(request.peer);
    if (manner == Manner::silent || (manner == Manner::brief && requests[request.peer] > 1)) return;
    // In a tenth of the cases ten times as slow, so that answers change places.
    Nanos delay = latency * (rng.below(10) == 0 ? 10 : 1);
    delay += Millis(static_cast<std::int64_t>(rng.below(20)));
    at(delay, [this, request, how = manner] {
      const auto found = busy.find(request.peer);
      if (found == busy.end() || found->second != request.id) return;  // cancelled, or the peer is gone
      busy.erase(found);
      scheduler.on_answer(request.id, answer(how, request.number), now);
    });
  }
  Answer answer(Manner manner, std::uint64_t number) {
    switch (manner) {
      case Manner::honest:
      case Manner::brief: {
        Answer good(make(number, 0));
        if (broken.contains(number)) good.broken_rule = "a rule";
        if (wrong_time.contains(number)) good.wrong_time = "a time";
        return good;
      }
      case Manner::empty_handed: return {AnswerKind::not_found, ""};
      case Manner::behind:
        if (number > highest / 2) return {AnswerKind::not_found, ""};
        return Answer(make(number, 0));
      case Manner::busy:
        if (rng.below(2) == 0) return {AnswerKind::throttled, "result code 3"};
        return Answer(make(number, 0));
      case Manner::busy_always: return {AnswerKind::throttled, "result code 3"};
      case Manner::failing: return {AnswerKind::failed, "reset"};
      case Manner::wrong_number: return {AnswerKind::wrong_number, "another number"};
      case Manner::bad_hash: return {AnswerKind::bad_hash, "another hash"};
      case Manner::altered: return {AnswerKind::altered, "a list of withdrawals"};
      case Manner::garbage: return {AnswerKind::malformed, "noise"};
      case Manner::other_chain: return Answer(make(number, 7));
      case Manner::junk: return Answer(block_at(number, block_size, 1000 + rng.below(1'000'000), 1000));
      case Manner::no_protocol: return {AnswerKind::unsupported, ""};
      case Manner::silent: break;
    }
    return {AnswerKind::failed, ""};
  }
  void handle(CancelRequest& cancel) {
    ++cancels;
    const auto found = busy.find(cancel.peer);
    ASSERT_TRUE(found != busy.end() && found->second == cancel.id);
    busy.erase(found);
  }
  void handle(DeliverBlock& deliver) {
    const std::uint64_t number = deliver.block.number();
    ASSERT_TRUE(wanted.contains(deliver.gap)) << "block " << number << " of a gap that is not listed";
    Wanted& gap = wanted.at(deliver.gap);
    EXPECT_EQ(number + 1, gap.lowest.number);
    EXPECT_EQ(deliver.block.hash(), gap.lowest.parent_hash);
    EXPECT_EQ(deliver.block.hash(), make(number, gap.fork).hash());
    EXPECT_FALSE(wrong_time.contains(number));
    gap.lowest = deliver.block.ref();
    delivered.push_back(number);
    delivered_of[deliver.gap].push_back(number);
    suppliers.insert(deliver.peer);
    if (writes) {
      at(disk_latency + Millis(static_cast<std::int64_t>(rng.below(5))),
         [this, bytes = deliver.block.memory_bytes()] { scheduler.on_written(bytes, now); });
    } else {
      unwritten += deliver.block.memory_bytes();
    }
    if (number <= head_ + 1 && !asks_below_the_floor) return forget(deliver.gap);
    if (!lists_each_block) return;
    gap.gap.child = gap.lowest;
    list();
  }
  void handle(PeerReport& report) { ++merits[report.peer][report.merit]; }
  void handle(SyncFault& fault) {
    faults[fault.peer].push_back(fault);
    EXPECT_FALSE(fault.evidence.empty());
  }
  void handle(SyncTrace& trace) {
    if (trace.kind == SyncTraceKind::peer_removed) busy.erase(trace.peer);
    if (trace.kind == SyncTraceKind::other_branch) ++other_branches[trace.peer];
    if (trace.kind == SyncTraceKind::request_sent) ++sent_for[*trace.gap];
    ++traces[trace.kind];
    last_trace[trace.kind] = trace;
  }

  void at(Nanos delay, std::function<void()> event) { events.emplace(now.mono + delay, std::move(event)); }

  Now now{MonoTime(Seconds(1000)), libp2p::from_unix_seconds(1'700'000'000)};
  libp2p::SeededRng rng;
  libp2p::SeededRng engine_rng;
  SyncScheduler scheduler;
  std::map<PeerId, std::pair<Manner, Nanos>> manners;
  std::map<PeerId, RequestId> busy;
  std::map<PeerId, int> requests;
  std::vector<std::uint64_t> asked;
  std::function<void(const PeerId&)> on_asked;
  std::map<GapId, Wanted> wanted;
  std::vector<GapId> order;  // of what is wanted, the most urgent first
  std::vector<std::uint64_t> delivered;
  std::map<GapId, std::vector<std::uint64_t>> delivered_of;
  std::set<std::uint64_t> broken;      // numbers of blocks that break a rule of their fork
  std::set<std::uint64_t> wrong_time;  // numbers of blocks that have a wrong time
  std::set<PeerId> suppliers;
  std::map<PeerId, std::map<PeerMerit, int>> merits;
  std::map<PeerId, std::vector<SyncFault>> faults;
  std::map<PeerId, int> other_branches;
  std::map<GapId, int> sent_for;
  std::map<SyncTraceKind, int> traces;
  std::map<SyncTraceKind, SyncTrace> last_trace;
  std::multimap<MonoTime, std::function<void()>> events;
  std::size_t most_memory = 0;
  std::size_t most_trials = 0;
  std::size_t block_size = 400;
  std::size_t unwritten = 0;  // bytes that were delivered while nothing was written
  std::uint64_t highest = 0;  // of the ends that were ever wanted
  std::uint64_t fork_point = 0;
  std::uint64_t steps = 0;
  int cancels = 0;
  bool writes = true;
  bool lists_each_block = false;  // as a follower does that lists its gaps anew with each block
  bool asks_below_the_floor = false;
  Nanos disk_latency = Millis(3);

 private:
  std::uint64_t head_;
  bool draining_ = false;
};

}  // namespace opstack::sync::testing_world
