// The HTTP server of the node: it reads requests, finds their route (opp2p/rpc/http_routes.hpp) and writes the answers.
// It answers by itself what concerns HTTP as a whole: 400 for what is not HTTP/1, 413 and 431 for what is too large,
// 403 for a web page that may not use the node (opp2p/config/browser_rules.hpp), 404 and 405 by the routes, OPTIONS,
// and 503 when places or memory are taken.
//
// Thread: its own, for sockets and for handlers that answer at once; answers may come from any thread. Bounds: places,
// deadlines and eviction (opp2p/rpc/http_places.hpp); the sizes of requests (opp2p/rpc/http_reader.hpp); the requests
// and answers that it holds count in the account of their client (opp2p/rpc/client_accounts.hpp). When the account of
// strangers is full, the largest holder without progress is closed, or 503 is answered. Requests with the node's token
// have an account and places that strangers cannot fill.
#pragma once

#include <memory>
#include <string>

#include "libp2p/base/result.hpp"
#include "opp2p/config/browser_rules.hpp"
#include "opp2p/rpc/client_accounts.hpp"
#include "opp2p/rpc/http_places.hpp"
#include "opp2p/rpc/http_routes.hpp"

namespace opp2p {

struct HttpConfig {
  std::string name = "RPC";    // in its texts
  std::string option = "rpc";  // --rpc.addr and --rpc.port set the next two
  std::string address;
  std::uint16_t port = 0;
  BrowserRules browsers;
  HttpLimits limits;
};

class HttpServer {
 public:
  // Listens at once. Errc::io with the address and the reason when it cannot. `accounts` and what the handlers use must
  // outlive the server.
  static libp2p::Result<std::unique_ptr<HttpServer>> start(HttpConfig config, HttpRoutes routes,
                                                           const ClientAccounts& accounts);
  // Ends all connections, cancels what is computed for them, and ends its thread.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::uint16_t port() const;

  struct State;

 private:
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace opp2p
