#include "sim/attacks/settings.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "opp2p/config/flag_reader.hpp"

namespace opp2p::sim::attacks {
namespace {

using libp2p::Errc;
using libp2p::Error;
using libp2p::fail;
using libp2p::Result;

constexpr std::array kProfiles = {Profile::none, Profile::light, Profile::opp2p, Profile::scored};

constexpr std::array kSettings = {
    Setting{"profile", "how honest nodes score their peers: none, light, opp2p or scored", &Settings::profile},
    Setting{"block-size", "bytes of a block", &Settings::block_size, 100, 4'000'000},
    Setting{"block-time", "seconds between blocks", &Settings::block_time, 0.1, 60},
    Setting{"uplink", "bandwidth of every member in Mbit/s, each way", &Settings::uplink, 1, 100'000},
    Setting{"loss", "share of the packets that are lost", &Settings::loss, 0, 0.2},
    Setting{"churn", "share of the honest nodes that restart in a minute", &Settings::churn, 0, 1},
    Setting{"dials", "connections that an honest node makes", &Settings::dials, 1, 200},
    Setting{"counts-inbound", "dials counts the connections that others have made too", &Settings::counts_inbound},
    Setting{"max-inbound", "connections that an honest node accepts", &Settings::max_inbound, 1, 10'000},
    Setting{"publishers", "sequencers, which take turns", &Settings::publishers, 1, 100},
    Setting{"sentries", "the one sequencer is connected to two nodes only", &Settings::sentries},
    Setting{"flood-publish", "a sequencer sends its blocks to all its peers", &Settings::flood_publish},
    Setting{"sybils", "hostile members", &Settings::sybils, 0, 20'000},
    Setting{"sybil-dials", "connections that each sybil makes", &Settings::sybil_dials, 1, 1000},
    Setting{"sybils-per-ip", "sybils that share an IP address", &Settings::sybils_per_ip, 1, 20'000},
    Setting{"attack-start", "seconds from the start of the run to the attack", &Settings::attack_start, 0, 36'000},
    Setting{"attack-end", "seconds from the start of the run until the sybils leave", &Settings::attack_end, 0, 36'000},
    Setting{"drop", "share of the blocks that a sybil does not forward", &Settings::drop, 0, 1},
    Setting{"delay", "seconds that a sybil holds the blocks that it forwards", &Settings::delay, 0, 60},
    Setting{"rate", "what a sybil sends too much of, per second and peer", &Settings::rate, 0.01, 1000},
    Setting{"graft-again", "seconds from a PRUNE to the sybil's next GRAFT", &Settings::graft_again, 0.01, 3600},
    Setting{"lifetime", "seconds after which a sybil comes back as another peer", &Settings::lifetime, 1, 3600},
    Setting{"honest-arrival", "seconds that the arrival of the honest nodes takes", &Settings::honest_arrival, 0, 3600},
    Setting{"announced", "discovery finds the sybils, so that honest nodes dial them too", &Settings::announced},
    Setting{"encode", "RPCs travel as bytes; the result is the same", &Settings::encode},
    Setting{"check-every", "events between two checks of a node's invariants; 0: none", &Settings::check_every, 0,
            1'000'000'000},
};

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

Error out_of_range(const Setting& setting, std::string_view text) {
  return fail(Errc::invalid_argument, fmt::format("--set {}={}: write a number from {} to {} ({})", setting.name, text,
                                                  setting.least, setting.most, setting.about));
}

// One assignment: reads `text` into the field.
struct Assign {
  Settings& settings;
  const Setting& setting;
  std::string_view text;

  Result<void> operator()(std::uint64_t Settings::* field) const {
    const auto number = parse_number<std::uint64_t>(text);
    if (!number) {
      return fail(Errc::invalid_argument, fmt::format("--set {}={}: write a whole number from {} to {} ({})",
                                                      setting.name, text, setting.least, setting.most, setting.about));
    }
    if (static_cast<double>(*number) < setting.least || static_cast<double>(*number) > setting.most)
      return out_of_range(setting, text);
    settings.*field = *number;
    return {};
  }
  Result<void> operator()(double Settings::* field) const {
    const auto number = parse_number<double>(text);
    if (!number || !(*number >= setting.least && *number <= setting.most)) return out_of_range(setting, text);
    settings.*field = *number;
    return {};
  }
  Result<void> operator()(bool Settings::* field) const {
    if (text != "true" && text != "false")
      return fail(Errc::invalid_argument, fmt::format("--set {}={}: write true or false", setting.name, text));
    settings.*field = text == "true";
    return {};
  }
  Result<void> operator()(Profile Settings::* field) const {
    for (const Profile profile : kProfiles) {
      if (text != to_string(profile)) continue;
      settings.*field = profile;
      return {};
    }
    return fail(
        Errc::invalid_argument,
        fmt::format("--set {}={}: there is no such profile; write none, light, opp2p or scored", setting.name, text));
  }
};

Error unknown_setting(std::string_view key) {
  std::vector<std::string> names;
  for (const auto& setting : kSettings) names.emplace_back(setting.name);
  const auto near = opp2p::nearest_name(key, names);
  return fail(Errc::invalid_argument,
              fmt::format("--set {}: there is no such setting. {}", key,
                          near ? "Did you mean " + *near + "?" : "opp2p sim run --help lists the settings."));
}

}  // namespace

std::string_view to_string(Profile profile) {
  switch (profile) {
    case Profile::none: return "none";
    case Profile::light: return "light";
    case Profile::opp2p: return "opp2p";
    case Profile::scored: return "scored";
  }
  return "?";
}

std::span<const Setting> all_settings() { return kSettings; }

const Setting* find_setting(std::string_view name) {
  for (const auto& setting : kSettings) {
    if (setting.name == name) return &setting;
  }
  return nullptr;
}

std::string value_text(const Settings& settings, const Setting& setting) {
  return std::visit(Overloaded{[&](bool Settings::* field) { return std::string(settings.*field ? "true" : "false"); },
                               [&](Profile Settings::* field) { return std::string(to_string(settings.*field)); },
                               [&](auto Settings::* field) { return fmt::format("{}", settings.*field); }},
                    setting.field);
}

Result<void> apply_settings(Settings& settings, std::span<const std::string> assignments) {
  Settings changed = settings;
  for (const auto& assignment : assignments) {
    const auto equals = assignment.find('=');
    const auto key = std::string_view(assignment).substr(0, equals);
    const Setting* setting = find_setting(key);
    if (setting == nullptr) return unknown_setting(key);
    if (equals == std::string::npos) {
      return fail(Errc::invalid_argument,
                  fmt::format("--set {0}: the value is missing; write for example --set {0}={1}", assignment,
                              value_text(settings, *setting)));
    }
    OPP2P_TRYV(std::visit(Assign{changed, *setting, std::string_view(assignment).substr(equals + 1)}, setting->field));
  }
  settings = changed;
  return {};
}

Result<void> validate(const Settings& settings) {
  const double seconds = settings.minutes * 60;
  const auto wrong = [](std::string text) { return fail(Errc::invalid_argument, std::move(text)); };
  if (!std::isfinite(seconds) || seconds <= 0) {
    return wrong(fmt::format("{} minutes are no length of a run; give --minutes a number above 0", settings.minutes));
  }
  if (settings.attack_end <= settings.attack_start) {
    return wrong(fmt::format("attack-end {} is not after attack-start {}; give --set attack-end=SECONDS a later time",
                             settings.attack_end, settings.attack_start));
  }
  if (settings.attack_end > seconds) {
    return wrong(
        fmt::format("the attack ends after {} s, the run after {} s; give --minutes {} or more, or --set "
                    "attack-end=SECONDS an earlier time",
                    settings.attack_end, seconds, std::ceil(settings.attack_end / 6) / 10));
  }
  if (settings.publishers >= settings.nodes) {
    return wrong(fmt::format("{} publishers are not fewer than {} nodes; give --nodes a larger number",
                             settings.publishers, settings.nodes));
  }
  if (settings.sentries && settings.publishers != 1) {
    return wrong(fmt::format("sentries are for one sequencer, and there are {} publishers; give --set publishers=1",
                             settings.publishers));
  }
  if (settings.honest_arrival >= settings.attack_end) {
    return wrong(
        fmt::format("the honest nodes have arrived after {} s, when the attack is over; make honest-arrival "
                    "smaller",
                    settings.honest_arrival));
  }
  return {};
}

}  // namespace opp2p::sim::attacks
