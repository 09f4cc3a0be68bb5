// The parameters of the methods that block, in all spellings that clients use: a peer id, an IP, a subnet as op-node's
// clients send it ({"IP":"10.0.0.0","Mask":"/wAAAA=="}, the mask in base64) and as CIDR text; and the same back. Pure
// functions. Source: op-node surface, sections 10 and 14.
#pragma once

#include "opp2p/rpc/api_ports.hpp"
#include "opp2p/rpc/rpc_arguments.hpp"

namespace opp2p {

// op-node's errors: -32000 "invalid request" for an empty address and for a subnet that is missing, null or {}; -32602
// otherwise.
Argument<GateTarget> gate_peer_argument(const json::array& params);
Argument<GateTarget> gate_ip_argument(const json::array& params);
Argument<GateTarget> gate_subnet_argument(const json::array& params);
// A peer id or an IP.
Argument<GateTarget> peer_or_ip_argument(const json::array& params, std::size_t index);

// "10.0.0.0/8" as Go's net.IPNet becomes JSON; null for a text that is no subnet.
json::value subnet_json(std::string_view cidr);

}  // namespace opp2p
