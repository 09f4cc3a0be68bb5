#include "sim/gossip/world_params.hpp"

namespace opp2p::sim::gossip {
namespace {

struct Place {
  std::string_view name;
  double share;  // of the nodes
};

constexpr std::array<Place, kRegions> kRegionPlaces = {{{"us-east", 0.25},
                                                        {"us-west", 0.12},
                                                        {"south-america", 0.03},
                                                        {"europe-west", 0.25},
                                                        {"europe-east", 0.15},
                                                        {"asia-south", 0.04},
                                                        {"asia-southeast", 0.07},
                                                        {"asia-northeast", 0.06},
                                                        {"oceania", 0.03}}};

// Milliseconds, one way: half of the round trips that are usual between data centres in these regions. Hosts in one
// region are a few apart.
constexpr std::array<std::array<int, kRegions>, kRegions> kMillis = {{
    {6, 32, 58, 40, 52, 98, 108, 76, 102},
    {32, 6, 88, 68, 80, 112, 86, 53, 70},
    {58, 88, 8, 95, 108, 152, 162, 130, 155},
    {40, 68, 95, 6, 14, 60, 82, 108, 128},
    {52, 80, 108, 14, 8, 62, 84, 116, 138},
    {98, 112, 152, 60, 62, 8, 30, 62, 76},
    {108, 86, 162, 82, 84, 30, 6, 35, 47},
    {76, 53, 130, 108, 116, 62, 35, 5, 54},
    {102, 70, 155, 128, 138, 76, 47, 54, 6},
}};

constexpr bool is_symmetric() {
  for (std::size_t a = 0; a < kRegions; ++a) {
    for (std::size_t b = 0; b < kRegions; ++b) {
      if (kMillis[a][b] != kMillis[b][a]) return false;
    }
  }
  return true;
}
static_assert(is_symmetric(), "both ways take the same time");

}  // namespace

std::string_view to_string(Region region) { return kRegionPlaces[static_cast<std::size_t>(region)].name; }

Nanos latency_between(Region a, Region b) {
  return Millis(kMillis[static_cast<std::size_t>(a)][static_cast<std::size_t>(b)]);
}

Region region_of_share(double unit) {
  for (std::size_t i = 0; i + 1 < kRegions; ++i) {
    if (unit < kRegionPlaces[i].share) return static_cast<Region>(i);
    unit -= kRegionPlaces[i].share;
  }
  return static_cast<Region>(kRegions - 1);
}

}  // namespace opp2p::sim::gossip
