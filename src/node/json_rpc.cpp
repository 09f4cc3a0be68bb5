#include "node/json_rpc.hpp"

#include <cmath>
#include <memory>
#include <mutex>
#include <vector>

namespace opp2p::node {
namespace {

json::object envelope(json::value id) {
  json::object out;
  out["jsonrpc"] = "2.0";
  out["id"] = std::move(id);
  return out;
}

json::object failed(json::value id, int code, std::string_view message) {
  auto out = envelope(std::move(id));
  out["error"] = json::object{{"code", code}, {"message", message}};
  return out;
}

// A number beyond what a double holds would come back as no JSON.
bool is_id(const json::value& id) {
  return id.is_string() || (id.is_number() && (!id.is_double() || std::isfinite(id.get_double())));
}

// Answers of a batch as text, each at the place of its question; the last one to arrive sends them. Beyond the bound an answer is
// replaced by an error, as geth does.
struct Batch {
  std::mutex mutex;
  std::vector<std::string> answers;
  std::size_t bytes = 0;
  std::size_t missing;
  std::function<void(std::string)> done;

  void answer(std::size_t index, const std::optional<json::object>& one) {
    auto text = one ? json::serialize(*one) : std::string();
    {
      const std::lock_guard lock(mutex);
      if (bytes + text.size() > JsonRpc::kMaxBatchAnswer)
        text = json::serialize(failed(one->at("id"), kResponseTooLarge, "response too large"));
      else bytes += text.size();
      answers[index] = std::move(text);
      if (--missing > 0) return;
    }
    std::string out;
    for (const auto& item : answers)
      if (!item.empty()) out.append(out.empty() ? "[" : ",").append(item);
    if (!out.empty()) out.push_back(']');
    done(std::move(out));
  }
};

}  // namespace

void JsonRpc::add(std::string method, std::size_t required, std::size_t most, RpcHandler handler) {
  methods_.insert_or_assign(std::move(method), Method{required, most, std::move(handler)});
}

void JsonRpc::add_plain(std::string method, std::size_t required, std::size_t most,
                        std::function<RpcReply(const json::array&)> handler) {
  add(std::move(method), required, most,
      [plain = std::move(handler)](const json::array& params, const RpcDone& done) { done(plain(params)); });
}

void JsonRpc::handle(std::string_view request, std::function<void(std::string)> done) const {
  boost::system::error_code error;
  const auto value = json::parse(request, error);
  if (error) return done(json::serialize(failed(nullptr, kParseError, "parse error")));
  if (!value.is_array()) {
    call(value, [done = std::move(done)](std::optional<json::object> answer) {
      done(answer ? json::serialize(*answer) : std::string());
    });
    return;
  }
  const auto& items = value.get_array();
  if (items.empty()) return done(json::serialize(failed(nullptr, kInvalidRequest, "empty batch")));
  if (items.size() > kMaxBatchItems)
    return done(json::serialize(failed(nullptr, kInvalidRequest, "batch too large")));
  auto batch = std::make_shared<Batch>();
  batch->answers.resize(items.size());
  batch->missing = items.size();
  batch->done = std::move(done);
  for (std::size_t i = 0; i < items.size(); ++i)
    call(items[i], [batch, i](const std::optional<json::object>& answer) { batch->answer(i, answer); });
}

void JsonRpc::call(const json::value& message, std::function<void(std::optional<json::object>)> done) const {
  if (!message.is_object()) return done(failed(nullptr, kInvalidRequest, "invalid request"));
  const auto& object = message.get_object();
  const auto* version = object.if_contains("jsonrpc");
  const auto* name = object.if_contains("method");
  const auto* id = object.if_contains("id");
  const json::value answer_id = id != nullptr && is_id(*id) ? *id : json::value(nullptr);
  if (version == nullptr || !version->is_string() || version->get_string() != "2.0" || name == nullptr || !name->is_string() ||
      (id != nullptr && !is_id(*id) && !id->is_null()))
    return done(failed(answer_id, kInvalidRequest, "invalid request"));
  const bool notification = id == nullptr;

  const std::string_view wanted(name->get_string());
  const auto method = methods_.find(wanted);
  if (method == methods_.end()) {
    if (notification) return done(std::nullopt);
    return done(failed(answer_id, kMethodNotFound,
                       "the method " + std::string(wanted) + " does not exist/is not available"));
  }
  json::array params;
  if (const auto* given = object.if_contains("params"); given != nullptr && !given->is_null()) {
    if (!given->is_array()) return done(failed(answer_id, kInvalidParams, "non-array args"));
    params = given->get_array();
  }
  if (params.size() > method->second.most)
    return done(failed(answer_id, kInvalidParams,
                       "too many arguments, want at most " + std::to_string(method->second.most)));
  if (params.size() < method->second.required)
    return done(failed(answer_id, kInvalidParams,
                       "missing value for required argument " + std::to_string(params.size())));
  auto reply = [done, answer_id, notification](RpcReply given) {
    if (notification) return done(std::nullopt);
    if (given.error()) return done(failed(answer_id, given.error()->code, given.error()->message));
    auto out = envelope(answer_id);
    out["result"] = given.value();
    done(std::move(out));
  };
  try {
    method->second.handler(params, reply);
  } catch (const std::exception&) {
    done(failed(answer_id, kInternalError, "method handler crashed"));
  }
}

}  // namespace opp2p::node
