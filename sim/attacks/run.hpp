// Runs a scenario: makes a world of honest nodes and sybils, lets its time pass, and measures. One run has one seed,
// and the same settings give the same report, but for its wall time.
//
// Thread: the caller's; the run takes all of it. Bounds: those of Settings.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "sim/attacks/report.hpp"
#include "sim/attacks/scenario.hpp"

namespace opp2p::sim::attacks {

struct Progress {
  double at = 0;  // seconds of virtual time
  double until = 0;
  std::uint64_t blocks = 0;
  double delivery = 0;  // of the blocks whose time is over, all phases
  double hostile_mesh_share = 0;
};
// Called every second of virtual time. False stops the run; the report is then of what was until there.
using OnProgress = std::function<bool(const Progress&)>;

// The settings have passed validate().
Report run(const Scenario& scenario, const Settings& settings, const OnProgress& on_progress);

// From when on a run counts as attacked: from the start of the attack, but not before honest nodes that arrive over a
// longer time have had kSettling to find peers.
inline constexpr double kStartTogether = 2;  // seconds: nodes that arrive within it are connected at once
inline constexpr double kSettling = 15;      // seconds
double measured_from(const Settings& settings);

// Seconds from the end of the attack to the first block from which on all spread well; nothing when the last one did
// not.
std::optional<double> recovery_of(const Report& report);

// The bars that the report is held to, from its rows. None when no block was published during the attack.
std::vector<Bar> judge(const Scenario& scenario, const Report& report);

}  // namespace opp2p::sim::attacks
