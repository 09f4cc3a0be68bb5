// The summary that a person reads at the end of a run.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/attacks/report.hpp"
#include "sim/attacks/sample_fields.hpp"
#include "sim/attacks/units.hpp"

namespace opp2p::sim::attacks {
namespace {

constexpr std::size_t kScoreRows = 8;  // of the samples, spread over the run

std::string bytes_text(double bytes) {
  for (const auto* unit : {"B", "KB", "MB", "GB"}) {
    if (bytes < 1000) return fmt::format("{:.{}f} {}", bytes, bytes < 10 ? 1 : 0, unit);
    bytes /= 1000;
  }
  return fmt::format("{:.1f} TB", bytes);
}

std::string head(const Report& report) {
  const auto& settings = report.settings;
  return fmt::format(
      "{}: {}\n{} honest nodes, {} sybils, profile {}, seed {}, blocks of {} every {} s, {} Mbit/s\n"
      "{:.0f} s simulated in {:.1f} s, {} events, trace {}\n",
      report.scenario, report.about, settings.nodes, settings.sybils, to_string(settings.profile), settings.seed,
      bytes_text(static_cast<double>(settings.block_size)), settings.block_time, settings.uplink, report.ended,
      report.wall_seconds, report.events, report.trace_hash);
}

std::string spread_table(const Report& report) {
  std::string out = "\nblocks        number  in time    ever       p50       p99       worst\n";
  for (const Phase phase : kPhases) {
    const auto& spread = report.spread(phase);
    if (spread.blocks == 0) continue;
    const double ever =
        static_cast<double>(spread.delivered) / static_cast<double>(std::max<std::uint64_t>(spread.expected, 1));
    out += fmt::format("{:<14}{:>6}  {:>8} {:>8}  {:>8}  {:>8}  {:>8}\n", to_string(phase), spread.blocks,
                       percent(spread.delivery()), percent(ever), milliseconds(spread.p50), milliseconds(spread.p99),
                       milliseconds(spread.worst));
  }
  return out + "In time: within 12 heartbeats, which are 6 s.\n";
}

std::string traffic(const Report& report) {
  const double node_seconds = std::max(1.0, static_cast<double>(report.settings.nodes) * report.ended);
  const auto rate = [&](std::uint64_t bytes) { return bytes_text(static_cast<double>(bytes) / node_seconds); };
  return fmt::format(
      "\ntraffic       {} a second and honest node in messages, {} in control; sybils sent {}\n"
      "duplicates    {:.2f} for each delivered block\n"
      "CPU           {} of a core and honest node\n",
      rate(report.message_bytes), rate(report.control_bytes), rate(report.hostile_bytes),
      static_cast<double>(report.duplicates) / static_cast<double>(std::max<std::uint64_t>(report.deliveries, 1)),
      percent(report.cpu_seconds / node_seconds));
}

std::string scores_table(const Report& report) {
  if (report.samples.empty()) return {};
  std::string out =
      "\n         scores of honest peers   scores of sybils         sybils in  sybils      nodes\n"
      "time    least   median     most  least   median     most  the meshes  graylisted  eclipsed\n";
  const std::size_t count = std::min(report.samples.size(), kScoreRows);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& sample = report.samples[count == 1 ? 0 : i * (report.samples.size() - 1) / (count - 1)];
    const auto& honest = sample.honest.score;
    const auto& hostile = sample.hostile.score;
    out += fmt::format("{:>4.0f} s{:>7.1f}{:>9.1f}{:>9.1f}{:>7.0f}{:>9.1f}{:>9.1f}{:>12}{:>12}{:>10}\n",
                       seconds(sample.time), honest.least, honest.median, honest.most, hostile.least, hostile.median,
                       hostile.most, percent(hostile_mesh_share(sample)), percent(graylisted_share(sample)),
                       sample.meshes_without_honest);
  }
  return out;
}

std::string faults_text(const Report& report) {
  std::string out;
  for (const auto& fault : report.faults) {
    out +=
        fmt::format("  {:<22}{:>10} of sybils{:>10} of honest peers\n", fault.kind, fault.of_hostile, fault.of_honest);
  }
  return out.empty() ? "\nfaults        none\n" : "\nfaults that honest nodes saw\n" + out;
}

std::string verdict(const Report& report) {
  std::string out = "\n" + bars_text(report.bars);
  if (report.interrupted) out += fmt::format("The run was stopped after {:.0f} s.\n", report.ended);
  if (report.bars.empty()) return out + "Too little was simulated for a verdict.\n";
  return out + (report.met() ? "All bars are met.\n" : "Not all bars are met.\n");
}

}  // namespace

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::before: return "before";
    case Phase::attack: return "attack";
    case Phase::after: return "after";
  }
  return "?";
}

std::string report_text(const Report& report) {
  return head(report) + spread_table(report) + traffic(report) + scores_table(report) + faults_text(report) +
         verdict(report);
}

}  // namespace opp2p::sim::attacks
