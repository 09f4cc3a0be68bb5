#include <map>
#include <set>

#include "opstack/sync/engine/fuzz_chain_test.hpp"
#include "opstack/sync/engine/sync_scheduler.hpp"
#include "testing/fuzz_script.hpp"

// A script of events in any order, also such as no driver sends: lists of gaps that jump, answers to requests that are
// not there, a store that is late. What must hold: memory within the bound, no request beyond the limits, nothing
// delivered but the parent of what was delivered before it or of a child that was listed, for a gap that is listed, and
// an end to every drain.
namespace {

using namespace opstack::sync;
using namespace opstack::sync::fuzzing;
using libp2p::Millis;
using libp2p::Now;
using libp2p::fuzzing::require;
using libp2p::fuzzing::Script;

constexpr std::size_t kMaxBlock = 3000;
constexpr std::size_t kPeers = 6;

struct Machine {
  explicit Machine(Script s) : script(s), rng(1), engine(config(), rng, now.mono) {}

  static SyncConfig config() {
    SyncConfig out;
    out.max_bytes = 40000;
    out.max_quarantined = 8;
    out.max_gaps = 4;
    out.window = 16;
    out.max_in_flight = 4;
    return out;
  }

  void drain() {
    int actions = 0;
    while (auto action = engine.poll_action()) {
      require(++actions <= 100000);
      if (const auto* request = std::get_if<RequestBlock>(&*action)) {
        require(busy.emplace(request->peer, request->id).second);
        requests[request->id] = *request;
      } else if (const auto* cancel = std::get_if<CancelRequest>(&*action)) {
        require(busy.erase(cancel->peer) != 0);
        requests.erase(cancel->id);
      } else if (const auto* trace = std::get_if<SyncTrace>(&*action)) {
        if (trace->kind == SyncTraceKind::peer_removed) forget(trace->peer);
      } else if (const auto* deliver = std::get_if<DeliverBlock>(&*action)) {
        deliver_block(*deliver);
      }
    }
    engine.check();
    require(requests.size() <= config().max_in_flight && engine.trials() <= config().max_in_flight / 4);
    // A block that several gaps wait for is delivered to each of them.
    require(engine.memory_bytes() <= config().max_bytes + 5 * config().max_gaps * (kMaxBlock + 1000));
    require(engine.writing_bytes() == unwritten_bytes());
  }

  void deliver_block(const DeliverBlock& deliver) {
    require(listed.contains(deliver.gap));
    const Hash hash = deliver.block.hash();
    require(wanted[deliver.gap].contains(hash));
    wanted[deliver.gap].insert(deliver.block.parent_hash());
    unwritten.push_back(deliver.block.memory_bytes());
    if (script.next() % 8 == 0) list_gaps(script.next());  // the sink lists anew inside the delivery
  }
  std::size_t unwritten_bytes() const {
    std::size_t out = 0;
    for (const std::size_t bytes : unwritten) out += bytes;
    return out;
  }

  void forget(const PeerId& peer) {
    const auto found = busy.find(peer);
    if (found == busy.end()) return;
    requests.erase(found->second);
    busy.erase(found);
  }

  void list_gaps(std::uint8_t value) {
    std::vector<Gap> gaps;
    listed.clear();
    for (int n = value % 7; n > 0; --n) {
      const std::uint8_t what = script.next();
      const std::uint64_t number = script.next() % 64;
      const Block child = block_at(number, what / 8 % 3, 0, 1);
      const Gap gap{what % 8U, child.ref(), script.next() % 64U};
      gaps.push_back(gap);
      if (number == 0 || listed.contains(gap.id) || listed.size() >= config().max_gaps) continue;
      listed.insert(gap.id);
      wanted[gap.id].insert(child.parent_hash());
    }
    engine.set_gaps(gaps, now);
  }

  void answer(std::uint8_t choice) {
    if (requests.empty()) {
      engine.on_answer(script.next(), Answer(AnswerKind::failed, "nothing"), now);
      return;
    }
    auto it = requests.begin();
    std::advance(it, choice % requests.size());
    const RequestBlock request = it->second;
    requests.erase(it);
    busy.erase(request.peer);
    const std::uint8_t how = script.next();
    if (how % 4 != 0) {
      const unsigned fork = how % 16 == 15 ? 1 : how % 16 == 14 ? 2 : 0;
      Answer block(block_at(request.number, fork, 0, how % 32 == 2 ? kMaxBlock : 50));
      if (how % 64 == 21) block.wrong_time = "scripted";
      if (how % 64 == 22) block.broken_rule = "scripted";
      engine.on_answer(request.id, std::move(block), now);
    } else {
      engine.on_answer(request.id, Answer(static_cast<AnswerKind>(1 + how / 4 % 9), "scripted"), now);
    }
  }

  void write_one() {
    const std::size_t bytes = unwritten.back();
    unwritten.pop_back();
    engine.on_written(bytes, now);
  }

  void step() {
    const std::uint8_t what = script.next();
    const std::uint8_t value = script.next();
    switch (what % 10) {
      case 0:
        // Two of one address, and one that identify is silent about.
        engine.on_peer_added(peer_named(value % kPeers), now,
                             value % kPeers > 3 ? AddressBlocks{Bytes{1}, {}} : AddressBlocks{}, value % kPeers != 0);
        break;
      case 1:
        forget(peer_named(value % kPeers));
        engine.on_peer_removed(peer_named(value % kPeers), now);
        break;
      case 2: list_gaps(value); break;
      case 3: {
        std::optional<BlockRef> target;
        if (value % 5 != 4) target = block_at(value, 0, 0, 1).ref();
        engine.on_check(block_at(1 + value % 16, 0, 0, 1).ref(), target, now);
        break;
      }
      case 4:
      case 5:
      case 6: answer(value); break;
      case 7:
        if (unwritten.empty()) break;
        std::swap(unwritten.back(), unwritten[value % unwritten.size()]);
        write_one();
        break;
      default: now = now + Millis(value * value); engine.on_timeout(now);
    }
    drain();
  }

  Script script;
  Now now{libp2p::MonoTime(libp2p::Seconds(10)), libp2p::from_unix_seconds(1'700'000'000)};
  libp2p::SeededRng rng;
  SyncScheduler engine;
  std::map<PeerId, RequestId> busy;
  std::map<RequestId, RequestBlock> requests;
  std::set<GapId> listed;
  std::map<GapId, std::set<Hash>> wanted;  // parents of what was ever listed and delivered
  std::vector<std::size_t> unwritten;      // bytes of each block
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Machine machine(Script({data, std::min<std::size_t>(size, 4000)}));
  while (!machine.script.done()) machine.step();
  return 0;
}
