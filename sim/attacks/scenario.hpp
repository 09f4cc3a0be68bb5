// The catalogue of attacks: what each is called, whom its sybils are after, what they do, and the settings that it has
// unless a run says otherwise. A new attack is an entry of catalogue.cpp. Constant; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sim/attacks/behaviours.hpp"
#include "sim/attacks/settings.hpp"

namespace opp2p::sim::attacks {

// Whom the sybils dial.
enum class Targets : std::uint8_t { everyone, one_node, publishers };

// What the bars ask of the sybils, under the profile `scored`.
enum class Conduct : std::uint8_t {
  silent,        // keeps blocks to itself and breaks no rule: is to be out of the honest meshes
  breaks_rules,  // is to be graylisted
  lawful,        // forwards, and uses up what the rules allow: nothing is asked
};

struct Scenario {
  std::string_view name;
  std::string_view about;  // one line
  Targets targets = Targets::everyone;
  Conduct conduct = Conduct::silent;
  bool redials = false;                 // a sybil that was refused or thrown out dials somebody else at once
  bool rotates = false;                 // a sybil comes back as another peer after Settings::lifetime
  bool is_covert = false;               // the sybils are there from the start, and honest until the attack
  void (*adjust)(Settings&) = nullptr;  // from the general defaults to those of the attack
  Sybil::Behaviours (*behaviours)(const Settings&) = nullptr;
};

std::span<const Scenario> all_scenarios();
const Scenario* find_scenario(std::string_view name);
// For a name that is not there: what was probably meant.
std::optional<std::string> nearest_scenario(std::string_view name);

// What the scenario has unless it is told otherwise: as many sybils as nodes, and an attack that begins after a sixth
// of the run and leaves a sixth of it for the recovery.
Settings defaults_of(const Scenario& scenario, std::uint64_t nodes, double minutes);

}  // namespace opp2p::sim::attacks
