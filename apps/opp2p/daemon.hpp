// The process of `opp2p node`: runtime, store, node, RPC server and signals. They are started in this order and ended
// in the reverse order. Thread: the calling thread becomes the network thread.
#pragma once

#include <string>

#include "libp2p/base/result.hpp"
#include "opp2p/config/config.hpp"
#include "opp2p/log/log.hpp"

namespace opp2p {

// Runs until a signal ends it (opp2p/base/end_signals.hpp), or until nobody reads the log any more: standard error is a
// pipe and its reader has ended. The error is that, or what kept the node from starting.
libp2p::Result<void> run_daemon(const NodeConfig& config, Log& log, const std::string& version);

}  // namespace opp2p
