// The tests that libp2p_peer runs against a peer of another implementation, over one connection. Each is a coroutine
// that answers what it measured, or an error that says what did not hold.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/result.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/services/identify/identify_service.hpp"
#include "libp2p/services/perf/perf_service.hpp"
#include "libp2p/services/ping/ping_service.hpp"

namespace interop {

struct TestOptions {
  std::uint64_t bytes = 100'000'000;  // each way of bulk
  std::uint64_t upload = 10'000'000;  // of perf
  std::uint64_t download = 10'000'000;
  std::size_t streams = 1000;
  std::size_t count = 5;       // pings
  bool unsigned_peer = false;  // identify of the peer brings no signed record
};

// What a test works with: a host that is connected to `target`.
struct Session {
  libp2p::Host& host;
  libp2p::IdentifyService& identify;
  libp2p::PingService& ping;
  libp2p::PerfService& perf;
  libp2p::PeerId target;
  TestOptions options;
};

using Details = libp2p::Result<boost::json::object>;

// identify, ping, echo, reset, half-close, streams, bulk, perf, unsupported: in the order in which `all` runs them.
const std::vector<std::string>& test_names();
// Errc::invalid_argument for an unknown name. A test that loses the connection fails.
libp2p::runtime::Task<Details> run_test(Session& session, std::string name);

}  // namespace interop
