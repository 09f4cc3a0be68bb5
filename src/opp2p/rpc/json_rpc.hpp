// JSON-RPC 2.0 as op-node's server (geth's rpc package) speaks it: single requests and batches, with its error codes
// and texts. Text in, text out: no sockets here (opp2p/rpc/rpc_route.hpp connects it to HTTP). Each method is
// registered once, as an RpcMethod.
//
// The calls of a batch are answered one after another. A batch has a budget (RpcBudget): when it is spent, each call
// that is left gets an error that names the limit. Calls of a batch that read see the same moment, until a call of the
// batch changes something.
//
// Owner: the daemon; it outlives the server. Thread: add(), observe() and protect() before the first request; handle()
// from any; methods run where `post` runs its tasks, one at a time, and a request gives way to others after some calls.
// Bounds: RpcBudget.
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
#include <vector>

#include "libp2p/base/time.hpp"
#include "opp2p/rpc/client_accounts.hpp"
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

struct RpcBudget {
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
// A method has its answer at once,
using RpcPlainHandler = std::function<RpcReply(const json::array& params)>;
// or gives it to `done`, once, from any thread,
using RpcHandler = std::function<void(const json::array& params, RpcDone done)>;
// or works in vain once its client has gone: what it gives to `watch` is called at most once, from any thread, if the
// client goes before it has its answer (at once, if it has gone).
using RpcWatchClient = std::function<void(std::function<void()>)>;
using RpcWatchingHandler = std::function<void(const json::array& params, RpcDone done, RpcWatchClient watch)>;

// What a method does, for the budget of a batch and for who may call it.
enum class RpcAccess : std::uint8_t {
  reads,
  changes,             // everybody may call it
  changes_with_token,  // only a client that sends the node's token, when the node has one
  admin,               // the same, and the operator has to enable it (--rpc.enable-admin)
};

// One positional parameter. Those that are not required stand behind those that are.
struct RpcParameter {
  std::string name;
  std::string help = {};
  bool required = true;
};

// All that is said of a method, in one place: what the server checks before the handler runs, and what docs/rpc.md
// tells.
struct RpcMethod {
  std::string name;  // "namespace_name"
  std::vector<RpcParameter> parameters = {};
  RpcAccess access = RpcAccess::reads;
  std::variant<RpcPlainHandler, RpcHandler, RpcWatchingHandler> handler = {};
  std::string help = {};

  std::size_t required() const;
};

// Hears of each call that has its answer, on the RPC's thread: the method, null for one that does not exist or was not
// named; the error's code, 0 for a result; and how long it took. Calls whose client has gone are not told.
using RpcObserver = std::function<void(const RpcMethod* method, int code, libp2p::Nanos took)>;

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

  JsonRpc(Post post, Clock clock, RpcBudget limits = {});

  // A name is added once. A call with fewer or more parameters is answered before the handler runs.
  void add(RpcMethod method);
  // From now on methods that want the node's token want this one.
  void protect(std::string token) { accounts_.protect(std::move(token)); }

  // Before the first request. Must not call back.
  void observe(RpcObserver observer) { observer_ = std::move(observer); }

  // Answers the body of the response; empty when nothing but notifications came. `done` is called once, where `post`
  // runs its tasks, unless the exchange is cancelled first.
  std::shared_ptr<RpcExchange> handle(RpcRequest request, std::function<void(RpcAnswer)> done) const;

  // The part of each method's name before its underscore, each once.
  std::set<std::string> namespaces() const;

  // Where requests and answers are counted, and who has the node's token.
  const ClientAccounts& accounts() const { return accounts_; }
  const SharedAccount& memory() const { return accounts_.strangers(); }
  const RpcBudget& limits() const { return limits_; }
  const std::map<std::string, RpcMethod, std::less<>>& methods() const { return methods_; }

 private:
  friend class RpcExchange;

  Post post_;
  Clock clock_;
  RpcObserver observer_;
  RpcBudget limits_;
  ClientAccounts accounts_;
  std::map<std::string, RpcMethod, std::less<>> methods_;
};

}  // namespace opp2p
