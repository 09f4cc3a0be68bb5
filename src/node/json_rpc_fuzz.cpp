// Any text as a request: it is answered exactly once, with nothing, an object or a list of objects, each a result or an error.
#include <deque>
#include <functional>
#include <optional>
#include <stdexcept>

#include "node/json_rpc.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace opp2p::node;
using libp2p::fuzzing::require;

constexpr auto kReads = RpcAccess::reads;

// The requests' thread: tasks that wait for their turn.
using Tasks = std::deque<std::function<void()>>;

void add_methods(JsonRpc& rpc) {
  rpc.add_plain("echo", 1, 2, kReads, [](const json::array& params) { return RpcReply(json::value(params)); });
  rpc.add_plain("refuse", 0, 0, RpcAccess::changes, [](const json::array&) { return RpcReply(RpcError{kServerError, "no"}); });
  rpc.add_plain("break", 0, 1, kReads, [](const json::array&) -> RpcReply { throw std::runtime_error("broken"); });
  rpc.add("later", 0, 1, kReads, [](const json::array& params, const RpcDone& done) { done(json::value(params)); });
}

void check_answer(const json::value& answer) {
  const auto& object = answer.as_object();
  require(object.at("jsonrpc") == "2.0" && object.contains("id"));
  require(object.contains("result") != object.contains("error"));
  if (object.contains("error")) require(object.at("error").at("code").as_int64() < 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Tasks tasks;
  RpcLimits limits;
  limits.memory = 1 << 20;
  limits.answer_bytes = 8 << 10;
  JsonRpc rpc([&tasks](std::function<void()> task) { tasks.push_back(std::move(task)); }, [] { return libp2p::MonoTime(); }, limits);
  add_methods(rpc);
  std::optional<std::string> body;
  RpcRequest request;
  request.body.assign(reinterpret_cast<const char*>(data), size);
  rpc.handle(std::move(request), [&body](RpcAnswer answer) {
    require(!body);
    body = answer.exhausted ? std::string() : answer.text.joined();
  });
  for (; !tasks.empty(); tasks.pop_front()) tasks.front()();
  require(rpc.memory()->used() == 0);
  require(body.has_value());
  if (body->empty()) return 0;
  const auto answer = json::parse(*body);
  if (!answer.is_array()) {
    check_answer(answer);
    return 0;
  }
  require(!answer.get_array().empty());
  for (const auto& one : answer.get_array()) check_answer(one);
  return 0;
}
