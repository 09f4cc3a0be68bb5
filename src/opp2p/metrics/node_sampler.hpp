// NodeSampler: reads what the node's parts have counted and hold (NodeReadings), and puts it into the metrics. It reads
// at intervals of its own, so a scrape never waits for the network thread, and takes none of its time. One reading is a
// walk over the open connections. The next one comes after kInterval, or after kShare times as long as this one took,
// at most kMostInterval. Scores of peers are observed every kScoreInterval, as in op-node.
//
// Owner: NodeMetrics. Thread: the network thread; age() on any. Bounds: one timer; the series that it makes at its
// beginning. Source: op-node surface, section 11.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "libp2p/runtime/runtime.hpp"
#include "opp2p/metrics/metric_registry.hpp"
#include "opp2p/node/node_readings.hpp"
#include "opp2p/node/snapshots.hpp"

namespace opp2p {

class NodeSampler final {
 public:
  static constexpr libp2p::Nanos kInterval = libp2p::Seconds(2);
  static constexpr libp2p::Nanos kMostInterval = libp2p::Seconds(10);  // op-node's for the bandwidth
  static constexpr libp2p::Nanos kScoreInterval = libp2p::Seconds(15);
  static constexpr int kShare = 1000;

  using TakeScore = std::function<void(const opstack::reputation::PeerScoreRecord&)>;
  // Where the numbers come from: the node.
  struct Source {
    std::function<NodeReadings()> readings;
    std::function<void(const TakeScore&)> each_score;
    // What the connections have carried that have ended.
    std::function<std::pair<std::uint64_t, std::uint64_t>()> ended_bytes;
  };

  // `runtime` and `registry` outlive it.
  NodeSampler(libp2p::runtime::Runtime& runtime, MetricRegistry& registry, Source source);
  ~NodeSampler();
  NodeSampler(const NodeSampler&) = delete;
  NodeSampler& operator=(const NodeSampler&) = delete;

  // Reads at once, and then at intervals until stop().
  void start();
  void stop();
  // op-node's names of the parts of a score.
  static std::vector<std::string_view> score_types();
  // When the last reading was; nothing before the first one. From any thread.
  std::optional<libp2p::MonoTime> last() const;

 private:
  // A number of the readings that goes into a series: a gauge is set, a counter is brought to it.
  struct Mirror {
    double (*read)(const NodeReadings&);
    prometheus::Gauge* gauge = nullptr;
    prometheus::Counter* counter = nullptr;
  };
  void on_timer();
  void take(const NodeReadings& readings);
  void take_scores();

  libp2p::runtime::Runtime& runtime_;
  MetricRegistry& registry_;
  const Source source_;
  std::vector<Mirror> mirrors_;
  using BanGauges = std::array<prometheus::Gauge*, opstack::reputation::kBanRules>;
  BanGauges ban_gauges(std::string_view target);

  std::vector<prometheus::Histogram*> scores_;
  BanGauges peer_bans_;
  BanGauges ip_bans_;
  prometheus::Gauge& bytes_in_;
  prometheus::Gauge& bytes_out_;
  prometheus::Gauge& took_;
  std::optional<libp2p::MonoTime> scores_due_;
  std::atomic<std::int64_t> last_{kNever};
  static constexpr std::int64_t kNever = INT64_MIN;
  std::unique_ptr<libp2p::runtime::Timer> timer_;
};

}  // namespace opp2p
