// The HTTP server in front of JSON-RPC, with the status codes and limits of op-node's: POST on "/" only, 5 MiB a request, JSON
// content types, any origin; GET /healthz answers the version. No authentication: it listens where --rpc.addr says.
//
// Thread: its own, so that a slow client or a large answer never touches the network thread. Bounds: connections (128), the
// size of a request (5 MiB), 128 MiB of answers that clients have not taken yet (then 503), 30 s for the first header and to read or
// write a message, 120 s idle.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"

namespace opp2p::node {

class JsonRpc;
class HttpSession;

class HttpServer {
 public:
  // Listens at once. Errc::io with the address and the reason when it cannot. `rpc` must outlive the server.
  static libp2p::Result<std::unique_ptr<HttpServer>> start(const std::string& address, std::uint16_t port,
                                                           const JsonRpc& rpc, std::string version);
  // Ends all connections and its thread.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::uint16_t port() const;

 private:
  friend class HttpSession;
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace opp2p::node
