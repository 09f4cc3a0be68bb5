// The router under the traffic of a mesh, from the bytes of each RPC to the frames that go out: 100 peers, four topics,
// and for each message of 1 KB the RPCs that eight peers of a mesh and two others send: the message, four copies of it,
// seven IDONTWANT and two IHAVE. 100 messages a second of virtual time; heartbeats and decays are a part of it. Beside
// it the heartbeat alone. This file also builds with a tree that has no scores yet (docs/performance.md, "The router
// with scores").
#include <benchmark/benchmark.h>

#include <deque>
#include <map>
#include <memory>

#include "libp2p/crypto/hash.hpp"
#include "libp2p/protocols/gossipsub/router.hpp"
#if __has_include("libp2p/protocols/gossipsub/peer_scorer.hpp")
#define OPP2P_HAS_SCORES
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "scored_params.hpp"
#endif

namespace {

using namespace libp2p;
using namespace libp2p::gossipsub;

constexpr std::size_t kMesh = 8;
constexpr std::size_t kDataSize = 1024;
constexpr std::size_t kRpcs = 14;    // for each message
constexpr std::size_t kBatch = 256;  // messages whose RPCs are made at once, while the clock stands
const std::string kTopics[] = {"/optimism/10/0/blocks", "/optimism/10/1/blocks", "/optimism/10/2/blocks",
                               "/optimism/10/3/blocks"};
const std::string& kTopic = kTopics[3];

// As secp256k1 ids are: 39 bytes, the same at their beginning.
PeerId mixed_peer_id(std::uint32_t n) {
  Bytes multihash(39, 0x5a);
  const std::uint8_t begin[] = {0x00, 37, 0x08, 0x02, 0x12, 33, 0x02};
  std::copy(std::begin(begin), std::end(begin), multihash.begin());
  store_be32(multihash.data() + 7, n * 2654435761U);
  return PeerId::from_bytes(multihash).value();
}

MessageId id_of(ByteView data) { return *MessageId::from(ByteView(crypto::sha256(data)).first(20)); }

struct Arrival {
  PeerId from;
  SharedBytes frame;
};

class MixedTraffic {
 public:
  MixedTraffic(std::uint32_t peers, bool scored) : scores_(make_scores(scored)) {
    for (std::uint32_t n = 0; n < peers; ++n) add_peer(n);
    for (const auto& topic : kTopics) (void)router_.subscribe(topic, now_);
    pass(Seconds(60));
    run();
  }

  // The RPCs of the next messages, in the order of their arrival.
  void make_batch() {
    const auto mesh = router_.mesh(kTopic);
    if (mesh.size() < kMesh) return;
    for (std::size_t i = 0; i < kBatch; ++i) make_message(mesh);
  }
  bool has_batch() const { return !arrivals_.empty(); }

  // One message and what comes with it.
  void take_message() {
    for (std::size_t i = 0; i < kRpcs; ++i) {
      const Arrival& arrival = arrivals_.front();
      (void)router_.on_frame(arrival.from, arrival.frame, now_);
      run();
      arrivals_.pop_front();
    }
    pass(Millis(10));
  }

  // What comes between two heartbeats: a message in each topic.
  void take_one_in_each_topic() {
    for (const auto& topic : kTopics) {
      Bytes data(kDataSize, 0x42);
      store_le64(data.data(), ++number_);
      Rpc publish;
      publish.publish.emplace_back();
      publish.publish[0].topic = topic;
      publish.publish[0].data = data;
      (void)router_.on_frame(router_.mesh(topic).front(), encode_frame(publish), now_);
      run();
    }
  }
  // Time goes on to the next heartbeat, which is left to the caller.
  void wait_for_heartbeat() {
    const Nanos wait = *router_.next_deadline() - now_.mono;
    pass(wait - Nanos(1));
    now_ = now_ + Nanos(1);
  }
  void heartbeat() { router_.on_timeout(now_); }

  const Counters& counters() const { return router_.counters(); }
  std::uint64_t frames() const { return frames_; }
  std::uint64_t actions() const { return acted_; }

  // What the driver does after each input.
  void run() {
    while (auto action = router_.poll_action()) {
      ++acted_;
      if (const auto* validate = std::get_if<Validate>(&*action)) {
        router_.on_validation(validate->request, ValidationResult::accept, now_);
      } else if (const auto* ready = std::get_if<SendReady>(&*action)) {
        while (router_.next_frame(ready->peer)) ++frames_;
      }
    }
  }

 private:
  static std::unique_ptr<PeerScores> make_scores(bool scored) {
#ifdef OPP2P_HAS_SCORES
    auto params = bench::scored_params(kTopics);
    // P3 and P3b are counted but weigh nothing: else the meshes of the quiet topics would always be taken apart.
    for (auto& [name, topic] : params.topics)
      topic.mesh_message_deliveries_weight = topic.mesh_failure_penalty_weight = 0;
    if (scored) return std::make_unique<PeerScorer>(std::move(params), 1, Now{});
#endif
    (void)scored;
    return std::make_unique<NeutralScores>();
  }

