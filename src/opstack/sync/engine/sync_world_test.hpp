// A world around a SyncScheduler, for its tests: a chain, peers that behave as told, a disk and a follower, all on a
// virtual clock and from one seed. It is a naive model: it knows the true chain, so what is delivered can be held
// against it block by block.
#pragma once

#include <gtest/gtest.h>

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

// The numbers of the blocks `from` to `to`.
inline std::vector<std::uint64_t> numbers(std::uint64_t from, std::uint64_t to) {
  std::vector<std::uint64_t> out;
  for (std::uint64_t n = from; n <= to; ++n) out.push_back(n);
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
  other_chain,  // blocks of another fork, well-formed
  no_protocol,
};

class World {
 public:
  explicit World(SyncConfig config, std::uint64_t seed = 1, std::uint64_t head = 10)
      : rng(seed), engine_rng(seed + 1), scheduler(config, engine_rng, now.mono), head_(block_at(head).ref()) {}

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
  void request(std::uint64_t end) {
    wanted = end;
    scheduler.request_range(head_, block_at(end, block_size).ref(), now);
    drain();
  }

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
    while (auto action = scheduler.poll_action()) {
      std::visit([this](auto& a) { handle(a); }, *action);
      most_memory = std::max(most_memory, scheduler.memory_bytes());
    }
    scheduler.check();
  }

  void handle(RequestBlock& request) {
    ASSERT_TRUE(manners.contains(request.peer)) << "a peer that is gone was asked";
    ASSERT_TRUE(busy.emplace(request.peer, request.id).second) << "two requests at once to one peer";
    most_trials = std::max(most_trials, scheduler.trials());
    EXPECT_GT(request.number, head_.number);
    ++requests[request.peer];
    asked.push_back(request.number);
    if (on_asked) on_asked(request.peer);
    const auto [manner, latency] = manners.at(request.peer);
    if (manner == Manner::silent || (manner == Manner::brief && requests[request.peer] > 1)) return;
    // In a tenth of the cases ten times as slow, so that answers change places.
    const Nanos delay = latency * (rng.below(10) == 0 ? 10 : 1) + Millis(static_cast<std::int64_t>(rng.below(20)));
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
        Answer good(block_at(number, block_size));
        if (broken.contains(number)) good.broken_rule = "a rule";
        return good;
      }
      case Manner::empty_handed: return {AnswerKind::not_found, ""};
      case Manner::behind:
        if (number > wanted / 2) return {AnswerKind::not_found, ""};
        return Answer(block_at(number, block_size));
      case Manner::busy:
        if (rng.below(2) == 0) return {AnswerKind::throttled, "result code 3"};
        return Answer(block_at(number, block_size));
      case Manner::busy_always: return {AnswerKind::throttled, "result code 3"};
      case Manner::failing: return {AnswerKind::failed, "reset"};
      case Manner::wrong_number: return {AnswerKind::wrong_number, "another number"};
      case Manner::bad_hash: return {AnswerKind::bad_hash, "another hash"};
      case Manner::altered: return {AnswerKind::altered, "a list of withdrawals"};
      case Manner::garbage: return {AnswerKind::malformed, "noise"};
      case Manner::other_chain: return Answer(block_at(number, block_size, 7, 7));
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
  void handle(StageBlock& stage) {
    const std::uint64_t number = stage.block.block.number();
    const bool ok = stage_failures == 0;
    if (!ok) --stage_failures;
    at(disk_latency + Millis(static_cast<std::int64_t>(rng.below(5))), [this, stage = std::move(stage), number, ok] {
      if (ok && !dropped.contains(stage.segment)) {
        auto& table = staged[stage.segment];
        table[number] = stage.block;
        if (table.size() > stage_room) table.erase(std::prev(table.end()));
      }
      scheduler.on_staged(stage.segment, number, ok, now);
    });
  }
  void handle(ReadStaged& read) {
    at(disk_latency, [this, read] {
      if (read_failures > 0) {
        --read_failures;
        scheduler.on_staged_read(read.id, libp2p::fail(Errc::io, "disk"), now);
        return;
      }
      std::vector<StagedBlock> out;
      std::size_t bytes = 0;
      auto& table = staged[read.segment];
      for (std::uint64_t n = read.from; table.contains(n) && out.size() < read.max_blocks && bytes < read.max_bytes;
           ++n) {
        bytes += table[n].block.body.size();
        out.push_back(table[n]);
      }
      scheduler.on_staged_read(read.id, std::move(out), now);
    });
  }
  // A store keeps the order of writes: what was staged before goes with it, also what is still on its way.
  void handle(DropStaged& drop) {
    staged.erase(drop.segment);
    dropped.insert(drop.segment);
  }
  void handle(DeliverBlock& deliver) {
    // The rule of a follower: only the child of the head.
    if (deliver.block.number() != delivered_to() + 1) {
      ++out_of_order;
      return;
    }
    EXPECT_EQ(deliver.block.hash(), hash_of(deliver.block.number(), 0));
    delivered.push_back(deliver.block.number());
    suppliers.insert(deliver.peer);
    if (!follower_works) return;
    at(disk_latency, [this, ref = deliver.block.ref()] {
      head_ = ref;
      scheduler.on_head(head_, now);
    });
  }
  void handle(PeerReport& report) { ++merits[report.peer][report.merit]; }
  void handle(SyncFault& fault) {
    faults[fault.peer].push_back(fault);
    EXPECT_FALSE(fault.evidence.empty());
  }
  void handle(SyncTrace& trace) {
    if (trace.kind == SyncTraceKind::peer_removed) busy.erase(trace.peer);
    ++traces[trace.kind];
    last_trace[trace.kind] = trace;
  }

  void at(Nanos delay, std::function<void()> event) { events.emplace(now.mono + delay, std::move(event)); }
  std::uint64_t delivered_to() const {
    return delivered.empty() ? head_.number : std::max(delivered.back(), head_.number);
  }
  bool filled() const { return head_.number + 1 == wanted; }
  const BlockRef& head() const { return head_; }
  void set_head(const BlockRef& head) {
    head_ = head;
    scheduler.on_head(head, now);
    drain();
  }

  Now now{MonoTime(Seconds(1000)), libp2p::from_unix_seconds(1'700'000'000)};
  libp2p::SeededRng rng;
  libp2p::SeededRng engine_rng;
  SyncScheduler scheduler;
  std::map<PeerId, std::pair<Manner, Nanos>> manners;
  std::map<PeerId, RequestId> busy;
  std::map<PeerId, int> requests;
  std::vector<std::uint64_t> asked;
  std::function<void(const PeerId&)> on_asked;
  std::map<SegmentId, std::map<std::uint64_t, StagedBlock>> staged;
  std::set<SegmentId> dropped;
  std::vector<std::uint64_t> delivered;
  std::set<std::uint64_t> broken;  // numbers of blocks that break a rule of their fork
  std::set<PeerId> suppliers;
  std::map<PeerId, std::map<PeerMerit, int>> merits;
  std::map<PeerId, std::vector<SyncFault>> faults;
  std::map<SyncTraceKind, int> traces;
  std::map<SyncTraceKind, SyncTrace> last_trace;
  std::multimap<MonoTime, std::function<void()>> events;
  std::size_t most_memory = 0;
  std::size_t most_trials = 0;
  std::size_t block_size = 400;
  std::uint64_t wanted = 0;
  std::uint64_t steps = 0;
  int out_of_order = 0;
  int cancels = 0;
  int stage_failures = 0;
  int read_failures = 0;
  std::size_t stage_room = SIZE_MAX;  // blocks of a range; beyond, the highest goes
  bool follower_works = true;
  Nanos disk_latency = Millis(3);

 private:
  BlockRef head_;
};

}  // namespace opstack::sync::testing_world
