// The stories that scores and bans are held to: a network of honest nodes under conditions that are nobody's fault, and
// one with peers that send invalid blocks. A story is an entry of stories.cpp. Each names the conditions, and its run
// measures the least score that an honest node ever gave an honest peer, who was banned, and after how many blocks.
//
// Constant and values; the run takes the caller's thread. One seed has one run. Bounds: those of validate().
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/result.hpp"
#include "sim/gossip/network.hpp"
#include "sim/report/run_report.hpp"

namespace opp2p::sim::honest {

struct StorySettings {
  std::uint64_t seed = 1;
  std::uint64_t nodes = 1000;
  double minutes = 10;            // virtual time
  std::string profile = "opp2p";  // opstack/reputation/scoring_profiles.hpp
  double block_time = 2;          // seconds
  std::uint64_t block_size = 20'000;
  std::uint64_t check_every = 0;  // events between two checks of a node's invariants; 0: none
};

struct Story {
  std::string_view name;   // "honest/loss"
  std::string_view about;  // one line
  void (*adjust)(gossip::NetworkParams&, const StorySettings&) = nullptr;
  bool delivers = false;  // no condition keeps blocks from anybody
  double attackers = 0;   // share of the nodes; peers that behave well until half of the time, then send invalid blocks
};

std::span<const Story> all_stories();
const Story* find_story(std::string_view name);

struct StoryReport : RunReport {
  std::string story;
  std::string about;
  StorySettings settings;
  gossip::ScoreReport scores;
  std::uint64_t rejected = 0;  // blocks that honest nodes rejected
  std::uint64_t restarts = 0;
  double delivery = 0;  // share of the expected deliveries that came within 12 heartbeats

  // Whether the profile scores anybody: else scores and bans are not judged.
  bool is_scored() const { return scores.least.has_value(); }
};

struct StorySetting {
  std::string_view name;   // "block-time"
  std::string_view about;  // one line
};
std::span<const StorySetting> all_story_settings();
// As it is written behind `key=`.
std::string value_text(const StorySettings& settings, std::string_view name);
// One at least in a story that has any.
std::size_t attackers_of(const Story& story, const StorySettings& settings);

// Changes what the assignments name, as "key=value".
// Errc::invalid_argument with the key and what may be written.
libp2p::Result<void> apply_settings(StorySettings& settings, std::span<const std::string> assignments);
libp2p::Result<void> validate(const Story& story, const StorySettings& settings);

// Called every second of virtual time with the share of it that has passed. False stops the run.
using OnSecond = std::function<bool(double at, double until)>;
StoryReport run(const Story& story, const StorySettings& settings, const OnSecond& on_second);

// What a person reads; lines with a line feed.
std::string report_text(const StoryReport& report);
std::string report_json(const StoryReport& report);

}  // namespace opp2p::sim::honest
