// The routes of the HTTP server: which handler answers which method and path. The server itself knows no path; a new
// one is one call of add, add_late, add_probe or add_everywhere before the server starts.
//
// Rules for all routes:
// - A path matches as a whole, but one slash at its end makes no difference: "/healthz/" is "/healthz".
// - HEAD is answered by the route of GET, and the server leaves the body out. A HEAD that brings a body is refused
//   (405).
// - OPTIONS is answered by the server for every path: browsers ask with it what a web page may do.
// - An unknown path gets the route for every path, or 404 without one. A known path with another method gets 405, with
//   the methods that there are in "Allow".
//
// Owner: HttpServer. Thread: filled before the server starts, constant from then on; handlers are called on the
// server's thread. Bounds: what is registered.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "opp2p/rpc/http_message.hpp"

namespace opp2p {

// Answers at once. It runs on the server's thread, which reads and writes all sockets of the RPC: nothing that waits or
// computes for long.
using HttpAnswer = std::function<HttpReply(const HttpRequest&)>;
// Takes the answer, once, from any thread, also during the call of the handler. After the client or the server has gone
// it does nothing.
using HttpDone = std::function<void(HttpReply)>;
// Called at most once, on the server's thread, when the client has gone or the server stops before the answer has come.
using HttpCancel = std::function<void()>;
// Begins a request whose answer comes later. What it returns may be empty.
using HttpBegin = std::function<HttpCancel(HttpRequest, HttpDone)>;

struct HttpRoute {
  std::variant<HttpAnswer, HttpBegin> handler;
  bool probe = false;  // answered also on the places that are kept for probes (HttpPlaces::Seat::health)
};

class HttpRoutes {
 public:
  // `method` is "GET", "POST" and so on, but not HEAD or OPTIONS. A method and a path are registered once.
  void add(std::string method, std::string path, HttpAnswer answer);
  void add_late(std::string method, std::string path, HttpBegin begin);
  // A path for load balancers and supervisors. It is answered by every method but OPTIONS, at once, and also when
  // clients have taken all ordinary places of the server.
  void add_probe(std::string path, HttpAnswer answer);
  // The route of every path that has none of its own. Once for each method.
  void add_everywhere(std::string method, HttpAnswer answer);

  // The route of a request, or why there is none. Never a route for OPTIONS.
  struct Match {
    const HttpRoute* route = nullptr;
    HttpReply refusal;  // without a route
  };
  Match find(std::string_view method, std::string_view path, bool has_body) const;
  // For an error text: "/healthz and /readyz".
  std::string probe_paths() const;

 private:
  using Methods = std::map<std::string, HttpRoute, std::less<>>;

  void insert(std::string method, std::string path, HttpRoute route);
  static std::string allowed(const Methods& methods);

  std::map<std::string, Methods, std::less<>> paths_;
  Methods everywhere_;
};

}  // namespace opp2p
