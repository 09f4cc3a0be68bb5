#include "opp2p/metrics/node_mirrors.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <set>

namespace opp2p {
namespace {

// Gives each number of a struct of numbers a value of its own.
template <class Numbers>
void fill(Numbers& numbers, double& next, std::set<double>& given) {
  static_assert(std::is_trivially_copyable_v<Numbers> && sizeof(Numbers) % sizeof(std::uint64_t) == 0);
  std::array<std::uint64_t, sizeof(Numbers) / sizeof(std::uint64_t)> words{};
  for (auto& word : words) {
    word = static_cast<std::uint64_t>(next);
    given.insert(next++);
  }
  std::memcpy(static_cast<void*>(&numbers), words.data(), sizeof(Numbers));
}

// A counter that is added to a part and told nowhere would be found only when somebody misses it.
TEST(NodeMirrors, every_counter_and_every_size_of_a_part_goes_into_a_metric_as_it_is) {
  static_assert(sizeof(std::size_t) == sizeof(std::uint64_t));
  NodeReadings readings;
  double next = 1'000'000;
  std::set<double> given;
  fill(readings.host, next, given);
  fill(readings.peerstore, next, given);
  fill(readings.identify, next, given);
  fill(readings.gossip, next, given);
  fill(readings.router, next, given);
  fill(readings.sizes, next, given);
  std::set<double> told;
  for (const auto& mirror : node_mirrors()) told.insert(mirror.read(readings));
  std::vector<double> missing;
  for (const double value : given)
    if (!told.contains(value)) missing.push_back(value - 1'000'000);
  // Connections are told by direction.
  const auto connections = static_cast<double>(readings.sizes.connections) - 1'000'000;
  EXPECT_EQ(missing, std::vector<double>{connections}) << "the places of the fields, counted from HostCounters on";
}

TEST(NodeMirrors, each_series_is_filled_by_one_row) {
  std::set<std::pair<Metric, std::string_view>> seen;
  for (const auto& mirror : node_mirrors()) {
    EXPECT_TRUE(seen.insert({mirror.metric, mirror.label}).second) << row_of(mirror.metric).name << mirror.label;
    EXPECT_EQ(row_of(mirror.metric).labels().size(), mirror.label.empty() ? 0u : 1u) << row_of(mirror.metric).name;
  }
}

double read(const NodeReadings& readings, Metric metric, std::string_view label = "") {
  for (const auto& mirror : node_mirrors())
    if (mirror.metric == metric && mirror.label == label) return mirror.read(readings);
  return -1;
}

TEST(NodeMirrors, a_rejected_message_is_also_one_that_there_was_no_room_for) {
  NodeReadings readings;
  readings.router.rejected = 1;
  readings.router.ignored = 10;
  readings.router.dropped_validation_full = 100;
  readings.router.dropped_not_subscribed = 1000;
  EXPECT_EQ(read(readings, Metric::p2p_gossip_events, "REJECT_MESSAGE"), 111);
}

TEST(NodeMirrors, a_gap_is_what_is_missing_between_the_head_and_the_block_above_it) {
  NodeReadings readings;
  readings.head_number = 10;
  EXPECT_EQ(read(readings, Metric::gap_blocks), 0);
  readings.lowest_waiting = opstack::sync::BlockRef{15, {}, {}};
  EXPECT_EQ(read(readings, Metric::gap_blocks), 4);
  readings.head_number = 15;
  EXPECT_EQ(read(readings, Metric::gap_blocks), 0);
}

}  // namespace
}  // namespace opp2p
