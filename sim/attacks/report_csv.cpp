// The rows of a report as comma-separated values, for a spreadsheet. A latency of what never came is empty.
#include <fmt/format.h>

#include <cmath>

#include "sim/attacks/report.hpp"

namespace opp2p::sim::attacks {
namespace {

std::string cell(double value) { return std::isfinite(value) ? fmt::format("{:.6g}", value) : std::string(); }

std::string scores_cells(const ScoreSpread& scores) {
  return fmt::format("{},{},{},{}", cell(scores.mean), cell(scores.least), cell(scores.median), cell(scores.most));
}

std::string parts_cells(const ScorePartMeans& parts) {
  return fmt::format("{},{},{},{},{},{},{},{}", cell(parts.time_in_mesh), cell(parts.first_deliveries),
                     cell(parts.mesh_deliveries), cell(parts.mesh_failures), cell(parts.invalid_deliveries),
                     cell(parts.application), cell(parts.ip_colocation), cell(parts.behaviour));
}

std::string score_columns(std::string_view whose) {
  std::string out;
  for (const auto* name : {"mean", "least", "median", "most"}) out += fmt::format(",{}_score_{}", whose, name);
  for (const auto* name : {"p1", "p2", "p3", "p3b", "p4", "p5", "p6", "p7"}) out += fmt::format(",{}_{}", whose, name);
  return out;
}

}  // namespace

std::string blocks_csv(const Report& report) {
  std::string out = "number,published,expected,delivered,in_time,p50,p99,worst\n";
  for (const auto& row : report.blocks) {
    out += fmt::format("{},{},{},{},{},{},{},{}\n", row.number, cell(row.published), row.expected, row.delivered,
                       row.in_time, cell(row.p50), cell(row.p99), cell(row.worst));
  }
  return out;
}

std::string samples_csv(const Report& report) {
  std::string out =
      "at,honest,sybils,mesh_size,hostile_mesh_share,eclipsed,hostile_connection_share,graylisted_share,message_bytes,"
      "control_bytes,duplicates,cpu_share" +
      score_columns("honest") + score_columns("hostile") + "\n";
  for (const auto& row : report.samples) {
    out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", cell(row.at), row.honest, row.sybils,
                       cell(row.mesh_size), cell(row.hostile_mesh_share), row.eclipsed,
                       cell(row.hostile_connection_share), cell(row.graylisted_share), row.message_bytes,
                       row.control_bytes, row.duplicates, cell(row.cpu_share), scores_cells(row.honest_scores),
                       parts_cells(row.honest_parts), scores_cells(row.hostile_scores), parts_cells(row.hostile_parts));
  }
  return out;
}

}  // namespace opp2p::sim::attacks
