// JSON-RPC 2.0 as op-node's server (geth's rpc package) speaks it: single requests and batches, its error codes and
// texts. Text in, text out: no sockets here (opp2p/rpc/http_server.hpp brings the bytes). The calls of a batch are
// answered one after another, and a batch has a budget (RpcLimits): when it is spent nothing more is computed, and each
// call that is left gets an error that names the limit. All calls of a batch that read see the same moment, until one
// of its calls changes something.
//
// Thread: handle() from any; methods run where `post` runs its tasks, one at a time, and a request gives way to others
// after some calls. A method answers once, from any thread. Bounds: RpcLimits.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "libp2p/base/time.hpp"
#include "opp2p/rpc/rpc_text.hpp"

namespace opp2p {

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
inline constexpr int kServerError = -32000;  // everything that a method itself has to say
inline constexpr int kUnauthorized = -32001;
inline constexpr int kTimedOut = -32002;
inline constexpr int kResponseTooLarge = -32003;
inline constexpr int kLimitExceeded = -32005;

struct RpcLimits {
  std::size_t memory = 20 << 20;                   // of all requests and answers together, bytes
  std::size_t token_memory = 24 << 20;             // the same, of requests that come with the token
  std::size_t request_memory = 12 << 20;           // of one parsed request, bytes
  std::size_t answer_bytes = 10 << 20;             // of one answer, and of all answers of a batch
  std::size_t batch_items = 5000;                  // calls
  libp2p::Nanos batch_time = libp2p::Seconds(30);  // from the first call to the beginning of the last
  libp2p::Nanos batch_work = libp2p::Seconds(2);   // of computing
};

// A result as a value or as JSON text, or an error.
using RpcReply = std::variant<json::value, RpcText, RpcError>;
using RpcDone = std::function<void(RpcReply)>;
using RpcHandler = std::function<void(const json::array& params, RpcDone done)>;
// For a method whose work is in vain once its client has gone: what it gives is called at most once, from any thread,
// if the client goes before it has its answer (at once, if it has gone).
using RpcWatchClient = std::function<void(std::function<void()>)>;
using RpcWatchingHandler = std::function<void(const json::array& params, RpcDone done, RpcWatchClient watch)>;
using RpcPlainHandler = std::function<RpcReply(const json::array& params)>;

// What a method does, for the budget of a batch and for who may call it.
enum class RpcAccess : std::uint8_t { reads, changes, changes_with_token };

struct RpcRequest {
  std::string body;
  MemoryCharge charge;  // for the body
  std::string token;    // what the client sent as its bearer token
};

// `exhausted`: there was no memory for the answer.
struct RpcAnswer {
  RpcText text;
  bool exhausted = false;
};

class RpcExchange;

class JsonRpc {
 public:
  using Post = std::function<void(std::function<void()>)>;
  using Clock = std::function<libp2p::MonoTime()>;

  JsonRpc(Post post, Clock clock, RpcLimits limits = {});

  // `required` of `most` positional parameters must be given; fewer or more is answered before the handler runs.
  void add(std::string method, std::size_t required, std::size_t most, RpcAccess access, RpcHandler handler);
  void add_watching(std::string method, std::size_t required, std::size_t most, RpcAccess access,
                    RpcWatchingHandler handler);
  // A method that has its answer at once.
  void add_plain(std::string method, std::size_t required, std::size_t most, RpcAccess access, RpcPlainHandler handler);
  // From now on methods with RpcAccess::changes_with_token want this token.
  void protect(std::string token) { token_ = std::move(token); }

  // Answers the body of the response; empty when nothing but notifications came. `done` is called once, where `post`
  // runs its tasks, unless the exchange is cancelled first.
  std::shared_ptr<RpcExchange> handle(RpcRequest request, std::function<void(RpcAnswer)> done) const;

  // The part of each method's name before its underscore, each once.
  std::set<std::string> namespaces() const;

  const SharedAccount& memory() const { return memory_; }
  // Where a request with this token is counted: whoever has the node's has room that strangers cannot fill.
  const SharedAccount& memory_for(std::string_view token) const { return has_token(token) ? token_memory_ : memory_; }
  // There is a token, and this is it.
  bool has_token(std::string_view token) const { return token_ && is_authorized(token); }
  const RpcLimits& limits() const { return limits_; }

 private:
  friend class RpcExchange;
  struct Method {
    std::size_t required = 0;
    std::size_t most = 0;
    RpcAccess access = RpcAccess::reads;
    RpcWatchingHandler handler;  // or
    RpcPlainHandler plain;
  };
  bool is_authorized(std::string_view token) const;

  Post post_;
  Clock clock_;
  RpcLimits limits_;
  SharedAccount memory_;
  SharedAccount token_memory_;
  std::map<std::string, Method, std::less<>> methods_;
  std::optional<std::string> token_;
};

}  // namespace opp2p
