// The report as one JSON document. Rows of blocks and samples are objects with named fields, so that a page can draw
// them without a table of columns.
#include <boost/json.hpp>

#include "opp2p/base/json_text.hpp"
#include "sim/attacks/report.hpp"
#include "sim/attacks/sample_fields.hpp"

namespace opp2p::sim::attacks {
namespace {

namespace json = boost::json;

json::object settings_json(const Settings& settings) {
  json::object out;
  out["seed"] = settings.seed;
  out["nodes"] = settings.nodes;
  out["minutes"] = settings.minutes;
  for (const auto& setting : all_settings()) {
    out[setting.name] = std::visit(
        [&](auto Settings::* field) -> json::value {
          if constexpr (std::is_same_v<decltype(field), Profile Settings::*>) {
            return json::string(to_string(settings.*field));
          } else {
            return settings.*field;
          }
        },
        setting.field);
  }
  return out;
}

json::object block_json(const BlockRow& row) {
  return {{"number", row.number},     {"published", row.published},
          {"expected", row.expected}, {"delivered", row.delivered},
          {"in_time", row.in_time},   {"p50", row.p50},
          {"p99", row.p99},           {"worst", row.worst}};
}

json::object scores_json(const gossip::ScoreSample& scores) {
  json::object parts;
  for (const auto& field : score_part_fields()) parts[field.name] = scores.*field.value;
  const auto& spread = scores.score;
  return {{"count", spread.count},   {"mean", spread.mean}, {"least", spread.least},
          {"median", spread.median}, {"most", spread.most}, {"mean_parts", parts}};
}

json::array samples_json(const std::vector<gossip::Sample>& samples) {
  json::array out;
  gossip::Sample before;
  for (const auto& sample : samples) {
    json::object row;
    const auto add = [&](std::span<const SampleField> fields) {
      for (const auto& field : fields)
        std::visit([&](auto value) { row[field.name] = value; }, field.value(sample, before));
    };
    add(state_fields());
    row["honest_scores"] = scores_json(sample.honest);
    row["hostile_scores"] = scores_json(sample.hostile);
    add(traffic_fields());
    out.push_back(row);
    before = sample;
  }
  return out;
}

json::object spread_json(const Spread& spread) {
  return {{"blocks", spread.blocks},   {"expected", spread.expected}, {"delivered", spread.delivered},
          {"in_time", spread.in_time}, {"p50", spread.p50},           {"p99", spread.p99},
          {"worst", spread.worst}};
}

template <class Rows, class Make>
json::array array_of(const Rows& rows, Make make) {
  json::array out;
  for (const auto& row : rows) out.push_back(make(row));
  return out;
}

json::object fault_json(const FaultRow& fault) {
  return {{"kind", fault.kind}, {"of_honest", fault.of_honest}, {"of_hostile", fault.of_hostile}};
}

}  // namespace

std::string report_json(const Report& report) {
  json::object out;
  out["scenario"] = report.scenario;
  out["about"] = report.about;
  out["model"] = kModelVersion;
  out["settings"] = settings_json(report.settings);
  add_run(out, report);
  json::object spreads;
  for (const Phase phase : kPhases) spreads[to_string(phase)] = spread_json(report.spread(phase));
  out["spread"] = spreads;
  out["targets"] = report.targets ? json::value(spread_json(*report.targets)) : json::value();
  out["recovery"] = report.recovery ? json::value(*report.recovery) : json::value();
  out["graylisting"] = {{"pairs", report.graylisting.pairs}, {"in_time", report.graylisting.in_time},
                        {"left", report.graylisting.left},   {"p50", report.graylisting.p50},
                        {"p99", report.graylisting.p99},     {"worst", report.graylisting.worst}};
  out["faults"] = array_of(report.faults, fault_json);
  out["deliveries"] = report.deliveries;
  out["duplicates"] = report.duplicates;
  out["message_bytes"] = report.message_bytes;
  out["control_bytes"] = report.control_bytes;
  out["hostile_bytes"] = report.hostile_bytes;
  out["hostile_rpcs"] = report.hostile_rpcs;
  out["cpu_seconds"] = report.cpu_seconds;
  out["bars"] = bars_json(report.bars);
  out["met"] = report.met();
  out["blocks"] = array_of(report.blocks, block_json);
  out["samples"] = samples_json(report.samples);
  return json_text(out);
}

}  // namespace opp2p::sim::attacks
