// What the simulated world is like: regions with their latencies, links, processors. Values.
//
// What the model leaves out: packets (an RPC is stored and forwarded whole), the slow start and congestion control of
// TCP, queues inside the network, handshakes and keep-alives of connections as bytes, disks, and the work of a node for
// anything but gossip. A connection is one stream each way. Frames of one packet are not held up by long frames of
// other connections, as fair queues on a host's link treat them; they still take their share of the rate.
#pragma once

#include <array>
#include <string_view>

#include "libp2p/protocols/gossipsub/params.hpp"
#include "sim/gossip/names.hpp"

namespace opp2p::sim::gossip {

enum class Region : std::uint8_t {
  us_east,
  us_west,
  south_america,
  europe_west,
  europe_east,
  asia_south,
  asia_southeast,
  asia_northeast,
  oceania,
};
inline constexpr std::size_t kRegions = 9;
std::string_view to_string(Region region);
// One way, between two hosts in these regions.
Nanos latency_between(Region a, Region b);
// Where nodes stand, by share: most in Europe and in the east of the United States.
Region region_of_share(double unit);

// Of one member, to and from the network.
struct LinkParams {
  std::uint64_t up_rate = 12'500'000;  // bytes a second: 100 Mbit/s
  std::uint64_t down_rate = 12'500'000;
};

// Of all connections.
struct NetParams {
  double jitter = 0.1;         // on top of the latency: up to this share of it
  Nanos least_jitter{50'000};  // and up to this much
  double packet_loss = 0;      // share of packets; each lost one delays its RPC, and those behind it, by a round trip
  std::size_t packet_size = 1448;
  std::size_t window = 1U << 20;            // bytes of a direction that are sent and not yet read; at least one RPC
  std::size_t uplink_backlog = 256U << 10;  // bytes that wait for the up-link before nothing more is pulled
  std::size_t push_queue = 1U << 20;        // bytes that ActorPort::send() keeps for one peer; at least one frame
  unsigned dial_round_trips = 4;            // until a connection is there
  Nanos dial_timeout = Seconds(5);          // of a dial that nobody answers
  Nanos partition_timeout = Seconds(15);    // until the ends of a connection that is cut notice it
};

// The virtual processors of a member. One reads RPCs, in the order of their arrival. The others judge messages.
struct CpuParams {
  unsigned verifiers = 2;
  Nanos rpc = Micros(3);               // an RPC, whatever is in it
  Nanos rpc_per_kib = Nanos(300);      // reading it
  Nanos verify = Micros(200);          // a message: its signature above all
  Nanos verify_per_kib = Micros(8);    // unpacking and hashing
  Nanos verify_deadline = Seconds(3);  // a message that waits longer is ignored, and nobody is blamed
};

enum class RpcForm : std::uint8_t { objects, bytes };

struct WorldParams {
  std::uint64_t seed = 1;
  UnixTime epoch{Seconds(1'700'000'000)};  // the wall clock at the start
  RpcForm form = RpcForm::objects;
  NetParams net;
  libp2p::gossipsub::RpcLimits rpc;  // how frames are decoded
  std::uint64_t check_every = 0;     // events between two checks of everything about one member; 0: never
};

}  // namespace opp2p::sim::gossip
