// The rows of a report as comma-separated values, for a spreadsheet. A latency of what never came is empty.
#include <fmt/format.h>

#include <cmath>

#include "sim/attacks/report.hpp"
#include "sim/attacks/sample_fields.hpp"

namespace opp2p::sim::attacks {
namespace {

std::string cell(double value) { return std::isfinite(value) ? fmt::format("{:.6g}", value) : std::string(); }

std::string cell(std::uint64_t value) { return fmt::format("{}", value); }

std::string score_columns(std::string_view whose) {
  std::string out;
  for (const auto* name : {"mean", "least", "median", "most"}) out += fmt::format(",{}_score_{}", whose, name);
  for (const auto& field : score_part_fields()) out += fmt::format(",{}_{}", whose, field.part());
  return out;
}
std::string score_cells(const gossip::ScoreSample& scores) {
  std::string out;
  const auto& spread = scores.score;
  for (const double value : {spread.mean, spread.least, spread.median, spread.most}) out += "," + cell(value);
  for (const auto& field : score_part_fields()) out += "," + cell(scores.*field.value);
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
  std::string out;
  for (const auto fields : {state_fields(), traffic_fields()}) {
    for (const auto& field : fields) out += fmt::format("{}{}", out.empty() ? "" : ",", field.name);
  }
  out += score_columns("honest") + score_columns("hostile") + "\n";
  gossip::Sample before;
  for (const auto& sample : report.samples) {
    std::string_view comma;
    for (const auto fields : {state_fields(), traffic_fields()}) {
      for (const auto& field : fields) {
        out += comma;
        out += std::visit([](auto value) { return cell(value); }, field.value(sample, before));
        comma = ",";
      }
    }
    out += score_cells(sample.honest) + score_cells(sample.hostile) + "\n";
    before = sample;
  }
  return out;
}

}  // namespace opp2p::sim::attacks
