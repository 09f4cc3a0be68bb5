// JSON-RPC 2.0 as op-node's server (geth's rpc package) speaks it: single requests and batches, its error codes and texts. Text
// in, text out: no sockets here (node/http_server.hpp brings the bytes).
//
// Thread: handle() may be called from any one thread; a method answers once, from any thread. Bounds: the size of a request is the
// HTTP server's; a batch has at most kMaxBatchItems questions and kMaxBatchAnswer bytes of answers.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace opp2p::node {

namespace json = boost::json;

struct RpcError {
  int code;
  std::string message;
};

inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;
inline constexpr int kInternalError = -32603;
inline constexpr int kResponseTooLarge = -32003;
inline constexpr int kServerError = -32000;  // everything that a method itself has to say

class RpcReply {
 public:
  RpcReply(json::value result) : value_(std::move(result)) {}
  RpcReply(RpcError error) : error_(std::move(error)) {}
  const json::value& value() const { return value_; }
  const std::optional<RpcError>& error() const { return error_; }

 private:
  json::value value_;
  std::optional<RpcError> error_;
};

using RpcDone = std::function<void(RpcReply)>;
using RpcHandler = std::function<void(const json::array& params, RpcDone done)>;

class JsonRpc {
 public:
  static constexpr std::size_t kMaxBatchItems = 5000;
  static constexpr std::size_t kMaxBatchAnswer = 25'000'000;  // bytes, then error -32003 for each further answer

  // `required` of `most` positional parameters must be given; fewer or more is answered before the handler runs.
  void add(std::string method, std::size_t required, std::size_t most, RpcHandler handler);
  // A method that has its answer at once.
  void add_plain(std::string method, std::size_t required, std::size_t most,
                 std::function<RpcReply(const json::array& params)> handler);

  // Answers the body of the response; empty when nothing but notifications came. `done` is called once.
  void handle(std::string_view request, std::function<void(std::string)> done) const;

 private:
  struct Method {
    std::size_t required;
    std::size_t most;
    RpcHandler handler;
  };
  void call(const json::value& message, std::function<void(std::optional<json::object>)> done) const;
  std::map<std::string, Method, std::less<>> methods_;
};

}  // namespace opp2p::node
