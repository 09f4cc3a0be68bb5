// A GossipSub peer of this library that is driven by commands, a JSON object a line on stdin. interop/README.md
// describes them; golibp2p, rustlibp2p and jslibp2p take the same.
#pragma once

#include <string>

#include "libp2p/host/host.hpp"
#include "libp2p/runtime/asio/asio_runtime.hpp"

namespace interop {

struct GossipOptions {
  std::string listen;
  std::string signatures = "signed";  // or unsigned
};

// Runs until stdin ends, a command says quit, or a signal to terminate comes; answers the exit code.
int run_gossip(libp2p::runtime::AsioRuntime& runtime, libp2p::HostConfig host, const GossipOptions& options);

}  // namespace interop
