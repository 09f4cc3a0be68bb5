// The flags of `opp2p node`: one table with op-node's flags and our own, read by flag_reader.hpp. A flag of op-node
// works, or is accepted without effect, or is refused. It is accepted without effect so that a command line of op-node
// starts opp2p too. It is refused if the node would have another role without it than its operator expects.
// tests/vectors/op_node_flags_test.cpp compares the table with op-node's flags.
//
// A new flag is a line in node_flags_table.cpp and a member of NodeOptions. Source: op-node surface, 1.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "opp2p/config/config.hpp"
#include "opp2p/config/flag_reader.hpp"

namespace opp2p {

enum class FlagEffect : std::uint8_t { works, none, refused };
enum class FlagGroup : std::uint8_t { chain, peers, reputation, connections, blocks, rpc, metrics, log, other };

// Where a value goes.
using FlagTarget =
    std::variant<std::monostate, std::string NodeOptions::*, bool NodeOptions::*, std::uint64_t NodeOptions::*,
                 std::int64_t NodeOptions::*, double NodeOptions::*, libp2p::Nanos NodeOptions::*,
                 std::optional<std::string> NodeOptions::*, std::optional<std::uint64_t> NodeOptions::*,
                 std::optional<bool> NodeOptions::*, std::optional<double> NodeOptions::*, opstack::chain::Fork>;

struct NodeFlag {
  FlagSpec spec;
  FlagEffect effect = FlagEffect::works;
  // Works: what it is for. Refused: why, and what to do.
  std::string about;
  // Of the other two: the value that asks for what this node does anyway, which is neither refused nor told of.
  std::optional<std::string> kept;
  FlagGroup group = FlagGroup::other;
  bool hidden = false;
  std::string placeholder;  // how the help calls the value
  FlagTarget target;
};

std::span<const NodeFlag> node_flags();
std::span<const FlagSpec> node_flag_specs();

struct NodeCommandLine {
  FlagValues given;
  NodeOptions options;
  bool help = false, help_all = false, version = false;
  std::vector<std::string> without_effect;     // what was given and does nothing here, as it was given
  std::vector<std::string> unknown_variables;  // OP_NODE_* that no flag has
};

// The error is one line: what is wrong, of which option or variable, and what to write.
libp2p::Result<NodeCommandLine> read_node_command_line(std::span<const std::string> arguments,
                                                       const Environment& environment);

// `text` with the variable behind each option that it names and that came from the environment:
// "--p2p.static (from OP_NODE_P2P_STATIC): …".
std::string name_variables(std::string_view text, const FlagValues& given);

// The help, at most 80 columns wide; with `all` also the hidden options and op-node's that do nothing or are refused.
std::string node_help(bool all);

}  // namespace opp2p
