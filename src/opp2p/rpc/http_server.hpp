// The HTTP server in front of JSON-RPC, with the status codes of op-node's: POST on "/" only, 5 MiB a request, JSON
// content types. /healthz answers 200 with the version and whether the node follows its chain, /readyz the same with
// 503 when it does not (opp2p/observe/health.hpp). HEAD gets the headers of GET. Headers have at most 64 KiB; what is
// not HTTP/1 gets 400 (opp2p/rpc/http_head.hpp). Who may use it from a web page: opp2p/config/browser_rules.hpp. Which
// methods want a token: opp2p/rpc/json_rpc.hpp.
//
// Thread: its own, for sockets only; answers are made on the RPC's thread (opp2p/rpc/rpc_worker.hpp). Bounds: places,
// deadlines and who goes when they are taken (opp2p/rpc/http_places.hpp); the size of a request (5 MiB); headers,
// bodies, requests and answers that are held count in JsonRpc::memory(), and when that is full the largest holder
// without progress goes, or 503 is answered. Requests with the node's token have an account and places that strangers
// cannot fill.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "libp2p/base/result.hpp"
#include "opp2p/config/browser_rules.hpp"
#include "opp2p/observe/health.hpp"
#include "opp2p/rpc/http_places.hpp"

namespace opp2p {

class JsonRpc;

struct HttpConfig {
  std::string address;
  std::uint16_t port = 0;
  std::string version;
  std::function<Health()> health = [] { return Health(); };  // called on the server's thread
  BrowserRules browsers;
  HttpLimits limits;
};

class HttpServer {
 public:
  // Listens at once. Errc::io with the address and the reason when it cannot. `rpc` must outlive the server.
  static libp2p::Result<std::unique_ptr<HttpServer>> start(HttpConfig config, const JsonRpc& rpc);
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
