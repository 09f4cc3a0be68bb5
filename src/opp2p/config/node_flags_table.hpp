// The parts of the table in node_flags.hpp.
#pragma once

#include <vector>

#include "opp2p/config/node_flags.hpp"

namespace opp2p {

// OP_NODE_P2P_LISTEN_IP for p2p.listen.ip.
std::string variable_of(std::string_view name);

void add_working_flags(std::vector<NodeFlag>& table);
// op-node's flags that do nothing here, and those that are refused.
void add_other_flags_of_op_node(std::vector<NodeFlag>& table);

}  // namespace opp2p
