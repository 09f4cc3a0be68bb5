// What a node writes to its log when it starts: version, chain and data folder, the file that its key came from, and
// who can reach its JSON-RPC to do what. Functions of the configuration alone; the names of folders are made absolute.
#pragma once

#include <cstdint>
#include <string>

#include "opp2p/config/config.hpp"
#include "opp2p/log/log.hpp"

namespace opp2p {

// Before anything is opened.
void report_start(Log& log, const NodeConfig& config, const std::string& version);
// Once the server listens at `port`.
void report_rpc(Log& log, const NodeConfig& config, std::uint16_t port);

}  // namespace opp2p
