// How fast the simulated gossip network runs (sim/gossip): one topic, scores on, nobody hostile.
//
//   bench_gossip_world [nodes] [virtual seconds] [block bytes] [objects|bytes] [seed]
//
// It prints what the run came to and what it cost: CPU time, wall time, memory at its highest.
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sim/gossip/network.hpp"

namespace {

namespace sim = opp2p::sim::gossip;
namespace gs = libp2p::gossipsub;

std::uint64_t number(int argc, char** argv, int at, std::uint64_t otherwise) {
  if (argc <= at) return otherwise;
  const std::string_view text = argv[at];
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  std::fprintf(stderr, "bench_gossip_world: %s is not a number\n", argv[at]);
  std::exit(2);
}

// P1, P2 and P4 on one topic, P6 and P7: what a scored network of OP Stack nodes counts.
gs::PeerScoreParams scores(const std::string& topic) {
  gs::TopicScoreParams blocks;
  blocks.topic_weight = 1;
  blocks.time_in_mesh_weight = 0.1;
  blocks.time_in_mesh_quantum = libp2p::Seconds(2);
  blocks.time_in_mesh_cap = 10;
  blocks.first_message_deliveries_weight = 1;
  blocks.first_message_deliveries_decay = gs::score_decay(libp2p::Seconds(120));
  blocks.first_message_deliveries_cap = 10;
  blocks.invalid_message_deliveries_weight = -10;
  blocks.invalid_message_deliveries_decay = gs::score_decay(libp2p::Seconds(600));
  gs::PeerScoreParams params;
  params.topics.emplace(topic, blocks);
  params.topic_score_cap = 34;
  params.ip_colocation_factor_weight = -35;
  params.ip_colocation_factor_threshold = 10;
  params.behaviour_penalty_weight = -16;
  params.behaviour_penalty_threshold = 6;
  params.behaviour_penalty_decay = gs::score_decay(libp2p::Seconds(20));
  params.retain_score = libp2p::Seconds(300);
  return params;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}
double milliseconds(libp2p::Nanos duration) { return static_cast<double>(duration.count()) / 1e6; }

// A world of thousands of nodes is larger than the processor's caches and its table of pages. Large pages save a
// quarter of the time, and longer lists of free blocks a twentieth; glibc heeds both only when it is told so before the
// program starts.
void tune_heap(char** argv) {
  constexpr const char* kTunables = "GLIBC_TUNABLES";
  if (std::getenv(kTunables) != nullptr ||
      setenv(kTunables, "glibc.malloc.hugetlb=1:glibc.malloc.tcache_count=2000", 1) != 0)
    return;
  execv("/proc/self/exe", argv);
  std::perror("bench_gossip_world: cannot start anew; it goes on with small pages");
}

}  // namespace

int main(int argc, char** argv) {
  tune_heap(argv);
  sim::NetworkParams params;
  params.honest = number(argc, argv, 1, 1000);
  const libp2p::Seconds duration(number(argc, argv, 2, 600));
  params.load.sizes = {number(argc, argv, 3, 100'000)};
  const std::string_view form = argc > 4 ? argv[4] : "objects";
  if (form != "objects" && form != "bytes") {
    std::fprintf(stderr, "bench_gossip_world: RPCs are objects or bytes, not %s\n", argv[4]);
    return 2;
  }
  params.world.form = form == "bytes" ? sim::RpcForm::bytes : sim::RpcForm::objects;
  params.world.seed = number(argc, argv, 5, 1);
  params.node.scores = scores(params.node.topics.front());
  const auto begin = std::chrono::steady_clock::now();
  sim::Network network(std::move(params));
  network.run_until(libp2p::MonoTime(duration));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const sim::Report report = network.report();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  std::printf("%zu nodes, %lld virtual s, blocks of %llu bytes, RPCs as %s: %.1f s of CPU, %.1f s in all, %.0f MiB\n",
              report.honest, static_cast<long long>(duration.count()),
              static_cast<unsigned long long>(number(argc, argv, 3, 100'000)), std::string(form).c_str(), cpu,
              took.count(), static_cast<double>(usage.ru_maxrss) / 1024);
  std::printf(
      "  %llu events, %.2f us each; %llu RPCs; trace hash %016llx\n",
      static_cast<unsigned long long>(report.world.events), cpu * 1e6 / static_cast<double>(report.world.events),
      static_cast<unsigned long long>(report.world.rpcs_sent), static_cast<unsigned long long>(report.trace_hash));
  std::printf("  %zu blocks; %.4f%% delivered in time, %.4f%% in all; p50 %.0f ms, p99 %.0f ms; %.2f duplicates\n",
              report.blocks.size(), 100 * report.in_time_ratio, 100 * report.delivered_ratio,
              milliseconds(report.latency.p50), milliseconds(report.latency.p99), report.duplicates_for_delivery);
  return 0;
}
