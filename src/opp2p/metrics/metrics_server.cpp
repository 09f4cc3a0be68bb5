#include "opp2p/metrics/metrics_server.hpp"

#include "opp2p/metrics/metric_registry.hpp"

namespace opp2p {
namespace {

constexpr std::size_t kRequests = 1 << 20;  // bytes of all requests that are being read

HttpLimits limits() {
  HttpLimits out;
  out.places = MetricsServer::kPlaces;
  out.per_narrow_block = MetricsServer::kPlacesOfAddress;
  out.per_wide_block = MetricsServer::kPlacesOfAddress;
  out.health_places = 0;
  out.patience = libp2p::Millis(250);  // a scrape's request is one packet
  return out;
}

}  // namespace

MetricsServer::MetricsServer(TextFn text, Clock clock)
    : text_(std::move(text)), clock_(std::move(clock)), accounts_(kRequests, kRequests) {}

libp2p::Result<void> MetricsServer::listen(const std::string& address, std::uint16_t port) {
  HttpConfig config;
  config.name = "metrics";
  config.option = "metrics";
  config.address = address;
  config.port = port;
  config.browsers = BrowserRules::of_metrics();
  config.limits = limits();
  HttpRoutes routes;
  routes.add_everywhere("GET", [this](const HttpRequest&) { return answer(); });
  OPP2P_TRY(server_, HttpServer::start(std::move(config), std::move(routes), accounts_));
  return {};
}

HttpReply MetricsServer::answer() {
  const auto now = clock_();
  if (!made_ || now - *made_ >= kFresh) {
    last_ = RpcText();
    last_.append(text_());  // without an account it is never refused
    made_ = now;
  }
  HttpReply out;
  out.type = std::string(MetricRegistry::kContentType);
  out.body = last_;
  return out;
}

}  // namespace opp2p
