// The report as one JSON document. Rows of blocks and samples are objects with named fields, so that a page can draw
// them without a table of columns.
#include <boost/json.hpp>

#include "opp2p/base/json_text.hpp"
#include "sim/attacks/report.hpp"

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

json::object scores_json(const ScoreSpread& scores, const ScorePartMeans& parts) {
  return {{"count", scores.count},
          {"mean", scores.mean},
          {"least", scores.least},
          {"median", scores.median},
          {"most", scores.most},
          {"mean_parts",
           {{"p1_time_in_mesh", parts.time_in_mesh},
            {"p2_first_deliveries", parts.first_deliveries},
            {"p3_mesh_deliveries", parts.mesh_deliveries},
            {"p3b_mesh_failures", parts.mesh_failures},
            {"p4_invalid_deliveries", parts.invalid_deliveries},
            {"p5_application", parts.application},
            {"p6_ip_colocation", parts.ip_colocation},
            {"p7_behaviour", parts.behaviour}}}};
}

json::object sample_json(const SampleRow& row) {
  return {{"at", row.at},
          {"honest", row.honest},
          {"sybils", row.sybils},
          {"mesh_size", row.mesh_size},
          {"hostile_mesh_share", row.hostile_mesh_share},
          {"eclipsed", row.eclipsed},
          {"hostile_connection_share", row.hostile_connection_share},
          {"graylisted_share", row.graylisted_share},
          {"honest_scores", scores_json(row.honest_scores, row.honest_parts)},
          {"hostile_scores", scores_json(row.hostile_scores, row.hostile_parts)},
          {"message_bytes", row.message_bytes},
          {"control_bytes", row.control_bytes},
          {"duplicates", row.duplicates},
          {"cpu_share", row.cpu_share}};
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

json::object bar_json(const Bar& bar) {
  return {{"name", bar.name}, {"limit", bar.limit}, {"measured", bar.measured}, {"met", bar.met}};
}

json::object fault_json(const FaultRow& fault) {
  return {{"kind", fault.kind}, {"of_honest", fault.of_honest}, {"of_hostile", fault.of_hostile}};
}

}  // namespace

std::string report_json(const Report& report) {
  json::object out;
  out["scenario"] = report.scenario;
  out["about"] = report.about;
  out["program"] = report.program;
  out["model"] = kModelVersion;
  out["settings"] = settings_json(report.settings);
  out["ended"] = report.ended;
  out["interrupted"] = report.interrupted;
  out["wall_seconds"] = report.wall_seconds;
  out["events"] = report.events;
  out["trace_hash"] = report.trace_hash;
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
  out["bars"] = array_of(report.bars, bar_json);
  out["met"] = report.met();
  out["blocks"] = array_of(report.blocks, block_json);
  out["samples"] = array_of(report.samples, sample_json);
  return json_text(out);
}

}  // namespace opp2p::sim::attacks
