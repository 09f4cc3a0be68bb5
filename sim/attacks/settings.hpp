// What a run of an attack can be told: a plain struct, and the table that names its fields for `--set key=value`, for
// the help, for the JSON of a report and for the tests. Every field has a bound, so that no setting makes a world that
// does not fit into memory. Values; pure functions; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "libp2p/base/result.hpp"

namespace opp2p::sim::attacks {

// How honest nodes judge their peers (opstack/reputation/scoring_profiles.hpp).
enum class Profile : std::uint8_t { none, light, opp2p, scored };
std::string_view to_string(Profile profile);

struct Settings {
  // The run.
  std::uint64_t seed = 1;
  std::uint64_t nodes = 1000;
  double minutes = 3;  // virtual time, from the first event to the last
  Profile profile = Profile::scored;

  // The network of the honest.
  std::uint64_t block_size = 100'000;  // bytes
  double block_time = 2;               // seconds
  double uplink = 100;                 // Mbit/s, each way
  double loss = 0;                     // share of the packets
  double churn = 0;                    // share of the nodes that leave and come back in a minute
  std::uint64_t dials = 12;            // connections that an honest node makes
  bool counts_inbound = false;         // it makes none when it has as many that others have made (op-node)
  std::uint64_t max_inbound = 40;      // connections that it accepts
  std::uint64_t publishers = 1;        // sequencers; above 1 they take turns
  bool sentries = false;               // the one sequencer is connected to two nodes only, as direct peers
  bool flood_publish = false;          // own blocks go to every peer (op-node's flag)

  // The sybils.
  std::uint64_t sybils = 1000;
  std::uint64_t sybil_dials = 20;   // connections that each makes
  std::uint64_t sybils_per_ip = 1;  // that share an address
  double attack_start = 30;         // seconds after the start of the run
  double attack_end = 150;          // seconds after the start of the run: they disconnect
  double drop = 1;                  // share of the blocks that a sybil of the mesh keeps to itself
  double delay = 0;                 // seconds that it holds those that it forwards
  double rate = 10;                 // what it sends too much of, per second and peer
  double graft_again = 61;          // seconds from a PRUNE to the next GRAFT
  double lifetime = 20;             // seconds until it comes back as another peer
  double honest_arrival = 1;        // seconds that the arrival of the honest nodes takes
  bool announced = false;           // discovery finds the sybils, so that honest nodes dial them too

  // The simulation.
  bool encode = false;            // RPCs travel as bytes
  std::uint64_t check_every = 0;  // events between two checks of a node's invariants; 0: none
};

using SettingField = std::variant<std::uint64_t Settings::*, double Settings::*, bool Settings::*, Profile Settings::*>;

struct Setting {
  std::string_view name;
  std::string_view about;
  SettingField field;
  double least = 0;
  double most = 0;
};

// All of them, in the order of the help. `seed`, `nodes` and `minutes` have options of their own.
std::span<const Setting> all_settings();
const Setting* find_setting(std::string_view name);

// As it is written behind `key=`.
std::string value_text(const Settings& settings, const Setting& setting);

// Changes what the assignments ("key=value") name. Errc::invalid_argument with the key, what is wrong and what may be
// written; nothing is changed then.
libp2p::Result<void> apply_settings(Settings& settings, std::span<const std::string> assignments);

// What two fields may not be together. Errc::invalid_argument.
libp2p::Result<void> validate(const Settings& settings);

}  // namespace opp2p::sim::attacks
