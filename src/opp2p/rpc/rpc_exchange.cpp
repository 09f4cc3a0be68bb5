#include "opp2p/rpc/rpc_exchange.hpp"

#include <new>

#include "libp2p/base/peer_text.hpp"
#include "opp2p/base/json_text.hpp"
#include "opp2p/rpc/rpc_ids.hpp"

namespace opp2p {
namespace {

constexpr std::size_t kCallsPerTurn = 16;     // then other requests have their turn
constexpr std::size_t kRemembered = 16;       // results of a batch
constexpr std::size_t kMaxNameInError = 128;  // bytes
constexpr std::size_t kMaxErrorText = 4096;   // bytes
constexpr std::size_t kCopied = 16 * 1024;    // bytes of a result

// The id of a message, as its JSON text (opp2p/rpc/rpc_ids.hpp). Anything but an object and an array is one, null too.
std::optional<std::string_view> id_of(const json::object& message) {
  const auto* id = message.if_contains("id");
  if (id == nullptr || !id->is_string() || id->get_string().empty()) return std::nullopt;
  const std::string_view text(id->get_string());
  if (text.front() == '{' || text.front() == '[') return std::nullopt;
  return text;
}

std::string_view method_of(const json::object& message) {
  const auto* name = message.if_contains("method");
  if (name == nullptr || !name->is_string()) return {};
  return std::string_view(name->get_string());
}

bool is_version_2(const json::object& message) {
  const auto* version = message.if_contains("jsonrpc");
  return version != nullptr && version->is_string() && version->get_string() == "2.0";
}

// Who sends an answer has taken us for a client: it gets none, as from geth.
bool is_answer(const json::object& message) {
  const auto* error = message.if_contains("error");
  const bool answers = message.contains("result") || (error != nullptr && !error->is_null());
  return is_version_2(message) && id_of(message) && method_of(message).empty() && !message.contains("params") &&
         answers;
}

}  // namespace

RpcExchange::RpcExchange(const JsonRpc& rpc, RpcRequest request, std::function<void(RpcAnswer)> done)
    : rpc_(rpc),
      request_(std::move(request)),
      done_(std::move(done)),
      memory_(rpc.memory_for(request_.token)),
      out_(memory_, MemoryCharge::kAllowance) {}

void RpcExchange::start() {
  if (cancelled_) return;
  started_ = rpc_.clock_();
  const bool parsed = parse();
  // The text is of no use any more, and others may need the room.
  request_.body = std::string();
  request_.charge = MemoryCharge();
  if (parsed) step();
}

// False when it has answered the request already.
bool RpcExchange::parse() {
  try {
    const auto memory = json::make_shared_resource<CountedJson>(memory_, rpc_.limits().request_memory);
    json::parser parser(memory);
    parser.reset(memory);
    boost::system::error_code error;
    parser.write(request_.body, error);
    if (error) {
      fail_whole(kParseError, "parse error");
      return false;
    }
    parsed_.emplace(parser.release());  // emplaced, because an assignment would copy it to uncounted memory
    keep_ids_as_sent(*parsed_, request_.body);
  } catch (const std::bad_alloc&) {
    fail_whole(kLimitExceeded,
               "the request needs more memory than there is: " + std::to_string(rpc_.limits().request_memory) +
                   " bytes for one, " + std::to_string(memory_->limit()) + " for all; split it or send it later");
    return false;
  }
  batch_ = parsed_->is_array();
  if (!batch_) return true;
  if (!parsed_->get_array().empty() && parsed_->get_array().size() <= rpc_.limits().batch_items) return true;
  if (parsed_->get_array().empty())
    fail_whole(kInvalidRequest, "empty batch");
  else
    refuse_batch();
  return false;
}

// In a list, with the id of the first call: the protocol has no answer for a whole batch.
void RpcExchange::refuse_batch() {
  for (const auto& message : parsed_->get_array()) {
    if (!message.is_object()) continue;
    const auto& object = message.get_object();
    const auto id = id_of(object);
    if (!id || !is_version_2(object) || method_of(object).empty()) continue;
    call_.id = *id;
    break;
  }
  reply_error(kInvalidRequest, "batch too large");
  finish();
}

void RpcExchange::fail_whole(int code, std::string_view message) {
  batch_ = false;
  call_ = Call();
  reply_error(code, message);
  finish();
}

// Calls one after another until one has to wait for its answer, or others should have a turn.
void RpcExchange::step() {
  const auto entered = rpc_.clock_();
  const std::size_t count = batch_ ? parsed_->get_array().size() : 1;
  for (std::size_t calls = 0; next_ < count && !out_of_memory_; ++calls) {
    if (cancelled_) return;
    if (calls == kCallsPerTurn) {
      worked_ += rpc_.clock_() - entered;
      return rpc_.post_([self = shared_from_this()] { self->step(); });
    }
    auto& message = batch_ ? parsed_->get_array()[next_] : *parsed_;
    ++next_;
    call_ = Call();
    const bool answered = begin(message);
    message = nullptr;  // its parameters may be large
    if (!answered) {
      worked_ += rpc_.clock_() - entered;
      return;
    }
  }
  finish();
}

// What of the batch's budget is spent.
std::optional<RpcError> RpcExchange::spent() const {
  const auto& limits = rpc_.limits();
  if (too_large_)
    return RpcError{kResponseTooLarge, "response too large: an answer has at most " +
                                           std::to_string(limits.answer_bytes) + " bytes, a whole batch too"};
  if (!batch_) return std::nullopt;
  if (worked_ > limits.batch_work)
    return RpcError{kTimedOut, "request timed out: a batch is computed for at most " +
                                   std::to_string(limits.batch_work / libp2p::Millis(1)) + " ms; send smaller ones"};
  if (rpc_.clock_() - started_ > limits.batch_time)
    return RpcError{kTimedOut, "request timed out: a batch is answered within " +
                                   std::to_string(limits.batch_time / libp2p::Seconds(1)) + " s; send smaller ones"};
  return std::nullopt;
}

// True when the call has its answer, false when that comes later.
bool RpcExchange::begin(const json::value& message) {
  const auto invalid = [this] { return reply_error(kInvalidRequest, "invalid request"); };
  if (!message.is_object()) return invalid();
  const auto& object = message.get_object();
  const auto id = id_of(object);
  if (id) call_.id = *id;
  if (is_answer(object)) return true;
  const auto wanted = method_of(object);
  if (!is_version_2(object) || wanted.empty() || (!id && object.contains("id"))) return invalid();
  call_.notification = !id;
  if (const auto over = spent()) return reply(*over);

  const auto found = rpc_.methods_.find(wanted);
  if (found == rpc_.methods_.end()) {
    const auto shown = libp2p::peer_text(wanted, kMaxNameInError);
    return reply_error(kMethodNotFound, "the method " + shown + " does not exist/is not available");
  }
  const auto& method = found->second;
  if (method.access == RpcAccess::changes_with_token && !rpc_.is_authorized(request_.token))
    return reply_error(kUnauthorized,
                       found->first +
                           " needs this node's token: send the header 'Authorization: Bearer TOKEN' with the "
                           "content of the file rpc.token in the node's --data-dir");
  const auto* params = object.if_contains("params");
  if (batch_ && method.access == RpcAccess::reads) {
    call_.cache_key = found->first + (params != nullptr ? json::serialize(*params) : std::string());
    if (const auto seen = seen_.find(call_.cache_key); seen != seen_.end()) return reply_result(seen->second);
  } else {
    seen_.clear();
  }
  return run(method, params);
}

bool RpcExchange::run(const JsonRpc::Method& method, const json::value* params) {
  static const json::array kNone;
  const json::array* given = &kNone;
  if (params != nullptr && !params->is_null()) {
    if (!params->is_array()) return reply_error(kInvalidParams, "non-array args");
    given = &params->get_array();
  }
  if (given->size() > method.most)
    return reply_error(kInvalidParams, "too many arguments, want at most " + std::to_string(method.most));
  if (given->size() < method.required)
    return reply_error(kInvalidParams, "missing value for required argument " + std::to_string(given->size()));
  try {
    if (method.plain) return reply(method.plain(*given));
    const auto self = shared_from_this();
    const auto done = [self](RpcReply came) {
      self->rpc_.post_(
          [self, held = std::make_shared<RpcReply>(std::move(came))] { self->on_reply(std::move(*held)); });
    };
    method.handler(*given, done, [self](std::function<void()> gone) { self->watch_client(std::move(gone)); });
    return false;
  } catch (const std::exception&) {
    return reply_error(kInternalError, "method handler crashed");
  }
}

void RpcExchange::cancel() {
  std::function<void()> gone;
  {
    const std::lock_guard lock(watch_mutex_);
    cancelled_ = true;
    gone.swap(on_gone_);
  }
  if (gone) gone();
}

void RpcExchange::watch_client(std::function<void()> gone) {
  {
    const std::lock_guard lock(watch_mutex_);
    if (!cancelled_) {
      on_gone_ = std::move(gone);
      return;
    }
  }
  gone();
}

void RpcExchange::on_reply(RpcReply given) {
  {
    const std::lock_guard lock(watch_mutex_);
    on_gone_ = nullptr;
  }
  if (cancelled_) return;
  reply(std::move(given));
  step();
}

bool RpcExchange::reply(RpcReply given) {
  if (const auto* error = std::get_if<RpcError>(&given)) return reply_error(error->code, error->message);
  if (const auto* made = std::get_if<RpcText>(&given)) {
    remember(*made);
    return reply_result(*made);
  }
  const auto text = json_text(std::get<json::value>(given));
  RpcText result(memory_);
  if (call_.cache_key.empty() || !result.append(text)) return append_answer(R"(,"result":)", text);
  remember(result);
  return reply_result(result);
}

void RpcExchange::remember(const RpcText& result) {
  if (!call_.cache_key.empty() && seen_.size() < kRemembered)
    seen_.insert_or_assign(std::move(call_.cache_key), result);
}

// A large result is shared with the answer, a small one copied.
bool RpcExchange::reply_result(const RpcText& result) {
  constexpr std::string_view kKey = R"(,"result":)";
  if (result.size() <= kCopied) return append_answer(kKey, result.joined());
  if (call_.notification) return true;
  if (out_.size() + result.size() > rpc_.limits().answer_bytes) return reply_too_large();
  const bool begun = append_head(kKey);
  out_.append(result);
  if (!begun || !out_.append("}")) out_of_memory_ = true;
  return true;
}

bool RpcExchange::reply_error(int code, std::string_view message) {
  const auto error = json_text(json::object{{"code", code}, {"message", libp2p::peer_text(message, kMaxErrorText)}});
  // An error is short, and the last word of a batch whose budget is spent.
  if (call_.notification) return true;
  if (!append_head(R"(,"error":)") || !out_.append(error) || !out_.append("}")) out_of_memory_ = true;
  return true;
}

bool RpcExchange::reply_too_large() {
  too_large_ = true;
  return reply(*spent());
}

bool RpcExchange::append_answer(std::string_view key, std::string_view text) {
  if (call_.notification) return true;
  if (out_.size() + text.size() > rpc_.limits().answer_bytes) return reply_too_large();
  if (!append_head(key) || !out_.append(text) || !out_.append("}")) out_of_memory_ = true;
  return true;
}

bool RpcExchange::append_head(std::string_view key) {
  std::string head;
  if (batch_) head = out_.empty() ? "[" : ",";
  head += R"({"jsonrpc":"2.0","id":)";
  head += call_.id;
  head += key;
  return out_.append(head);
}

void RpcExchange::finish() {
  seen_.clear();
  parsed_.reset();
  if (cancelled_) return;
  if (batch_ && !out_.empty() && !out_.append("]")) out_of_memory_ = true;
  RpcAnswer answer;
  answer.exhausted = out_of_memory_;
  if (!out_of_memory_) answer.text = std::move(out_);
  out_ = RpcText();
  done_(std::move(answer));
}

}  // namespace opp2p
