#include "opp2p/rpc/rpc_message.hpp"

#include <boost/json/object.hpp>
#include <optional>

namespace opp2p {
namespace json = boost::json;

namespace {

std::string_view text_of(const json::object& message, std::string_view key) {
  const auto* found = message.if_contains(key);
  if (found == nullptr || !found->is_string()) return {};
  return std::string_view(found->get_string());
}

// As its JSON text. Anything but an object and an array is an id, null too.
std::optional<std::string_view> id_of(const json::object& message) {
  const auto text = text_of(message, "id");
  if (text.empty() || text.front() == '{' || text.front() == '[') return std::nullopt;
  return text;
}

bool has_outcome(const json::object& message) {
  const auto* error = message.if_contains("error");
  return message.contains("result") || (error != nullptr && !error->is_null());
}

}  // namespace

RpcMessage read_rpc_message(const json::value& value) {
  RpcMessage out;
  if (!value.is_object()) return out;
  const auto& message = value.get_object();
  const auto id = id_of(message);
  if (id) out.id = *id;
  out.method = text_of(message, "method");
  out.params = message.if_contains("params");
  if (text_of(message, "jsonrpc") != "2.0") return out;
  if (out.method.empty()) {
    if (id && out.params == nullptr && has_outcome(message)) out.kind = RpcMessage::Kind::answer;
  } else if (id) {
    out.kind = RpcMessage::Kind::call;
  } else if (!message.contains("id")) {
    out.kind = RpcMessage::Kind::notification;
  }
  return out;
}

}  // namespace opp2p
