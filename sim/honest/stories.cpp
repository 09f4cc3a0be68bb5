// The conditions of each story. Times are shares of the run, so that a short one has them all.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "opstack/reputation/scoring_profiles.hpp"
#include "sim/attacks/units.hpp"
#include "sim/honest/story.hpp"
#include "sim/report/assignment.hpp"

namespace opp2p::sim::honest {
namespace {

using gossip::NetworkParams;
using libp2p::Errc;
using libp2p::fail;
using libp2p::MonoTime;
using libp2p::Nanos;
using libp2p::Result;
using libp2p::Seconds;

constexpr std::size_t kLeastNodes = 30;  // an operator's twenty, its hubs, a sequencer and some others

MonoTime part_of(const StorySettings& settings, double share) {
  return attacks::time_of(settings.minutes * 60 * share);
}

void loss(NetworkParams& params, const StorySettings&) { params.world.net.packet_loss = 0.05; }

// Every node is away once in five minutes, for a second to a minute; half of the times nobody is told.
void restarts(NetworkParams& params, const StorySettings& settings) {
  params.churn.stops_a_second = static_cast<double>(settings.nodes) / 300;
  params.churn.least_away = Seconds(1);
}

// Some nodes take a block for one from the future.
void clock_skew(NetworkParams& params, const StorySettings&) {
  params.clock_skew = Seconds(5);
  params.publisher_skew = Seconds(2);
}

void lagging_sequencer(NetworkParams& params, const StorySettings& settings) {
  params.lag.from = part_of(settings, 0.7);
  params.lag.until = part_of(settings, 0.85);
}

void signer_rotation(NetworkParams& params, const StorySettings& settings) {
  params.rotation.at = part_of(settings, 0.3);
  params.rotation.late_for = std::min<Nanos>(Seconds(120), attacks::nanos(settings.minutes * 60 * 0.15));
}

void shared_address(NetworkParams& params, const StorySettings& settings) {
  params.sharing.operators = settings.nodes >= 500 ? 5 : 1;
  params.max_inbound = 40 + params.sharing.operators * params.sharing.nodes;  // hubs have all of them
}

void unknown_fork(NetworkParams& params, const StorySettings& settings) { params.fork.at = part_of(settings, 0.5); }

void everything(NetworkParams& params, const StorySettings& settings) {
  for (auto* const condition :
       {loss, restarts, clock_skew, lagging_sequencer, signer_rotation, shared_address, unknown_fork})
    condition(params, settings);
}

constexpr std::array kStories = {
    Story{.name = "honest/loss", .about = "5% of the packets are lost", .adjust = loss, .delivers = true},
    Story{.name = "honest/restarts",
          .about = "every node stops once in five minutes, half of the times without a word",
          .adjust = restarts,
          .delivers = true},
    Story{.name = "honest/clock-skew",
          .about = "clocks are wrong by up to 5 s, the sequencer's by 2 s",
          .adjust = clock_skew},
    Story{.name = "honest/lagging-sequencer",
          .about = "for a while the sequencer publishes blocks that are 50 s to 75 s old",
          .adjust = lagging_sequencer},
    Story{.name = "honest/signer-rotation",
          .about = "a tenth of the nodes learns of the new signer too late, a twentieth too early",
          .adjust = signer_rotation},
    Story{.name = "honest/shared-address",
          .about = "operators have twenty nodes at one address, connected to the same nodes",
          .adjust = shared_address,
          .delivers = true},
    Story{.name = "honest/unknown-fork",
          .about = "a twentieth of the nodes does not know a fork and rejects its blocks",
          .adjust = unknown_fork},
    Story{.name = "honest/all", .about = "all of these conditions in one network", .adjust = everything},
    Story{.name = "ban/invalid-blocks",
          .about = "peers that behaved well send invalid blocks, one a second to each peer",
          .attackers = 0.02},
};

// As an attack's settings are spelled (sim/attacks/settings.cpp), those that are the same in both.
constexpr std::array kSettings = {
    StorySetting{"profile", "how honest nodes score their peers: none, light, opp2p or scored"},
    StorySetting{"block-time", "seconds between two blocks"},
    StorySetting{"block-size", "bytes of a block"},
    StorySetting{"check-every", "events between two checks of a node's invariants; 0: none"},
};

std::string names_of_settings() {
  std::string out;
  for (const auto& setting : kSettings) {
    const bool is_last = &setting == &kSettings.back();
    out += (out.empty() ? "" : is_last ? " or " : ", ") + std::string(setting.name);
  }
  return out;
}

}  // namespace

std::span<const Story> all_stories() { return kStories; }

const Story* find_story(std::string_view name) {
  for (const auto& story : kStories) {
    if (story.name == name) return &story;
  }
  return nullptr;
}

Result<void> apply_settings(StorySettings& settings, std::span<const std::string> assignments) {
  for (const std::string_view assignment : assignments) {
    const Assignment written = assignment_of(assignment);
    if (written.key == "profile") {
      settings.profile = written.value;
    } else if (written.key == "block-time") {
      OPP2P_TRY(settings.block_time, number_within<double>(written, 0.1, 3600));
    } else if (written.key == "block-size") {
      OPP2P_TRY(settings.block_size, number_within<decltype(settings.block_size)>(written, 64, 10'000'000));
    } else if (written.key == "check-every") {
      OPP2P_TRY(settings.check_every, number_within<decltype(settings.check_every)>(written, 0, 1e9));
    } else {
      return fail(Errc::invalid_argument, fmt::format("--set {}: a story has no such setting; write {}, as key=value",
                                                      assignment, names_of_settings()));
    }
  }
  return {};
}

std::span<const StorySetting> all_story_settings() { return kSettings; }

std::string value_text(const StorySettings& settings, std::string_view name) {
  if (name == "profile") return settings.profile;
  if (name == "block-time") return fmt::format("{}", settings.block_time);
  if (name == "block-size") return fmt::format("{}", settings.block_size);
  return fmt::format("{}", settings.check_every);
}

std::size_t attackers_of(const Story& story, const StorySettings& settings) {
  if (story.attackers == 0) return 0;
  return std::max<std::size_t>(1,
                               static_cast<std::size_t>(story.attackers * static_cast<double>(settings.nodes) + 0.5));
}

Result<void> validate(const Story&, const StorySettings& settings) {
  if (settings.nodes < kLeastNodes)
    return fail(Errc::invalid_argument,
                fmt::format("--nodes {}: a story needs {} nodes at least", settings.nodes, kLeastNodes));
  const auto profile =
      opstack::reputation::make_scoring_profile(settings.profile, {}, opstack::reputation::ProfileUse::simulation);
  if (!profile) return fail(Errc::invalid_argument, "--set profile: " + profile.error().text());
  return {};
}

}  // namespace opp2p::sim::honest
