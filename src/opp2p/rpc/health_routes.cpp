#include "opp2p/rpc/health_routes.hpp"

#include <boost/json/object.hpp>

#include "opp2p/base/json_text.hpp"

namespace opp2p {
namespace {

HttpReply health_reply(HttpStatus status, const std::string& version, const Health& health) {
  const boost::json::object body{{"version", version}, {"ok", health.ok}, {"why", health.why}};
  return text_reply(status, json_text(body) + "\n", "application/json");
}

}  // namespace

void add_health_routes(HttpRoutes& routes, std::string version, std::function<Health()> health) {
  routes.add_probe("/healthz",
                   [version, health](const HttpRequest&) { return health_reply(HttpStatus::ok, version, health()); });
  routes.add_probe("/readyz", [version = std::move(version), health = std::move(health)](const HttpRequest&) {
    const auto now = health();
    return health_reply(now.ok ? HttpStatus::ok : HttpStatus::service_unavailable, version, now);
  });
}

}  // namespace opp2p
