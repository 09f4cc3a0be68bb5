// What an attack is to leave standing: most blocks reach nearly everybody in time, hostile peers are seen for what they
// are, and the network is whole again soon after.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/attacks/run.hpp"
#include "sim/attacks/sample_fields.hpp"
#include "sim/attacks/units.hpp"

namespace opp2p::sim::attacks {
namespace {

constexpr double kDelivery = 0.999;
constexpr double kMeshShare = 0.01;
constexpr double kRecoveryBlocks = 3;
constexpr double kGraylistSeconds = 60;

Bar delivery_bar(std::string name, const Spread& spread) {
  return {std::move(name), fmt::format("at least {:.1f}%", kDelivery * 100), percent(spread.delivery()),
          spread.delivery() >= kDelivery};
}

Bar recovery_bar(const Report& report) {
  const double limit = kRecoveryBlocks * report.settings.block_time;
  return {"recovery after the attack", fmt::format("within {:.1f} s", limit),
          report.recovery ? fmt::format("{:.1f} s", *report.recovery) : std::string("not within the run"),
          report.recovery && *report.recovery <= limit};
}

Bar graylist_bar(const Graylisting& graylisting) {
  Bar out;
  out.name = "sybils below the graylist threshold";
  out.limit = fmt::format("all within {:.0f} s of their first fault", kGraylistSeconds);
  out.measured = graylisting.pairs == 0
                     ? std::string("no fault was seen")
                     : fmt::format("{} of {}, the slowest after {}", graylisting.in_time, graylisting.pairs,
                                   std::isfinite(graylisting.worst) ? fmt::format("{:.1f} s", graylisting.worst)
                                                                    : std::string("the end of the run"));
  if (graylisting.left > 0) out.measured += fmt::format("; {} left before", graylisting.left);
  out.met = graylisting.pairs > 0 && graylisting.in_time == graylisting.pairs;
  return out;
}

Bar mesh_bar(const Report& report) {
  const gossip::Sample* last = nullptr;
  for (const auto& sample : report.samples) {
    const double at = seconds(sample.time);
    if (at >= report.settings.attack_start && at < report.settings.attack_end) last = &sample;
  }
  const double share = last == nullptr ? 1 : hostile_mesh_share(*last);
  return {"places of sybils in honest meshes at the end of the attack", "at most " + percent(kMeshShare),
          percent(share), share <= kMeshShare};
}

bool is_spread_well(const BlockRow& row, double block_time) {
  return row.expected > 0 && static_cast<double>(row.in_time) >= kDelivery * static_cast<double>(row.expected) &&
         row.p99 < block_time;
}

}  // namespace

double measured_from(const Settings& settings) {
  const double settled = settings.honest_arrival > kStartTogether ? settings.honest_arrival + kSettling : 0;
  return std::min(std::max(settings.attack_start, settled), settings.attack_end);
}

std::optional<double> recovery_of(const Report& report) {
  std::optional<double> out;
  for (auto row = report.blocks.rbegin(); row != report.blocks.rend(); ++row) {
    if (row->published < report.settings.attack_end || !is_spread_well(*row, report.settings.block_time)) break;
    out = row->published - report.settings.attack_end;
  }
  return out;
}

std::vector<Bar> judge(const Scenario& scenario, const Report& report) {
  const auto& attack = report.spread(Phase::attack);
  if (attack.expected == 0) return {};
  std::vector<Bar> out;
  out.push_back(delivery_bar("delivery within 12 heartbeats during the attack", attack));
  out.push_back({"p99 latency during the attack", fmt::format("below {:.0f} ms", report.settings.block_time * 1000),
                 milliseconds(attack.p99), attack.p99 < report.settings.block_time});
  if (report.targets) out.push_back(delivery_bar("delivery to the nodes under attack", *report.targets));
  if (report.settings.profile == Profile::scored) {
    if (scenario.conduct == Conduct::breaks_rules) out.push_back(graylist_bar(report.graylisting));
    if (scenario.conduct == Conduct::silent) out.push_back(mesh_bar(report));
  }
  if (report.spread(Phase::after).expected > 0) out.push_back(recovery_bar(report));
  return out;
}

}  // namespace opp2p::sim::attacks
