// Any text as the record of back-offs: what is taken is bounded, and is written to a record that reads to the same.
#include <algorithm>
#include <cstdlib>

#include "opp2p/node/backoff_record.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace opp2p;
  const auto now = libp2p::from_unix_seconds(1'760'000'000);
  auto read = read_backoff_record({reinterpret_cast<const char*>(data), size}, now);
  if (read.size() > kMostBackoffs) std::abort();
  for (const auto& one : read)
    if (one.left <= libp2p::Nanos(0) || one.left > libp2p::Seconds(7200) || one.topic.empty()) std::abort();
  const auto sooner = [](const auto& a, const auto& b) { return a.left < b.left; };
  std::stable_sort(read.begin(), read.end(), sooner);
  if (read_backoff_record(backoff_record(read, now), now) != read) std::abort();
  return 0;
}
