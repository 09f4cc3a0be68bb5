#include "sim/attacks/sample_fields.hpp"

#include "sim/attacks/units.hpp"

namespace opp2p::sim::attacks {
namespace {

using gossip::Sample;
using gossip::ScoreSample;
using At = const Sample&;
using Value = std::variant<std::uint64_t, double>;

double share(double part, double whole) { return whole > 0 ? part / whole : 0; }
double share(std::size_t part, std::size_t whole) {
  return share(static_cast<double>(part), static_cast<double>(whole));
}

std::size_t links(const Sample& sample) { return sample.links_to_honest + sample.links_to_hostile; }

constexpr SampleField kState[] = {
    {"at", [](At now, At) -> Value { return seconds(now.time); }},
    {"honest", [](At now, At) -> Value { return now.honest_up; }},
    {"sybils", [](At now, At) -> Value { return now.hostile_up; }},
    {"mesh_size", [](At now, At) -> Value { return share(links(now), now.honest_up); }},
    {"hostile_mesh_share", [](At now, At) -> Value { return hostile_mesh_share(now); }},
    {"eclipsed", [](At now, At) -> Value { return now.meshes_without_honest; }},
    {"hostile_connection_share",
     [](At now, At) -> Value {
       return share(now.connections_to_hostile, now.connections_to_hostile + now.connections_to_honest);
     }},
    {"graylisted_share", [](At now, At) -> Value { return graylisted_share(now); }},
};
constexpr SampleField kTraffic[] = {
    {"message_bytes", [](At now, At old) -> Value { return now.received.message_bytes - old.received.message_bytes; }},
    {"control_bytes", [](At now, At old) -> Value { return now.received.control_bytes - old.received.control_bytes; }},
    {"duplicates", [](At now, At old) -> Value { return now.duplicates - old.duplicates; }},
    {"cpu_share",  // of the honest nodes' virtual cores
     [](At now, At old) -> Value {
       return share(seconds(now.busy - old.busy), seconds(now.time - old.time) * static_cast<double>(now.honest_up));
     }},
};
constexpr ScorePartField kScoreParts[] = {
    {"p1_time_in_mesh", &ScoreSample::time_in_mesh},       {"p2_first_deliveries", &ScoreSample::first_deliveries},
    {"p3_mesh_deliveries", &ScoreSample::mesh_deliveries}, {"p3b_mesh_failures", &ScoreSample::mesh_failures},
    {"p4_invalid_deliveries", &ScoreSample::invalid},      {"p5_application", &ScoreSample::application},
    {"p6_ip_colocation", &ScoreSample::ip_colocation},     {"p7_behaviour", &ScoreSample::behaviour},
};

}  // namespace

double hostile_mesh_share(const Sample& sample) { return share(sample.links_to_hostile, links(sample)); }
double graylisted_share(const Sample& sample) { return share(sample.hostile.graylisted, sample.hostile.score.count); }
std::span<const SampleField> state_fields() { return kState; }
std::span<const SampleField> traffic_fields() { return kTraffic; }
std::span<const ScorePartField> score_part_fields() { return kScoreParts; }

}  // namespace opp2p::sim::attacks
