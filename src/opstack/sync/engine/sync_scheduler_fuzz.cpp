#include <map>

#include "opstack/sync/engine/fuzz_chain_test.hpp"
#include "opstack/sync/engine/sync_scheduler.hpp"
#include "testing/fuzz_script.hpp"

// A script of events in any order, also such as no driver sends: answers to requests that are not there, reads that
// fail, heads that jump. What must hold: memory within the bound, no request beyond the limits, nothing delivered that
// does not follow what was delivered before it in the same range, and an end to every drain.
namespace {

using namespace opstack::sync;
using namespace opstack::sync::fuzzing;
using libp2p::Millis;
using libp2p::Now;
using libp2p::fuzzing::require;
using libp2p::fuzzing::Script;

constexpr std::size_t kMaxBlock = 3000;

struct Machine {
  explicit Machine(Script s) : script(s), rng(1), engine(config(), rng, now.mono) {}

  static SyncConfig config() {
    SyncConfig out;
    out.max_bytes = 40000;
    out.max_quarantined = 8;
    out.window = 16;
    out.max_in_flight = 4;
    out.max_segments = 3;
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
      } else if (const auto* stage = std::get_if<StageBlock>(&*action)) {
        staging.emplace_back(stage->segment, stage->block.block.number());
        disk[stage->segment][stage->block.block.number()] = stage->block;
      } else if (const auto* read = std::get_if<ReadStaged>(&*action)) {
        reads.push_back(*read);
      } else if (const auto* drop = std::get_if<DropStaged>(&*action)) {
        disk.erase(drop->segment);
      } else if (const auto* deliver = std::get_if<DeliverBlock>(&*action)) {
        // Within one range each delivered block is the parent of the next.
        if (last && last->number + 1 == deliver->block.number() && same_run)
          require(last->hash == deliver->block.parent_hash());
        last = deliver->block.ref();
      }
    }
    engine.check();
    require(requests.size() <= config().max_in_flight && engine.trials() <= config().max_in_flight / 4);
    require(engine.memory_bytes() <= config().max_bytes + 5 * (kMaxBlock + 1000));
  }

  void forget(const PeerId& peer) {
    const auto found = busy.find(peer);
    if (found == busy.end()) return;
    requests.erase(found->second);
    busy.erase(found);
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
      const auto fork = static_cast<std::uint8_t>(how % 16 == 15 ? 1 : 0);
      engine.on_answer(request.id, Answer(block_at(request.number, fork, 0, how % 32 == 2 ? kMaxBlock : 50)), now);
    } else {
      engine.on_answer(request.id, Answer(static_cast<AnswerKind>(1 + how / 4 % 9), "scripted"), now);
    }
  }

  void read_back() {
    if (reads.empty()) return;
    const ReadStaged read = reads.back();
    reads.pop_back();
    std::vector<StagedBlock> out;
    for (std::uint64_t n = read.from; disk[read.segment].contains(n) && out.size() < read.max_blocks; ++n)
      out.push_back(disk[read.segment][n]);
    same_run = false;
    const std::uint8_t how = script.next();
    if (how % 8 == 7) {
      engine.on_staged_read(read.id, libp2p::fail(Errc::io, "scripted"), now);
    } else {
      engine.on_staged_read(read.id, std::move(out), now);
      same_run = true;
    }
  }

  void step() {
    const std::uint8_t what = script.next();
    const std::uint8_t value = script.next();
    switch (what % 10) {
      case 0:
        // Two of one address, and one that identify is silent about.
        engine.on_peer_added(peer_named(value % 6), now, value % 6 > 3 ? AddressBlocks{Bytes{1}, {}} : AddressBlocks{},
                             value % 6 != 0);
        break;
      case 1:
        forget(peer_named(value % 6));
        engine.on_peer_removed(peer_named(value % 6), now);
        break;
      case 2: {
        const std::uint64_t start = 1 + value % 16;
        std::optional<BlockRef> end;
        if (value % 5 != 4) end = block_at(start + value / 4, 0, 0, 1).ref();
        same_run = false;
        engine.request_range(block_at(start, 0, 0, 1).ref(), end, now);
        break;
      }
      case 3: same_run = false, engine.on_head(block_at(1 + value % 64, 0, 0, 1).ref(), now); break;
      case 4:
      case 5:
      case 6: answer(value); break;
      case 7:
        if (!staging.empty()) {
          const auto written = staging.back();
          staging.pop_back();
          engine.on_staged(written.first, written.second, value % 16 != 15, now);
        }
        break;
      case 8: read_back(); break;
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
  std::vector<std::pair<SegmentId, std::uint64_t>> staging;
  std::vector<ReadStaged> reads;
  std::map<SegmentId, std::map<std::uint64_t, StagedBlock>> disk;
  std::optional<BlockRef> last;
  bool same_run = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Machine machine(Script({data, std::min<std::size_t>(size, 4000)}));
  while (!machine.script.done()) machine.step();
  return 0;
}
