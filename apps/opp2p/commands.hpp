// Each function adds one family of subcommands to the program. The callback of a subcommand runs after all options were
// parsed. It stores the exit code in `exit_code`, which lives as long as the CLI11 app. 0 is success. 1 is bad input or
// a failure, with one line on stderr that says what is wrong and what to do. Output goes through `out`, which main
// checks at the end.
#pragma once

#include <CLI/App.hpp>
#include <span>
#include <string>

#include "opp2p/base/output.hpp"

namespace opp2p {

// inspect gossip|payload|response|peer-id|multiaddr|key|message-id: what bytes mean.
void add_inspect_commands(CLI::App& app, opp2p::Output& out, int& exit_code);
// key generate|peer-id: node keys in op-node's file format.
void add_key_commands(CLI::App& app, opp2p::Output& out, int& exit_code);
// db check|migrate|rewind|denied|allow|show: the block store of a node that does not run.
void add_db_commands(CLI::App& app, opp2p::Output& out, int& exit_code);
// doc metrics: references made of the program's own tables.
void add_doc_commands(CLI::App& app, opp2p::Output& out, int& exit_code);

// peers, peer, why, bans, block, unblock: questions to a running node and what its operator changes, each in a file of
// its own (peers_command.cpp and so on).
void add_peers_command(CLI::App& app, opp2p::Output& out, int& exit_code);
void add_peer_command(CLI::App& app, opp2p::Output& out, int& exit_code);
void add_why_command(CLI::App& app, opp2p::Output& out, int& exit_code);
void add_bans_command(CLI::App& app, opp2p::Output& out, int& exit_code);
void add_block_commands(CLI::App& app, opp2p::Output& out, int& exit_code);
// peerstore import|export|show: the peerstore of a node that does not run, to and from op-node's.
void add_peerstore_commands(CLI::App& app, opp2p::Output& out, int& exit_code);

// node: the daemon. CLI11 lists it only; what follows the word `node` is read by node_command, which answers the exit
// code.
void add_node_command(CLI::App& app);
int node_command(std::span<const std::string> arguments, opp2p::Output& out);
// devnet: a local chain of real processes.
void add_devnet_commands(CLI::App& app, opp2p::Output& out, int& exit_code);
// sim list|run: simulated networks under attack.
void add_sim_commands(CLI::App& app, opp2p::Output& out, int& exit_code);

}  // namespace opp2p
