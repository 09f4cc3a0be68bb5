// `opp2p ping ADDR`: the round trip to a peer, over a connection as nodes make it.
#pragma once

#include <CLI/App.hpp>

#include "opp2p/base/output.hpp"

namespace opp2p {

void add_ping_command(CLI::App& app, opp2p::Output& out, int& exit_code);

}  // namespace opp2p
