// Any text as a request: it is answered exactly once, with nothing, an object or a list of objects, each a result or an error.
#include <optional>
#include <stdexcept>

#include "node/json_rpc.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace opp2p::node;
using libp2p::fuzzing::require;

JsonRpc methods() {
  JsonRpc rpc;
  rpc.add_plain("echo", 1, 2, [](const json::array& params) { return RpcReply(json::value(params)); });
  rpc.add_plain("refuse", 0, 0, [](const json::array&) { return RpcReply(RpcError{kServerError, "no"}); });
  rpc.add_plain("break", 0, 1, [](const json::array&) -> RpcReply { throw std::runtime_error("broken"); });
  return rpc;
}

void check_answer(const json::value& answer) {
  const auto& object = answer.as_object();
  require(object.at("jsonrpc") == "2.0" && object.contains("id"));
  require(object.contains("result") != object.contains("error"));
  if (object.contains("error")) require(object.at("error").at("code").as_int64() < 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const JsonRpc rpc = methods();
  std::optional<std::string> body;
  rpc.handle({reinterpret_cast<const char*>(data), size}, [&body](std::string answer) {
    require(!body);
    body = std::move(answer);
  });
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
