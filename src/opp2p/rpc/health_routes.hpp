// The HTTP routes for load balancers and supervisors. /healthz answers 200 while the process runs, /readyz answers 200
// while the node follows its chain and 503 otherwise (opp2p/observe/health.hpp). Both have the same body: op-node's
// "version", "ok", and "why", which is empty when it is ok. Thread: the server's.
#pragma once

#include <functional>
#include <string>

#include "opp2p/observe/health.hpp"
#include "opp2p/rpc/http_routes.hpp"

namespace opp2p {

// `health` is called on the server's thread.
void add_health_routes(HttpRoutes& routes, std::string version, std::function<Health()> health);

}  // namespace opp2p
