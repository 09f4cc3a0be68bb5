// The HTTP route of JSON-RPC, "/", with the statuses of op-node's server: POST or GET with a JSON content type is a
// request, and a GET that asks nothing gets an empty 200. Thread: the server's; the answer is made where JsonRpc makes
// it. Source: op-node surface, section 10.
#pragma once

#include "opp2p/rpc/http_routes.hpp"
#include "opp2p/rpc/json_rpc.hpp"

namespace opp2p {

// `rpc` outlives the server of the routes.
void add_rpc_route(HttpRoutes& routes, const JsonRpc& rpc);

}  // namespace opp2p
