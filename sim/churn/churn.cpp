#include "sim/churn/churn.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "opstack/reputation/scoring_profiles.hpp"
#include "sim/churn/churn_world.hpp"
#include "sim/live_counts.hpp"
#include "sim/report/assignment.hpp"

namespace opp2p::sim::churn {
namespace {

using libp2p::Errc;
using libp2p::fail;
using libp2p::Result;

// Minutes of each round in which nobody comes: a half-open connection ends within one, a static peer is dialled again
// within two, and the retries of what a restart has cut off end.
constexpr double kRest = 5;

struct Setting {
  std::string_view key;
  double least, most;
  void (*set)(ChurnSettings&, double);
};
constexpr Setting kSettings[] = {
    {"honest", 0, 1000, [](ChurnSettings& s, double v) { s.honest = static_cast<std::uint64_t>(v); }},
    {"forgers", 0, 1000, [](ChurnSettings& s, double v) { s.forgers = static_cast<std::uint64_t>(v); }},
    {"warm-up", 0, 6000, [](ChurnSettings& s, double v) { s.warm_up = v; }},
    {"round", 7, 600, [](ChurnSettings& s, double v) { s.round = v; }},
    {"block-time", 1, 60, [](ChurnSettings& s, double v) { s.block_time = v; }},
    {"ban-minutes", 1, 10'000, [](ChurnSettings& s, double v) { s.ban_minutes = v; }},
    {"leak", 0, 1e6, [](ChurnSettings& s, double v) { s.leak = static_cast<std::uint64_t>(v); }},
    {"check-every", 0, 1e9, [](ChurnSettings& s, double v) { s.check_every = static_cast<std::uint64_t>(v); }},
};

Result<void> apply(ChurnSettings& settings, const Assignment& written) {
  const auto key = written.key;
  if (key == "profile") {
    settings.profile = written.value;
    return {};
  }
  const auto* setting = std::find_if(std::begin(kSettings), std::end(kSettings), [&](auto& s) { return s.key == key; });
  if (setting == std::end(kSettings))
    return fail(Errc::invalid_argument, fmt::format("--set {}: {} has no such setting; write one of {} as key=value",
                                                    key, kName, setting_names()));
  OPP2P_TRY(const double value, number_within<double>(written, setting->least, setting->most));
  setting->set(settings, value);
  return {};
}

void measure(ChurnWorld& world, ChurnReport& report) {
  Checkpoint here;
  here.heap = heap_in_use();
  here.minute = world.minute();
  const Levels levels = world.levels();
  if (report.names.empty())
    for (const auto& [name, level] : levels) report.names.push_back(name);
  here.levels.reserve(levels.size());
  for (const auto& [name, level] : levels) here.levels.push_back(level);
  report.checkpoints.push_back(std::move(here));
}

}  // namespace

std::string setting_names() {
  std::string out = "profile";
  for (const Setting& setting : kSettings) out += fmt::format(", {}", setting.key);
  return out;
}

Result<void> apply_settings(ChurnSettings& settings, std::span<const std::string> assignments) {
  for (const std::string_view assignment : assignments) OPP2P_TRYV(apply(settings, assignment_of(assignment)));
  return {};
}

Result<void> validate(const ChurnSettings& settings) {
  if (settings.nodes <= ChurnWorld::kVisited || settings.nodes > 200)
    return fail(Errc::invalid_argument, fmt::format("--nodes {}: {} has from {} to 200 nodes", settings.nodes, kName,
                                                    ChurnWorld::kVisited + 1));
  if (settings.round <= kRest || settings.minutes < settings.round)
    return fail(Errc::invalid_argument,
                fmt::format("--minutes {}: one round of {} takes {} minutes", settings.minutes, kName, settings.round));
  const auto profile =
      opstack::reputation::make_scoring_profile(settings.profile, {}, opstack::reputation::ProfileUse::node);
  if (!profile) return fail(Errc::invalid_argument, "--set profile: " + profile.error().text());
  return {};
}

ChurnReport run(const ChurnSettings& settings, const OnMinute& on_minute) {
  ChurnReport out;
  out.settings = settings;
  out.checkpoints.reserve(static_cast<std::size_t>(settings.minutes / settings.round) + 1);
  out.heap_before = heap_in_use();
  {
    ChurnWorld world(settings);
    bool goes_on = true;
    // Each measurement is at its own minute, so that it is as long after the last collection of expired records as
    // others.
    for (double due = settings.round; goes_on && due <= settings.minutes; due += settings.round) {
      world.open();
      while (goes_on && world.minute() < due - kRest) {
        world.churn_a_minute();
        if (on_minute) goes_on = on_minute(world.minute(), settings.minutes);
      }
      if (!goes_on) break;
      world.rest_until(due);
      measure(world, out);
    }
    out.interrupted = !goes_on;
    out.ended = world.minute() * 60;
    out.events = world.world().delivered();
    out.trace_hash = fmt::format("{:016x}", world.world().trace_hash());
    out.links = world.links();
    world.close();
    out.tally = world.tally();
  }
  out.heap_after = heap_in_use();
  for (const auto& [name, count] : live_counts())
    if (count != 0) out.alive_at_end.emplace(name, count);
  out.bars = judge(out);
  return out;
}

}  // namespace opp2p::sim::churn
