// MetricsServer: the HTTP server that Prometheus scrapes. As op-node's it answers at every path of its port. A text is
// given to all who ask within kFresh, so that however many ask, few texts are made.
//
// Owner: NodeMetrics. Thread: its own, on which the text is made. Bounds: kPlaces clients, kPlacesOfAddress of them
// from one address (http_places.hpp); whoever has not sent its whole request within a quarter of a second gives its
// place to a newcomer; 1 MiB of requests; as many texts as there are places. Source: op-node surface, section 11.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "libp2p/base/time.hpp"
#include "opp2p/rpc/client_accounts.hpp"
#include "opp2p/rpc/http_server.hpp"

namespace opp2p {

class MetricsServer final {
 public:
  static constexpr std::size_t kPlaces = 64;
  static constexpr std::size_t kPlacesOfAddress = 8;
  static constexpr libp2p::Nanos kFresh = libp2p::Millis(250);

  // Makes the text; called on the server's thread.
  using TextFn = std::function<std::string()>;
  using Clock = std::function<libp2p::MonoTime()>;

  explicit MetricsServer(TextFn text, Clock clock);
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  // Listens at once. Errc::io with the address, the option and the reason when it cannot. Once.
  libp2p::Result<void> listen(const std::string& address, std::uint16_t port);
  // Of a server that listens.
  std::uint16_t port() const { return server_->port(); }
  // Ends its connections and its thread.
  void stop() { server_.reset(); }

 private:
  HttpReply answer();

  const TextFn text_;
  const Clock clock_;
  ClientAccounts accounts_;
  std::optional<libp2p::MonoTime> made_;
  RpcText last_;
  std::unique_ptr<HttpServer> server_;  // last: its thread uses the members above
};

}  // namespace opp2p
