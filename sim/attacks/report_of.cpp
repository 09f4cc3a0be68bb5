#include "sim/attacks/report_of.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "sim/attacks/units.hpp"

namespace opp2p::sim::attacks {
namespace {

using libp2p::Nanos;

// The latency within which `quantile` of all who were expected had it; kNever when fewer got it at all.
double quantile_of(const std::vector<Nanos>& sorted, std::uint64_t expected, double quantile) {
  if (expected == 0) return kNever;
  const auto rank = static_cast<std::size_t>(std::ceil(quantile * static_cast<double>(expected)));
  return rank == 0 || rank > sorted.size() ? kNever : seconds(sorted[rank - 1]);
}

BlockRow row_of(const gossip::BlockOutcome& block) {
  BlockRow out;
  out.number = block.number;
  out.published = seconds(block.published);
  out.expected = block.expected;
  out.delivered = block.delivered;
  out.in_time = block.in_time;
  const double came =
      block.expected == 0 ? 0 : static_cast<double>(block.delivered) / static_cast<double>(block.expected);
  if (came >= 0.5) out.p50 = seconds(block.latency.p50);
  if (came >= 0.99) out.p99 = seconds(block.latency.p99);
  if (block.expected > 0 && block.delivered == block.expected) out.worst = seconds(block.latency.most);
  return out;
}

Graylisting graylisting_of(const gossip::Judgement& judgement) {
  Graylisting out;
  out.in_time = judgement.graylisted_in_time;
  out.pairs = judgement.graylisted_in_time + judgement.graylisted_late + judgement.never;
  out.left = judgement.left_before;
  if (judgement.graylisted_in_time + judgement.graylisted_late == 0) return out;
  out.p50 = seconds(judgement.until_graylisted.p50);
  out.p99 = seconds(judgement.until_graylisted.p99);
  if (judgement.never == 0) out.worst = seconds(judgement.until_graylisted.most);
  return out;
}

std::vector<FaultRow> faults_of(const gossip::Report& report) {
  std::map<std::string, FaultRow> rows;
  for (const auto& [kind, count] : report.faults_of_hostile) rows[kind].of_hostile = count;
  for (const auto& [kind, count] : report.faults_of_honest) rows[kind].of_honest = count;
  std::vector<FaultRow> out;
  for (auto& [kind, row] : rows) {
    row.kind = kind;
    out.push_back(row);
  }
  return out;
}

}  // namespace

Spread ReportMaker::spread_between(const gossip::Metrics& metrics, double from, double until,
                                   const std::vector<Member>& only) const {
  auto deliveries = metrics.deliveries(time_of(from), time_of(until), only);
  std::sort(deliveries.latencies.begin(), deliveries.latencies.end());
  Spread out;
  out.blocks = deliveries.blocks;
  out.expected = deliveries.expected;
  out.in_time = deliveries.in_time;
  out.delivered = deliveries.latencies.size();
  out.p50 = quantile_of(deliveries.latencies, out.expected, 0.5);
  out.p99 = quantile_of(deliveries.latencies, out.expected, 0.99);
  out.worst = quantile_of(deliveries.latencies, out.expected, 1);
  return out;
}

Report ReportMaker::make(const gossip::Network& network, const Plot& plot) const {
  const gossip::Report counted = network.report();
  Report out;
  out.scenario = scenario_.name;
  out.about = scenario_.about;
  out.settings = settings_;
  out.ended = seconds(counted.ended);
  out.events = counted.world.events;
  out.trace_hash = fmt::format("{:016x}", counted.trace_hash);

  for (const auto& block : counted.blocks) {
    // Those at the end have had no time yet.
    if (block.published + counted.deadline <= counted.ended) out.blocks.push_back(row_of(block));
  }
  out.samples = counted.samples;
  const double from = measured_from(settings_);
  const double end = settings_.minutes * 60;
  const std::array<std::pair<double, double>, kPhases.size()> times = {
      std::pair{0.0, from}, {from, settings_.attack_end}, {settings_.attack_end, end}};
  for (std::size_t i = 0; i < times.size(); ++i)
    out.spreads[i] = spread_between(network.metrics(), times[i].first, times[i].second, {});
  if (!targets_.empty()) out.targets = spread_between(network.metrics(), from, settings_.attack_end, targets_);
  out.recovery = recovery_of(out);

  out.faults = faults_of(counted);
  out.graylisting = graylisting_of(counted.of_hostile);
  out.deliveries = counted.routers.delivered;
  out.duplicates = counted.routers.duplicates;
  out.hostile_bytes = plot.bytes_sent();
  out.hostile_rpcs = plot.rpcs_sent();
  if (!counted.samples.empty()) {
    out.message_bytes = counted.samples.back().received.message_bytes;
    out.control_bytes = counted.samples.back().received.control_bytes;
    out.cpu_seconds = seconds(counted.samples.back().busy);
  }
  return out;
}

}  // namespace opp2p::sim::attacks
