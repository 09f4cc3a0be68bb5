// The figures that a sample is shown by: the one list of them for JSON and for comma-separated values. Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "sim/gossip/report.hpp"

namespace opp2p::sim::attacks {

// Of all places in the meshes of honest nodes.
double hostile_mesh_share(const gossip::Sample& sample);
// Of the connections to sybils, by the score that the honest end gives.
double graylisted_share(const gossip::Sample& sample);

// `before` is the sample before, an empty one at first: counters of a sample are since the start, and what is shown is
// what has been added.
struct SampleField {
  std::string_view name;
  std::variant<std::uint64_t, double> (*value)(const gossip::Sample& sample, const gossip::Sample& before);
};
// What was there at the time of the sample, and what came since the one before.
std::span<const SampleField> state_fields();
std::span<const SampleField> traffic_fields();

// The mean of each part of the scores, weighted as it goes into the sum. A name begins with the short one of the part.
struct ScorePartField {
  std::string_view name;
  double gossip::ScoreSample::* value;
  std::string_view part() const { return name.substr(0, name.find('_')); }
};
std::span<const ScorePartField> score_part_fields();

}  // namespace opp2p::sim::attacks
