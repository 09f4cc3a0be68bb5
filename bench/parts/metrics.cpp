// What metrics cost: an event that the sink counts, a reading of a node's parts with 100 connections, and the text of a
// scrape.
#include <benchmark/benchmark.h>

#include "opp2p/metrics/node_metrics.hpp"
#include "opstack/rules/topics.hpp"
#include "opstack/testing/chain_builder.hpp"
#include "sim/sim_network.hpp"

namespace {

using namespace opp2p;

struct Sink {
  MetricRegistry registry;
  libp2p::PeerId own;
  BlockMetrics blocks{registry, own};
  PeerMetrics peers{registry};
  SyncMetrics sync{registry};

  // As NodeMetrics.
  void on(const NodeEvent& event, libp2p::Now now) {
    std::visit(
        [&](const auto& kind) {
          blocks.on(kind, now);
          peers.on(kind, now);
          sync.on(kind, now);
        },
        event);
  }
};

void metrics_event(benchmark::State& state) {
  Sink sink;
  opstack::rules::Outcome outcome;
  outcome.reason = opstack::rules::Reason::bad_block_hash;
  const std::string topic = "/optimism/10/3/blocks";
  const libp2p::PeerId from;
  const opstack::gossip::BlockVerdict verdict{topic, opstack::rules::Version::v4, {}, from, false, outcome,
                                              1000,  libp2p::Micros(300)};
  const std::optional<opstack::rules::Address> expected;
  const NodeEvent event = BlockJudged{verdict, expected, false};
  for (auto _ : state) sink.on(event, {});
}
BENCHMARK(metrics_event);

// One that metrics do not count: what it costs to be asked.
void metrics_event_of_no_metric(benchmark::State& state) {
  Sink sink;
  const NodeEvent event = libp2p::AddressesChanged{};
  for (auto _ : state) sink.on(event, {});
}
BENCHMARK(metrics_event_of_no_metric);

// A node with 100 peers, which are nodes too, and its metrics.
class Crowd {
 public:
  static constexpr std::size_t kPeers = 100;

  Crowd() {
    add(true);
    for (std::size_t i = 0; i < kPeers; ++i) add(false);
    network_.world().run_for(libp2p::Seconds(30));
  }
  const Node& node() const { return network_.node(0); }
  NodeMetrics& metrics() { return *metrics_; }
  libp2p::Now now() const { return clock_.runtime().now(); }

 private:
  static opstack::testing::ChainOptions options() {
    opstack::testing::ChainOptions out;
    out.genesis_time = 1'760'000'000;
    return out;
  }
  void add(bool hub) {
    sim::SimMemberOptions member;
    member.sequencer = hub;
    if (!hub) member.dials = {0};
    member.configure = [](NodeConfig& config) {
      config.peers_hi = config.peers_lo = 200;
      opstack::reputation::ScoredChain scored;
      scored.block_time = libp2p::Seconds(2);
      for (const auto& topic : opstack::rules::blocks_topics(config.rollup.l2_chain_id)) scored.topics.push_back(topic);
      config.scoring =
          opstack::reputation::make_scoring_profile("light", scored, opstack::reputation::ProfileUse::node).value();
    };
    if (hub)
      member.before_start = [this](Node& node) {
        metrics_ = std::make_unique<NodeMetrics>(clock_.runtime(), node, "bench");
      };
    network_.add(member).value();
  }

  libp2p::SeededRng rng_{1};
  opstack::testing::ChainBuilder chain_{options(), rng_};
  sim::SimNetwork network_{1, opstack::chain::RollupConfig::from_json(chain_.rollup_config()).value(),
                           libp2p::crypto::secp256k1::generate(rng_), libp2p::from_unix_seconds(1'760'000'010)};
  libp2p::runtime::SimNode clock_ = network_.world().add_node();
  std::unique_ptr<NodeMetrics> metrics_;
};

Crowd& crowd() {
  static Crowd out;
  return out;
}

// On the network thread, every two seconds.
void metrics_reading_100_peers(benchmark::State& state) {
  const auto& node = crowd().node();
  for (auto _ : state) benchmark::DoNotOptimize(node.snapshots().readings());
  state.counters["connections"] = static_cast<double>(node.snapshots().readings().sizes.connections);
}
BENCHMARK(metrics_reading_100_peers)->Unit(benchmark::kMicrosecond);

// On the network thread, every fifteen seconds.
void metrics_scores_100_peers(benchmark::State& state) {
  const auto& node = crowd().node();
  double peers = 0;
  for (auto _ : state) {
    peers = 0;
    node.snapshots().each_score([&](const opstack::reputation::PeerScoreRecord&) { ++peers; });
  }
  state.counters["scores"] = peers;
}
BENCHMARK(metrics_scores_100_peers)->Unit(benchmark::kMicrosecond);

// On the server's thread, at most four times a second.
void metrics_text_100_peers(benchmark::State& state) {
  std::size_t size = 0;
  for (auto _ : state) size = crowd().metrics().text(crowd().now()).size();
  state.counters["bytes"] = static_cast<double>(size);
}
BENCHMARK(metrics_text_100_peers)->Unit(benchmark::kMicrosecond);

}  // namespace
