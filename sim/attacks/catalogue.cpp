// The attacks. The first nine are those of the evaluation of GossipSub v1.1 (PL-TechRep-2020-001), the others our own.
#include <array>
#include <cmath>
#include <vector>

#include "opp2p/config/flag_reader.hpp"
#include "sim/attacks/scenario.hpp"
#include "sim/attacks/units.hpp"

namespace opp2p::sim::attacks {
namespace {

using libp2p::Nanos;

template <class B, class... Arguments>
void add(Sybil::Behaviours& to, Arguments&&... arguments) {
  to.push_back(std::make_unique<B>(std::forward<Arguments>(arguments)...));
}

Forwards::Options forwarding(const Settings& settings) {
  return {.drop = settings.drop, .delay = nanos(settings.delay), .censors = false};
}

// In every mesh, and forwards what the settings say; answers IWANT only before the attack.
Sybil::Behaviours keeps_back(const Settings& settings) {
  Sybil::Behaviours out;
  add<TakesPlaces>(out, nanos(settings.graft_again));
  add<Forwards>(out, forwarding(settings));
  add<Answers>(out, std::nullopt);
  return out;
}

Sybil::Behaviours censors(const Settings& settings) {
  Sybil::Behaviours out;
  auto options = forwarding(settings);
  options.censors = true;
  add<TakesPlaces>(out, nanos(settings.graft_again));
  add<Forwards>(out, options);
  add<Answers>(out, std::nullopt);
  return out;
}

// Answers too, as late as it forwards.
Sybil::Behaviours drips(const Settings& settings) {
  Sybil::Behaviours out;
  add<TakesPlaces>(out, nanos(settings.graft_again));
  add<Forwards>(out, forwarding(settings));
  add<Answers>(out, nanos(settings.delay));
  return out;
}

// In every mesh, forwards as an honest node does, and besides does too much of something.
template <class Spam>
Sybil::Behaviours spams(const Settings& settings) {
  Sybil::Behaviours out;
  add<TakesPlaces>(out, nanos(settings.graft_again));
  add<Forwards>(out, forwarding(settings));
  add<Answers>(out, Nanos(0));
  add<Spam>(out, settings.rate);
  return out;
}

double length_of(const Settings& settings) { return settings.minutes * 60; }

void cold_boot(Settings& settings) {
  settings.attack_start = 0;
  settings.honest_arrival = length_of(settings) / 18;
}

void at_dawn(Settings& settings) {
  settings.attack_start = 0;
  settings.honest_arrival = length_of(settings) / 4;
}

// As op-node finds its peers: by a discovery that anybody may fill, until it has 20 connections of either kind.
void poison_discovery(Settings& settings) {
  at_dawn(settings);
  settings.dials = 20;
  settings.counts_inbound = true;
  settings.announced = true;
}

template <int kTenths>
void spam_rate(Settings& settings) {
  settings.drop = 0;
  settings.rate = kTenths / 10.0;
}

constexpr std::array kScenarios = {
    Scenario{.name = "eclipse-one",
             .about = "all sybils dial one node, fill its mesh and forward nothing",
             .targets = Targets::one_node,
             .adjust = [](Settings& settings) { settings.sybil_dials = 1; },
             .behaviours = keeps_back},
    Scenario{.name = "eclipse-network",
             .about = "sybils dial all nodes, fill their meshes and forward nothing",
             .behaviours = keeps_back},
    Scenario{.name = "eclipse-publishers",
             .about = "all sybils dial the sequencers, fill their meshes and forward nothing",
             .targets = Targets::publishers,
             .adjust = [](Settings& settings) { settings.publishers = 3; },
             .behaviours = keeps_back},
    Scenario{.name = "censorship",
             .about = "sybils forward every block but those of one of two sequencers",
             .conduct = Conduct::lawful,
             .adjust = [](Settings& settings) { settings.publishers = 2; },
             .behaviours = censors},
    Scenario{.name = "degradation",
             .about = "sybils forward half of the blocks, half a second late",
             .conduct = Conduct::lawful,
             .adjust =
                 [](Settings& settings) {
                   settings.drop = 0.5;
                   settings.delay = 0.5;
                 },
             .behaviours = keeps_back},
    Scenario{.name = "cold-boot",
             .about = "sybils that forward nothing and honest nodes start at the same time",
             .adjust = cold_boot,
             .behaviours = keeps_back},
    Scenario{.name = "covert-flash",
             .about = "sybils behave well at first, then all stop forwarding at once",
             .is_covert = true,
             .adjust = [](Settings& settings) { settings.attack_start = length_of(settings) / 2; },
             .behaviours = keeps_back},
    Scenario{.name = "dawn",
             .about = "sybils are there first; the honest nodes arrive among them one by one",
             .adjust = at_dawn,
             .behaviours = keeps_back},
    Scenario{.name = "ip-colocation",
             .about = "the sybils of an eclipse of the network share one IP address",
             .adjust = [](Settings& settings) { settings.sybils_per_ip = settings.sybils; },
             .behaviours = keeps_back},
    Scenario{.name = "sybil-flood",
             .about = "sybils dial as many nodes as let them in, again and again, and forward nothing",
             .redials = true,
             .adjust = [](Settings& settings) { settings.sybil_dials = 60; },
             .behaviours = keeps_back},
    Scenario{.name = "discovery",
             .about = "as dawn, and sybils fill the discovery and the places that nodes count",
             .adjust = poison_discovery,
             .behaviours = keeps_back},
    Scenario{.name = "ihave-spam",
             .about = "sybils advertise blocks that do not exist",
             .conduct = Conduct::breaks_rules,
             .adjust = spam_rate<20>,
             .behaviours = spams<InventsIds>},
    Scenario{.name = "iwant-spam",
             .about = "sybils ask for the last blocks again and again",
             .conduct = Conduct::lawful,
             .adjust = spam_rate<20>,
             .behaviours = spams<AsksAgain>},
    Scenario{.name = "invalid-blocks",
             .about = "sybils publish blocks that are not valid",
             .conduct = Conduct::breaks_rules,
             .adjust = spam_rate<10>,
             .behaviours = spams<SendsBadBlocks>},
    Scenario{.name = "graft-flood",
             .about = "sybils send GRAFT without regard to the back-off",
             .conduct = Conduct::breaks_rules,
             .adjust = spam_rate<20>,
             .behaviours = spams<FloodsGrafts>},
    Scenario{.name = "slow-drip",
             .about = "sybils forward every block and answer every IWANT, each 1.5 s late",
             .conduct = Conduct::lawful,
             .adjust =
                 [](Settings& settings) {
                   settings.drop = 0;
                   settings.delay = 1.5;
                 },
             .behaviours = drips},
    Scenario{.name = "replay",
             .about = "sybils send blocks of before, known ones and forgotten ones",
             .conduct = Conduct::breaks_rules,
             .adjust = spam_rate<5>,
             .behaviours = spams<Replays>},
    Scenario{.name = "identity-rotation",
             .about = "sybils publish invalid blocks, and every 20 s come back as other peers",
             .conduct = Conduct::breaks_rules,
             .rotates = true,
             .adjust = spam_rate<10>,
             .behaviours = spams<SendsBadBlocks>},
};

}  // namespace

std::span<const Scenario> all_scenarios() { return kScenarios; }

const Scenario* find_scenario(std::string_view name) {
  for (const auto& scenario : kScenarios) {
    if (scenario.name == name) return &scenario;
  }
  return nullptr;
}

std::optional<std::string> nearest_scenario(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& scenario : kScenarios) names.emplace_back(scenario.name);
  return opp2p::nearest_name(name, names);
}

Settings defaults_of(const Scenario& scenario, std::uint64_t nodes, double minutes) {
  Settings out;
  out.nodes = nodes;
  out.sybils = nodes;
  out.minutes = minutes;
  out.attack_start = length_of(out) / 6;
  out.attack_end = length_of(out) * 5 / 6;
  if (scenario.adjust != nullptr) scenario.adjust(out);
  return out;
}

}  // namespace opp2p::sim::attacks
