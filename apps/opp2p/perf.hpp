// `opp2p perf serve` and `opp2p perf dial`: measure the throughput of a connection with libp2p's perf protocol.
#pragma once

#include <CLI/App.hpp>

#include "opp2p/base/output.hpp"

namespace opp2p {

void add_perf_commands(CLI::App& app, opp2p::Output& out, int& exit_code);

}  // namespace opp2p
