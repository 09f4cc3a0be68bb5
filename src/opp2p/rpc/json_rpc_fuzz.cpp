// Any text as a request: it is answered exactly once, with nothing, an object or a list of objects, each a result or an
// error, in strict JSON whatever bytes a method puts into it, with the id as it was sent.
#include <cstring>
#include <deque>
#include <functional>
#include <optional>
#include <stdexcept>

#include "opp2p/rpc/json_rpc_test_support.hpp"
#include "opp2p/rpc/p2p_json.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace opp2p;
using libp2p::fuzzing::require;

constexpr auto kReads = RpcAccess::reads;

// The requests' thread: tasks that wait for their turn.
using Tasks = std::deque<std::function<void()>>;

// What a peer may have said of itself: the bytes of the input.
PeerSnapshot peer_that_says(std::string_view words) {
  PeerSnapshot out;
  out.user_agent = out.protocol_version = words;
  out.protocols = std::vector<std::string>{std::string(words)};
  const auto name = words.substr(0, std::min(words.find('/'), std::min<std::size_t>(words.size(), 100)));
  libp2p::Bytes address{0x36, static_cast<std::uint8_t>(name.size())};  // /dns4/name
  address.insert(address.end(), name.begin(), name.end());
  if (auto made = libp2p::Multiaddr::from_bytes(address)) out.addresses.push_back(*made);
  return out;
}

void add_methods(JsonRpc& rpc, std::string_view input) {
  rpc.add({"words", parameters(0, 2), kReads, [input](const json::array&) -> RpcReply {
             double number = 0;
             std::memcpy(&number, input.data(), std::min(input.size(), sizeof number));
             return json::object{{input, json::array{json::string(input), number}}};
           }});
  rpc.add({"complain", parameters(0, 2), kReads,
           [input](const json::array&) { return RpcReply(RpcError{kServerError, std::string(input)}); }});
  rpc.add({"peer", parameters(0, 2), kReads, [input](const json::array&) {
             RpcText text;
             text.append("{" + peer_dump_item(peer_that_says(input)) + "}");
             return RpcReply(std::move(text));
           }});
  rpc.add({"echo", parameters(1, 2), kReads, [](const json::array& params) { return RpcReply(json::value(params)); }});
  rpc.add(
      {"refuse", {}, RpcAccess::changes, [](const json::array&) { return RpcReply(RpcError{kServerError, "no"}); }});
  rpc.add(
      {"break", parameters(0, 1), kReads, [](const json::array&) -> RpcReply { throw std::runtime_error("broken"); }});
  rpc.add({"later", parameters(0, 1), kReads,
           [](const json::array& params, const RpcDone& done) { done(json::value(params)); }});
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
  RpcBudget limits;
  limits.memory = 1 << 20;
  limits.answer_bytes = 8 << 10;
  JsonRpc rpc([&tasks](std::function<void()> task) { tasks.push_back(std::move(task)); },
              [] { return libp2p::MonoTime(); }, limits);
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  add_methods(rpc, input);
  std::optional<std::string> body;
  RpcRequest request;
  request.body.assign(input);
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
    constexpr std::string_view kBegin = R"({"jsonrpc":"2.0","id":)";
    require(body->starts_with(kBegin));
    const auto id =
        body->substr(kBegin.size(), std::min(body->find(",\"result\":"), body->find(",\"error\":")) - kBegin.size());
    require(id == "null" || input.find(id) != std::string_view::npos);
    check_answer(answer);
    return 0;
  }
  require(!answer.get_array().empty());
  for (const auto& one : answer.get_array()) check_answer(one);
  return 0;
}
