// The RPC of a running node, for the commands that ask it: found in its data folder, or given. Also what those commands
// share: their options, the choice of a peer by a part of its id, and the width of the terminal.
#pragma once

#include <CLI/App.hpp>
#include <boost/json.hpp>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "libp2p/base/result.hpp"
#include "opp2p/base/output.hpp"
#include "opp2p/rpc/rpc_client.hpp"

namespace opp2p {

struct RunningNodeOptions {
  std::string data_dir = "opp2p-data";
  std::string rpc;         // a URL; empty: found in the data folder
  std::string token_file;  // empty: rpc.token in the data folder, if it is there; none with `rpc`
  bool json = false;
};
// Adds --data-dir, --rpc, --rpc.token-file and --json.
void add_running_node_options(CLI::App& command, RunningNodeOptions& options);

// The error says what is missing and what to do. The node of the data folder is asked for its peer id first, without
// the token: where another program listens by now, it is told that node.json is of a node that has ended.
libp2p::Result<RpcClient> connect_rpc(const RunningNodeOptions& options);

// The peer id of the node that answers.
libp2p::Result<std::string> own_peer_id(const RpcClient& rpc);

// A peer id in full, or a beginning or an end of one that the node knows (connected, remembered, banned, blocked or
// static); Errc::not_found, or Errc::invalid_argument when several fit.
libp2p::Result<std::string> resolve_peer(const RpcClient& rpc, const std::string& text);
// The same, of ids that are known.
libp2p::Result<std::string> choose_peer(const std::vector<std::string>& ids, const std::string& text);

// The answer when it is of this kind. The server may be anything, so another kind is an error.
libp2p::Result<boost::json::value> of_kind(libp2p::Result<boost::json::value> answer, boost::json::kind kind);

// Columns of the terminal that `out` writes to; kUnlimitedColumns when it is none.
inline constexpr std::size_t kUnlimitedColumns = std::numeric_limits<std::size_t>::max();
std::size_t terminal_columns(const Output& out);

// The answer as JSON when that is wanted, and otherwise what `text` makes of it. Answers the exit code.
int print_answer(Output& out, const RunningNodeOptions& options, const libp2p::Result<boost::json::value>& answer,
                 const std::function<std::string(const boost::json::value&)>& text);

}  // namespace opp2p
