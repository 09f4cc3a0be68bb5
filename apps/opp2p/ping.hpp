// `opp2p ping ADDR`: measures the round-trip time to a peer, over the same kind of connection that nodes use.
#pragma once

#include <CLI/App.hpp>

#include "opp2p/base/output.hpp"

namespace opp2p {

void add_ping_command(CLI::App& app, opp2p::Output& out, int& exit_code);

}  // namespace opp2p
