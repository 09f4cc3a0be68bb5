// Any text as /proc/self/stat: what is read is finite and not negative.
#include <cmath>

#include "opp2p/metrics/process_metrics.hpp"
#include "testing/fuzz_script.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto stat = opp2p::parse_process_stat({reinterpret_cast<const char*>(data), size}, 100, 4096);
  if (!stat) return 0;
  for (const double value : {stat->cpu_seconds, stat->start_ticks, stat->virtual_bytes, stat->resident_bytes})
    libp2p::fuzzing::require(std::isfinite(value) && value >= 0);
  return 0;
}
