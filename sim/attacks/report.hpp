// What a run of an attack leaves behind, as plain values: what was run, how every block spread, what was sampled over
// time, and whether the bars are met. The texts that persons and programs read are made from it in report_text.cpp,
// report_json.cpp and report_csv.cpp. Values; any thread. Bounds: a block and a sample per block time.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/attacks/settings.hpp"
#include "sim/gossip/report.hpp"
#include "sim/report/run_report.hpp"

namespace opp2p::sim::attacks {

// Raised when the model or an attack changes so that results of before may not stand beside new ones. docs/attacks.json
// keeps it with every row.
inline constexpr std::uint64_t kModelVersion = 1;

// Times are seconds of virtual time since the start of the run. A latency that is infinite is of a block that did not
// arrive.
inline constexpr double kNever = std::numeric_limits<double>::infinity();

// One block: to how many of the honest nodes that were there it came, and how fast.
struct BlockRow {
  std::uint64_t number = 0;
  double published = 0;
  std::uint64_t expected = 0;   // honest nodes that were there when it was published and when its time was over
  std::uint64_t delivered = 0;  // of those, at any time
  std::uint64_t in_time = 0;    // of those, within 12 heartbeats
  double p50 = kNever;          // over all who were expected
  double p99 = kNever;
  double worst = kNever;
};

// Over all blocks of one part of the run.
struct Spread {
  std::uint64_t blocks = 0;
  std::uint64_t expected = 0;
  std::uint64_t delivered = 0;
  std::uint64_t in_time = 0;
  double p50 = kNever;
  double p99 = kNever;
  double worst = kNever;

  double delivery() const { return expected == 0 ? 0 : static_cast<double>(in_time) / static_cast<double>(expected); }
};

enum class Phase : std::uint8_t { before, attack, after };
inline constexpr std::array kPhases = {Phase::before, Phase::attack, Phase::after};
std::string_view to_string(Phase phase);

// A fault that honest routers reported.
struct FaultRow {
  std::string kind;
  std::uint64_t of_honest = 0;
  std::uint64_t of_hostile = 0;
};

// How long it took honest nodes to graylist a sybil after its first fault. A pair is an honest node and a sybil.
struct Graylisting {
  std::uint64_t pairs = 0;    // in which a fault was seen, and that were connected until its time was over
  std::uint64_t in_time = 0;  // below the threshold within it
  std::uint64_t left = 0;     // besides: pairs that were disconnected before
  double p50 = kNever;        // seconds
  double p99 = kNever;
  double worst = kNever;
};

struct Report : RunReport {
  std::string scenario;
  std::string about;
  Settings settings;
  std::vector<BlockRow> blocks;
  std::vector<gossip::Sample> samples;         // sample_fields.hpp says what is shown of them
  std::array<Spread, kPhases.size()> spreads;  // in the order of kPhases
  std::optional<Spread> targets;  // to the nodes that an attack is after, if those are not all; during the attack
  std::vector<FaultRow> faults;
  Graylisting graylisting;
  std::optional<double>
      recovery;  // seconds from the end of the attack to the first block from which on all spread well
  std::uint64_t duplicates = 0;
  std::uint64_t deliveries = 0;
  std::uint64_t message_bytes = 0;
  std::uint64_t control_bytes = 0;
  std::uint64_t hostile_bytes = 0;  // sent by sybils
  std::uint64_t hostile_rpcs = 0;
  double cpu_seconds = 0;  // of the honest nodes' virtual cores

  const Spread& spread(Phase phase) const { return spreads[static_cast<std::size_t>(phase)]; }
};

// What a person reads at the end of a run; lines with a line feed.
std::string report_text(const Report& report);
// One document; `docs/attacks.md` says what is in it.
std::string report_json(const Report& report);
std::string blocks_csv(const Report& report);
std::string samples_csv(const Report& report);

// "report.json", "blocks.csv", "samples.csv" and "summary.txt" in `folder`, which is made if it is not there. Nothing
// is overwritten. Errc::io, with the path and what to do.
libp2p::Result<void> claim_folder(const std::string& folder);
libp2p::Result<void> write_report(const Report& report, const std::string& folder);

}  // namespace opp2p::sim::attacks
