#include <fmt/format.h>

#include <boost/json.hpp>

#include "sim/attacks/units.hpp"
#include "sim/honest/story.hpp"

namespace opp2p::sim::honest {
namespace {

namespace json = boost::json;
using attacks::seconds;

struct Part {
  std::string_view name;
  double value;
};

std::vector<Part> parts_of(const libp2p::gossipsub::PeerScoreParts& score) {
  std::vector<Part> out = {{"P1", 0},
                           {"P2", 0},
                           {"P4", 0},
                           {"P5", score.application.weighted},
                           {"P6", score.ip_colocation.weighted},
                           {"P7", score.behaviour.weighted}};
  for (const auto& topic : score.topics) {
    out[0].value += topic.time_in_mesh_weighted;
    out[1].value += topic.first_deliveries.weighted;
    out[2].value += topic.invalid_deliveries.weighted;
  }
  return out;
}

json::value least_json(const gossip::ScoreReport& scores) {
  if (!scores.least) return nullptr;
  json::object parts;
  for (const Part& part : parts_of(scores.least->parts)) parts[part.name] = part.value;
  return {{"score", scores.least->parts.score},
          {"observer", scores.least->observer},
          {"peer", scores.least->peer},
          {"time", seconds(scores.least->time)},
          {"parts", parts}};
}

json::object scores_json(const gossip::ScoreReport& scores) {
  json::array points;
  for (const auto& point : scores.points)
    points.push_back(
        {{"time", seconds(point.time)}, {"least", point.least}, {"median", point.median}, {"pairs", point.pairs}});
  json::array curve;
  for (const auto& after : scores.after_invalid)
    curve.push_back({{"pairs", after.pairs}, {"least", after.least}, {"mean", after.mean}, {"most", after.most}});
  json::object out;
  out["least"] = least_json(scores);
  out["pairs_below_zero"] = scores.pairs_below_zero;
  out["honest_banned"] = scores.honest_banned;
  out["own_faults"] = scores.own_faults;
  out["hostile_banned"] = scores.hostile_banned;
  out["most_until_ban"] = scores.most_until_ban;
  out["most_without_ban"] = scores.most_without_ban;
  out["after_invalid"] = std::move(curve);
  out["points"] = std::move(points);
  return out;
}

}  // namespace

std::string report_json(const StoryReport& report) {
  json::array bars;
  for (const auto& bar : report.bars)
    bars.push_back({{"name", bar.name}, {"limit", bar.limit}, {"measured", bar.measured}, {"met", bar.met}});
  const StorySettings& settings = report.settings;
  json::object out;
  out["story"] = report.story;
  out["about"] = report.about;
  out["program"] = report.program;
  out["settings"] = {
      {"seed", settings.seed},       {"nodes", settings.nodes},           {"minutes", settings.minutes},
      {"profile", settings.profile}, {"block_time", settings.block_time}, {"block_size", settings.block_size}};
  out["ended"] = report.ended;
  out["interrupted"] = report.interrupted;
  out["wall_seconds"] = report.wall_seconds;
  out["events"] = report.events;
  out["trace_hash"] = report.trace_hash;
  out["rejected"] = report.rejected;
  out["restarts"] = report.restarts;
  out["delivery"] = report.delivery;
  out["scores"] = scores_json(report.scores);
  out["bars"] = std::move(bars);
  out["met"] = report.met();
  return json::serialize(out);
}

std::string report_text(const StoryReport& report) {
  const StorySettings& settings = report.settings;
  const gossip::ScoreReport& scores = report.scores;
  std::string out =
      fmt::format("{}: {}\n{} honest nodes, profile {}, seed {}, {:.0f} s simulated{}, {} events, trace {}\n",
                  report.story, report.about, settings.nodes, settings.profile, settings.seed, report.ended,
                  report.interrupted ? " (interrupted)" : "", report.events, report.trace_hash);
  if (scores.least) {
    out +=
        fmt::format("least score of an honest peer: {:.3f}, given by node {} to node {} at {:.1f} s",
                    scores.least->parts.score, scores.least->observer, scores.least->peer, seconds(scores.least->time));
    for (const Part& part : parts_of(scores.least->parts))
      if (part.value != 0) out += fmt::format(", {} {:.3f}", part.name, part.value);
    out += "\n";
  }
  out += fmt::format("pairs of honest nodes that were ever below 0: {}\n", scores.pairs_below_zero);
  out += fmt::format("blocks that honest nodes rejected: {}; faults found to be a node's own: {}; restarts: {}\n",
                     report.rejected, scores.own_faults, report.restarts);
  if (scores.hostile_banned + scores.most_without_ban > 0)
    out += fmt::format("attackers banned: {} times, each by one node, after {} invalid blocks at most\n",
                       scores.hostile_banned, scores.most_until_ban);
  for (const auto& bar : report.bars)
    out += fmt::format("{:<8}{}: {}, {}\n", bar.met ? "met" : "NOT MET", bar.name, bar.measured, bar.limit);
  return out;
}

}  // namespace opp2p::sim::honest
