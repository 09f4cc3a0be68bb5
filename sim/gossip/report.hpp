// What a run came to: plain values, for a table, a page or a file. Times are since the start of the run. "Honest" and
// "hostile" are the members' own (MemberSpec::honest); honest members that publish count as those to whom is delivered,
// for what others publish. Bytes are those of RPCs with their length prefixes.
#pragma once

#include <string>
#include <vector>

#include "libp2p/protocols/gossipsub/router.hpp"
#include "sim/gossip/world.hpp"

namespace opp2p::sim::gossip {

struct Percentiles {
  Nanos p50{};
  Nanos p90{};
  Nanos p99{};
  Nanos most{};
};

// One block. Members that stopped within the deadline, before it came, are not expected to have it.
struct BlockOutcome {
  std::uint64_t number = 0;
  Member publisher = 0;
  MonoTime published{};
  std::size_t size = 0;
  std::size_t expected = 0;   // honest members, without the publisher
  std::size_t in_time = 0;    // got it within the deadline
  std::size_t delivered = 0;  // got it at all
  Percentiles latency = {};   // of those that got it
};

// Of many values.
struct Spread {
  std::size_t count = 0;
  double mean = 0;
  double least = 0;
  double median = 0;
  double most = 0;
};

// The scores that honest members give one kind of member at one time; means of the weighted parts.
struct ScoreSample {
  Spread score;
  double time_in_mesh = 0;      // P1
  double first_deliveries = 0;  // P2
  double mesh_deliveries = 0;   // P3
  double mesh_failures = 0;     // P3b
  double invalid = 0;           // P4
  double application = 0;       // P5
  double ip_colocation = 0;     // P6
  double behaviour = 0;         // P7
  std::size_t below_zero = 0;
  std::size_t graylisted = 0;
};

struct Traffic {
  std::uint64_t rpcs = 0;
  std::uint64_t message_bytes = 0;  // of RPCs that hold messages
  std::uint64_t control_bytes = 0;  // of the others
};

// Everything at one time. Counters are since the start.
struct Sample {
  MonoTime time{};
  std::size_t honest_up = 0;
  std::size_t hostile_up = 0;
  std::size_t links_to_honest = 0;  // mesh links of honest members
  std::size_t links_to_hostile = 0;
  std::size_t meshes_below_low = 0;       // honest members with less than Dlo honest peers in the mesh
  std::size_t meshes_without_honest = 0;  // and with none: eclipsed
  std::size_t connections_to_hostile = 0;
  std::size_t connections_to_honest = 0;
  ScoreSample honest;
  ScoreSample hostile;
  Traffic received;  // by honest members
  std::uint64_t delivered = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t rejected = 0;
  std::uint64_t graylisted_rpcs = 0;
  std::uint64_t faults_of_hostile = 0;
  std::uint64_t faults_of_honest = 0;
  Nanos busy{};  // processors of honest members
};

// How soon honest members turned from peers that broke a rule. A pair is one honest member and one identity of a peer.
struct Judgement {
  std::size_t faulty = 0;       // pairs in which the peer broke a rule
  std::size_t left_before = 0;  // of them: the connection ended before the time was over
  std::size_t graylisted_in_time = 0;
  std::size_t graylisted_late = 0;
  std::size_t never = 0;    // had the time, and were not
  std::size_t pending = 0;  // the run ended before their time was over
  Percentiles until_graylisted;
};

struct Report {
  std::uint64_t seed = 0;
  std::uint64_t trace_hash = 0;
  MonoTime ended{};
  std::size_t honest = 0;
  std::size_t hostile = 0;
  Nanos deadline{};  // of a delivery: 12 heartbeats
  std::vector<BlockOutcome> blocks;
  std::vector<Sample> samples;
  std::size_t expected = 0;  // of all blocks whose deadline has passed
  std::size_t in_time = 0;
  std::size_t delivered = 0;
  double in_time_ratio = 0;
  double delivered_ratio = 0;
  Percentiles latency;
  double duplicates_for_delivery = 0;
  Judgement of_hostile;
  Judgement of_honest;                                                   // false alarms
  std::vector<std::pair<std::string, std::uint64_t>> faults_of_hostile;  // by kind
  std::vector<std::pair<std::string, std::uint64_t>> faults_of_honest;
  // Links that honest members ended, by the cause: those to hostile peers, and those to honest ones.
  std::vector<std::pair<std::string, std::uint64_t>> prunes_of_hostile;
  std::vector<std::pair<std::string, std::uint64_t>> prunes_of_honest;
  libp2p::gossipsub::Counters routers;  // of honest members, summed
  WorldCounters world;
};

}  // namespace opp2p::sim::gossip
