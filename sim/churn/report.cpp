#include <fmt/format.h>

#include <boost/json.hpp>

#include "sim/churn/churn.hpp"

namespace opp2p::sim::churn {
namespace {

namespace json = boost::json;

json::object tally_json(const ChurnTally& tally) {
  const VisitCounts& visits = tally.visits;
  return {{"visits", visits.came},
          {"refused", visits.failed},
          {"thrown_out", visits.thrown_out},
          {"forgers_thrown_out", visits.forgers},
          {"bad_blocks", visits.forged},
          {"vanished", visits.vanished},
          {"blocks", tally.blocks},
          {"restarts", tally.restarts},
          {"power_losses", tally.power_losses},
          {"lost_connections", tally.lost_connections},
          {"strangers", tally.strangers},
          {"bans", tally.bans},
          {"expired", tally.expired},
          {"banned_again", tally.banned_again},
          {"shortest_ban", tally.shortest_ban},
          {"kept_out", tally.kept_out},
          {"honest_banned", tally.honest_banned},
          {"own_faults", tally.own_faults},
          {"forgers_that_gave_up", visits.gave_up}};
}

json::array checkpoints_json(const ChurnReport& report) {
  json::array out;
  for (const Checkpoint& one : report.checkpoints) {
    json::object levels;
    for (std::size_t i = 0; i < report.names.size(); ++i) levels[report.names[i]] = one.levels[i];
    out.push_back({{"minute", one.minute}, {"heap", one.heap}, {"levels", std::move(levels)}});
  }
  return out;
}

}  // namespace

std::string report_json(const ChurnReport& report) {
  const ChurnSettings& settings = report.settings;
  json::object out;
  out["story"] = kName;
  out["about"] = kAbout;
  out["settings"] = {{"seed", settings.seed},
                     {"nodes", settings.nodes},
                     {"minutes", settings.minutes},
                     {"warm_up", settings.warm_up},
                     {"round", settings.round},
                     {"honest", settings.honest},
                     {"forgers", settings.forgers},
                     {"profile", settings.profile},
                     {"block_time", settings.block_time},
                     {"ban_minutes", settings.ban_minutes},
                     {"leak", settings.leak}};
  add_run(out, report);
  out["links"] = report.links;
  out["tally"] = tally_json(report.tally);
  out["heap_before"] = report.heap_before;
  out["heap_after"] = report.heap_after;
  out["heap_growth_an_hour"] = heap_growth(report);
  out["checkpoints"] = checkpoints_json(report);
  out["bars"] = bars_json(report.bars);
  out["met"] = report.met();
  return json::serialize(out);
}

std::string report_text(const ChurnReport& report) {
  const ChurnSettings& settings = report.settings;
  const ChurnTally& tally = report.tally;
  std::string out = fmt::format("{}: {}\n", kName, kAbout);
  out += fmt::format("{} nodes, {} links, profile {}, seed {}, {:.0f} min simulated{} in {:.0f} s, {} events\n",
                     settings.nodes, report.links, settings.profile, settings.seed, report.ended / 60,
                     report.interrupted ? " (interrupted)" : "", report.wall_seconds, report.events);
  out += fmt::format("{} visits, {} refused, {} without an end, {} strangers, {} bad blocks, {} blocks\n",
                     tally.visits.came, tally.visits.failed, tally.visits.vanished, tally.strangers,
                     tally.visits.forged, tally.blocks);
  out += fmt::format("{} bans by a rule, {} expired; {} restarts in order, {} without power, {} connections lost\n",
                     tally.bans, tally.expired, tally.restarts, tally.power_losses, tally.lost_connections);
  out += "heap at rest in MiB, at each measurement:";
  for (const Checkpoint& one : report.checkpoints)
    out += fmt::format(" {:.2f}", static_cast<double>(one.heap) / (1 << 20));
  out += "\n";
  return out + bars_text(report.bars);
}

}  // namespace opp2p::sim::churn
