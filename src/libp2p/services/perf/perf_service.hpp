// Perf: moves a counted number of bytes each way over one stream, to measure a connection. The client says how many
// bytes it wants back, sends its own and half-closes; only then does the server answer.
//
// Owner: the application; destroyed before its Host; it outlives the calls into it. Thread: the network thread. Bounds:
// streams served per peer; nothing is buffered beyond the streams' own windows; the time of an exchange, which has to
// keep a least rate as well. A server does as much work as it is asked for, so a node does not offer this protocol
// unless it is told to. Source: libp2p specification "perf", /perf/1.0.0.
#pragma once

#include <cstdint>
#include <string_view>

#include "libp2p/base/live_count.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/runtime/task.hpp"
#include "libp2p/services/serving_count.hpp"

namespace libp2p {

inline constexpr std::string_view kPerfProtocol = "/perf/1.0.0";

struct PerfConfig {
  bool serve = false;
  std::size_t inbound_per_peer = 64;
  // An exchange ends when it has moved fewer than least_rate bytes a second since its beginning, not counting a grace
  // time, and at the latest after longest_exchange.
  Nanos grace = Seconds(60);
  std::uint64_t least_rate = 64 * 1024;
  Nanos longest_exchange = std::chrono::minutes(30);
};

// What one run moved. `upload` lasts from the opening of the stream to the first byte of the answer (or its end),
// `download` from there on.
struct PerfResult {
  std::uint64_t uploaded = 0;
  std::uint64_t downloaded = 0;
  Nanos upload{0};
  Nanos download{0};
};

class PerfService : LiveCounted<PerfService> {
 public:
  explicit PerfService(libp2p::Host& host, PerfConfig config = PerfConfig());
  ~PerfService();
  PerfService(const PerfService&) = delete;
  PerfService& operator=(const PerfService&) = delete;

  // Errc::mismatch when the server sends more or less than it was asked for.
  runtime::Task<Result<PerfResult>> run(PeerId peer, std::uint64_t upload, std::uint64_t download);

  // Stops serving and ends every coroutine of the service.
  runtime::Task<void> close();

 private:
  // When an exchange that began at `start` and has moved `bytes` since is too slow.
  MonoTime deadline(MonoTime start, std::uint64_t bytes) const;
  runtime::Task<void> serve(libp2p::Stream stream);
  runtime::Task<Result<void>> send_zeros(libp2p::Stream& stream, std::uint64_t count, MonoTime start,
                                         std::uint64_t moved);
  runtime::Task<Result<std::uint64_t>> drain(libp2p::Stream& stream, MonoTime start, std::uint64_t moved,
                                             MonoTime* first);

  libp2p::Host& host_;
  PerfConfig config_;
  ServingCount serving_;
  runtime::TaskScope scope_;  // last: its coroutines use the members above
};

}  // namespace libp2p
