// A day of churn: whole nodes with scores, bans, peerstores and metrics, and peers that come and go all the time. Some
// nodes restart, some of them without a word; forgers are banned, come back while the ban holds, and after it has
// ended; strangers connect and say nothing. Once an hour everybody has left and all nodes stand, so that the network
// has the same size each time. What is held then is measured: the bytes in use of the heap, every counter of live
// objects, and the size of every table. Once the tables of bounded size are full (the warm-up) none of it may grow.
//
// Constants and values; the run takes the caller's thread. One seed has one run, but for the bytes of the heap, which
// are also those of whatever else the process does. Bounds: those of validate().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/result.hpp"
#include "sim/report/run_report.hpp"
#include "sim/visitor.hpp"

namespace opp2p::sim::churn {

inline constexpr std::string_view kName = "soak/churn";
inline constexpr std::string_view kAbout = "peers come and go for a day, and what the nodes hold does not grow";

struct ChurnSettings {
  std::uint64_t seed = 1;
  std::uint64_t nodes = 12;
  double minutes = 24 * 60;    // virtual time
  double warm_up = 5 * 60;     // minutes, until tables of bounded size are full
  double round = 60;           // minutes between two measurements
  std::uint64_t honest = 12;   // places that honest peers take
  std::uint64_t forgers = 40;  // places of forgers that come under ever new identities
  std::string profile = "opp2p";
  double block_time = 12;         // seconds
  double ban_minutes = 60;        // how long a ban holds
  std::uint64_t leak = 0;         // bytes that each visit leaves behind: a control that a leak is found
  std::uint64_t check_every = 0;  // events between two checks of a node's invariants; 0: none
};

// What is held at a moment when everybody has left.
struct Checkpoint {
  double minute = 0;
  std::uint64_t heap = 0;             // bytes in use
  std::vector<std::uint64_t> levels;  // in the order of ChurnReport::names
};

// What happened, so that a run in which nothing did is not taken for a good one.
struct ChurnTally {
  VisitCounts visits;
  std::uint64_t blocks = 0;
  std::uint64_t restarts = 0;
  std::uint64_t power_losses = 0;
  std::uint64_t lost_connections = 0;
  std::uint64_t strangers = 0;      // connections that said nothing
  std::uint64_t bans = 0;           // by a rule
  std::uint64_t expired = 0;        // bans that ended by themselves
  std::uint64_t banned_again = 0;   // of those that keep their identity: bans after one that had ended
  double shortest_ban = 0;          // minutes between two bans of one identity, at least; 0 without any
  std::uint64_t kept_out = 0;       // connections that a gater refused
  std::uint64_t honest_banned = 0;  // by a rule
  std::uint64_t own_faults = 0;     // kinds of faults that a node took for its own
};

struct ChurnReport : RunReport {
  ChurnSettings settings;
  std::uint64_t links = 0;  // of the network at rest
  ChurnTally tally;
  std::vector<std::string> names;  // of the levels
  std::vector<Checkpoint> checkpoints;
  std::uint64_t heap_before = 0;                     // bytes in use before the network was made
  std::uint64_t heap_after = 0;                      // and after it has gone
  std::map<std::string, std::int64_t> alive_at_end;  // counters of live objects that are not zero
};

// Changes what the assignments name, as "key=value"; Errc::invalid_argument with the key and what may be written.
libp2p::Result<void> apply_settings(ChurnSettings& settings, std::span<const std::string> assignments);
libp2p::Result<void> validate(const ChurnSettings& settings);
// "honest, forgers, ...".
std::string setting_names();

// Called every minute of virtual time. False stops the run.
using OnMinute = std::function<bool(double at, double until)>;
ChurnReport run(const ChurnSettings& settings, const OnMinute& on_minute);

// The bars, from everything else in the report.
std::vector<Bar> judge(const ChurnReport& report);
// Bytes by which the heap grows in an hour after the warm-up.
double heap_growth(const ChurnReport& report);

// What a person reads; lines with a line feed.
std::string report_text(const ChurnReport& report);
std::string report_json(const ChurnReport& report);

}  // namespace opp2p::sim::churn
