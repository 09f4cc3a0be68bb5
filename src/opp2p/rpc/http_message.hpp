// A request and its answer, as the handlers of HTTP routes see them (opp2p/rpc/http_routes.hpp). Plain values. Bounds:
// the server limits the size of a request; the body of an answer is counted in the account that its RpcText was made
// with.
#pragma once

#include <boost/beast/http/status.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "opp2p/rpc/rpc_text.hpp"

namespace opp2p {

using HttpStatus = boost::beast::http::status;

// The route has matched the method and the path already.
struct HttpRequest {
  bool has_query = false;    // the target has a '?'
  std::string content_type;  // as sent; may be empty
  std::string token;         // of "Authorization: Bearer TOKEN"; may be empty
  std::string body;
  MemoryCharge charge;  // for the body; keep it as long as the body
};

// The server adds Content-Length, Connection and the CORS headers.
struct HttpReply {
  HttpStatus status = HttpStatus::ok;
  std::string type = "text/plain";  // Content-Type
  RpcText body;
  std::vector<std::pair<std::string, std::string>> headers;
};

inline HttpReply text_reply(HttpStatus status, std::string_view text, std::string type = "text/plain") {
  HttpReply out;
  out.status = status;
  out.type = std::move(type);
  out.body.append(text);  // without an account it is never refused
  return out;
}

}  // namespace opp2p
