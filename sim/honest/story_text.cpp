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

json::object seen_json(const gossip::SeenScore& seen) {
  json::object parts;
  for (const Part& part : parts_of(seen.parts)) parts[part.name] = part.value;
  return {{"score", seen.parts.score},
          {"observer", seen.observer},
          {"peer", seen.peer},
          {"time", seconds(seen.time)},
          {"parts", std::move(parts)}};
}

// Seconds of the observer's clock since the run began.
double seconds_of(const opstack::reputation::Fault& fault) {
  return attacks::seconds(libp2p::MonoTime(fault.at - gossip::WorldParams().epoch));
}

json::array below_json(const std::vector<gossip::BelowZero>& below) {
  json::array out;
  for (const auto& pair : below) {
    json::object one = seen_json(pair.least);
    one["since"] = seconds(pair.since);
    json::array faults;
    for (const auto& fault : pair.faults)
      faults.push_back({{"reason", fault.reason_id}, {"time", seconds_of(fault)}, {"message", fault.message_id}});
    one["faults"] = std::move(faults);
    out.push_back(std::move(one));
  }
  return out;
}

// "node 7 gave node 9 -0.55 at 200.0 s: P2 0.05, P4 -0.60; invalid_signature at 169.8 s by its clock"
std::string below_text(const gossip::BelowZero& pair) {
  std::string out =
      fmt::format("  node {} gave node {} {:.2f} at {:.1f} s, below 0 since {:.1f} s:", pair.least.observer,
                  pair.least.peer, pair.least.parts.score, seconds(pair.least.time), seconds(pair.since));
  for (const Part& part : parts_of(pair.least.parts))
    if (part.value != 0) out += fmt::format(" {} {:.2f}", part.name, part.value);
  for (const auto& fault : pair.faults) out += fmt::format("; {} at {:.1f} s", fault.reason_id, seconds_of(fault));
  return out + "\n";
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
  out["least"] = scores.least ? json::value(seen_json(*scores.least)) : nullptr;
  out["below"] = below_json(scores.below);
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
  const StorySettings& settings = report.settings;
  json::object out;
  out["story"] = report.story;
  out["about"] = report.about;
  out["settings"] = {
      {"seed", settings.seed},       {"nodes", settings.nodes},           {"minutes", settings.minutes},
      {"profile", settings.profile}, {"block_time", settings.block_time}, {"block_size", settings.block_size}};
  add_run(out, report);
  out["rejected"] = report.rejected;
  out["restarts"] = report.restarts;
  out["delivery"] = report.delivery;
  out["scores"] = scores_json(report.scores);
  out["bars"] = bars_json(report.bars);
  out["met"] = report.bars.empty() ? json::value(nullptr) : json::value(report.met());
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
  for (const auto& pair : scores.below) out += below_text(pair);
  out += fmt::format("blocks that honest nodes rejected: {}; faults found to be a node's own: {}; restarts: {}\n",
                     report.rejected, scores.own_faults, report.restarts);
  if (scores.hostile_banned + scores.most_without_ban > 0)
    out += fmt::format("attackers banned: {} times, each by one node, after {} invalid blocks at most\n",
                       scores.hostile_banned, scores.most_until_ban);
  if (!report.is_scored())
    out += fmt::format("not judged: scores and bans of honest peers, because the profile {} scores nobody\n",
                       settings.profile);
  return out + bars_text(report.bars);
}

}  // namespace opp2p::sim::honest