  void add_peer(std::uint32_t n) {
    const PeerId id = ids_.emplace_back(mixed_peer_id(n));
    router_.add_peer(id, ProtocolVersion::v1_2, n % 2 == 0 ? Direction::inbound : Direction::outbound, now_);
    Rpc subscriptions;
    for (const auto& topic : kTopics) subscriptions.subscriptions.push_back({true, topic, {}, {}});
    router_.on_rpc(id, subscriptions, now_);
  }

  void make_message(const std::vector<PeerId>& mesh) {
    Bytes data(kDataSize, 0x42);
    store_le64(data.data(), ++number_);
    const MessageId id = id_of(data);
    Rpc publish;
    publish.publish.emplace_back();
    publish.publish[0].topic = kTopic;
    publish.publish[0].data = data;
    Rpc unwanted;
    unwanted.control.emplace().idontwant.push_back({{id.bytes()}});
    Rpc gossip;
    gossip.control.emplace().ihave.push_back({kTopic, {id.bytes()}});
    const auto arrive = [this](const PeerId& from, const Rpc& rpc) { arrivals_.push_back({from, encode_frame(rpc)}); };
    const auto member = [&](std::size_t n) { return mesh[(number_ + n) % kMesh]; };
    // The first members tell it before it comes to us, the others after that.
    for (std::size_t n = 1; n < 4; ++n) arrive(member(n), unwanted);
    arrive(member(0), publish);
    for (std::size_t n = 4; n < 8; ++n) {
      arrive(member(n), unwanted);
      arrive(member(n - 3), publish);
    }
    for (std::size_t n = 0; n < 2; ++n) arrive(ids_[(2 * number_ + n) % ids_.size()], gossip);
  }

  void pass(Nanos time) {
    now_ = now_ + time;
#ifdef OPP2P_HAS_SCORES
    if (const auto decay = scores_->next_deadline(); decay && *decay <= now_.mono) scores_->on_timeout(now_);
#endif
    if (*router_.next_deadline() > now_.mono) return;
    router_.on_timeout(now_);
    run();
  }

  static Named name(std::string_view, ByteView data) { return id_of(data); }

  SeededRng rng_{1};
  std::unique_ptr<PeerScores> scores_;
  Now now_{};
  Router router_{{{}, name, {}}, rng_, *scores_, now_};
  std::vector<PeerId> ids_;
  std::deque<Arrival> arrivals_;
  std::uint64_t number_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t acted_ = 0;
};

void mix(benchmark::State& state, bool scored) {
  MixedTraffic traffic(100, scored);
  for (auto _ : state) {
    if (!traffic.has_batch()) {
      state.PauseTiming();
      traffic.make_batch();
      state.ResumeTiming();
      if (!traffic.has_batch()) return state.SkipWithError("the mesh is too small");
    }
    traffic.take_message();
  }
  const auto messages = static_cast<std::uint64_t>(state.iterations());
  const Counters& counted = traffic.counters();
  if (counted.delivered != messages || counted.duplicates != 4 * messages ||
      counted.idontwant_received != 7 * messages || counted.forwarded < messages || counted.iwant_sent != 0)
    state.SkipWithError("the traffic did not come as it is described");
  state.SetItemsProcessed(static_cast<std::int64_t>(messages * kRpcs));
  state.counters["frames"] =
      benchmark::Counter(static_cast<double>(traffic.frames()), benchmark::Counter::kAvgIterations);
  state.counters["actions"] =
      benchmark::Counter(static_cast<double>(traffic.actions()), benchmark::Counter::kAvgIterations);
}

// Items are RPCs.
void router_mix_unscored(benchmark::State& state) { mix(state, false); }
BENCHMARK(router_mix_unscored);

// With ids to gossip in each topic. The frames that follow are not a part of it.
void heartbeat(benchmark::State& state, bool scored) {
  MixedTraffic traffic(static_cast<std::uint32_t>(state.range(0)), scored);
  for (auto _ : state) {
    state.PauseTiming();
    traffic.take_one_in_each_topic();
    traffic.wait_for_heartbeat();
    state.ResumeTiming();
    traffic.heartbeat();
    state.PauseTiming();
    traffic.run();
    state.ResumeTiming();
  }
  const auto beats = static_cast<std::uint64_t>(state.iterations());
  if (traffic.counters().delivered != 4 * beats || traffic.frames() < 4 * 23 * beats)
    state.SkipWithError("the heartbeats had nothing to tell");
}
void router_heartbeat_unscored(benchmark::State& state) { heartbeat(state, false); }
BENCHMARK(router_heartbeat_unscored)->Arg(200)->Unit(benchmark::kMicrosecond);

#ifdef OPP2P_HAS_SCORES
void router_mix_scored(benchmark::State& state) { mix(state, true); }
BENCHMARK(router_mix_scored);

void router_heartbeat_scored(benchmark::State& state) { heartbeat(state, true); }
BENCHMARK(router_heartbeat_scored)->Arg(200)->Unit(benchmark::kMicrosecond);
#endif

}  // namespace
