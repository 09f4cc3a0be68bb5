#include "opp2p/rpc/rpc_exchange.hpp"

#include <new>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/peer_text.hpp"
#include "opp2p/base/json_text.hpp"
#include "opp2p/rpc/rpc_ids.hpp"
#include "opp2p/rpc/rpc_message.hpp"

namespace opp2p {
namespace {

constexpr std::size_t kCallsPerTurn = 16;     // then other requests have their turn
constexpr std::size_t kMaxNameInError = 128;  // bytes

bool wants_token(RpcAccess access) { return access == RpcAccess::changes_with_token || access == RpcAccess::admin; }

}  // namespace

RpcExchange::RpcExchange(const JsonRpc& rpc, RpcRequest request, std::function<void(RpcAnswer)> done)
    : rpc_(rpc),
      request_(std::move(request)),
      done_(std::move(done)),
      memory_(rpc.accounts().account_of(request_.token)),
      answers_(memory_, rpc.limits().answer_bytes) {}

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
  answers_.set_batch(batch_);
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
    auto first = read_rpc_message(message);
    if (first.kind != RpcMessage::Kind::call) continue;
    call_.id = std::move(first.id);
    break;
  }
  reply_error(kInvalidRequest, "batch too large");
  finish();
}

void RpcExchange::fail_whole(int code, std::string_view message) {
  batch_ = false;
  answers_.set_batch(false);
  call_ = Call();
  reply_error(code, message);
  finish();
}

// Calls one after another until one has to wait for its answer, or others should have a turn.
void RpcExchange::step() {
  const auto entered = rpc_.clock_();
  const std::size_t count = batch_ ? parsed_->get_array().size() : 1;
  for (std::size_t calls = 0; next_ < count && !answers_.out_of_memory(); ++calls) {
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
  auto asked = read_rpc_message(message);
  call_.id = std::move(asked.id);
  if (rpc_.observer_) call_.begun = rpc_.clock_();
  if (asked.kind == RpcMessage::Kind::answer) return true;
  if (asked.kind == RpcMessage::Kind::invalid) return reply_error(kInvalidRequest, "invalid request");
  call_.notification = asked.kind == RpcMessage::Kind::notification;
  if (const auto over = spent()) return reply(*over);

  const auto found = rpc_.methods_.find(asked.method);
  if (found == rpc_.methods_.end()) {
    const auto shown = libp2p::peer_text(asked.method, kMaxNameInError);
    return reply_error(kMethodNotFound, "the method " + shown + " does not exist/is not available");
  }
  const auto& method = found->second;
  call_.method = &method;
  if (wants_token(method.access) && !rpc_.accounts().may_change(request_.token))
    return reply_error(kUnauthorized,
                       found->first +
                           " needs this node's token: send the header 'Authorization: Bearer TOKEN' with the "
                           "content of the file rpc.token in the node's --data-dir");
  if (batch_ && method.access == RpcAccess::reads) {
    call_.cache_key = found->first + (asked.params != nullptr ? json::serialize(*asked.params) : std::string());
    if (const auto seen = seen_.find(call_.cache_key); seen != seen_.end()) return reply_result(seen->second);
  } else {
    seen_.clear();
  }
  return run(method, asked.params);
}

bool RpcExchange::run(const RpcMethod& method, const json::value* params) {
  static const json::array kNone;
  const json::array* given = &kNone;
  if (params != nullptr && !params->is_null()) {
    if (!params->is_array()) return reply_error(kInvalidParams, "non-array args");
    given = &params->get_array();
  }
  const auto most = method.parameters.size();
  if (given->size() > most)
    return reply_error(kInvalidParams, "too many arguments, want at most " + std::to_string(most));
  if (given->size() < method.required())
    return reply_error(kInvalidParams, "missing value for required argument " + std::to_string(given->size()));
  try {
    if (const auto* plain = std::get_if<RpcPlainHandler>(&method.handler)) return reply((*plain)(*given));
    start_method(method, *given);
    return false;
  } catch (const std::exception&) {
    waits_ = false;
    ++serial_;  // the method may have answered before it threw
    forget_watcher();
    return reply_error(kInternalError, "method handler crashed");
  }
}

void RpcExchange::start_method(const RpcMethod& method, const json::array& params) {
  const auto self = shared_from_this();
  const auto done = [self, serial = ++serial_](RpcReply came) {
    self->rpc_.post_([self, serial, held = std::make_shared<RpcReply>(std::move(came))] {
      self->on_reply(serial, std::move(*held));
    });
  };
  waits_ = true;
  if (const auto* handler = std::get_if<RpcHandler>(&method.handler)) return (*handler)(params, done);
  const auto watch = [self](std::function<void()> gone) { self->watch_client(std::move(gone)); };
  std::get<RpcWatchingHandler>(method.handler)(params, done, watch);
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

void RpcExchange::forget_watcher() {
  const std::lock_guard lock(watch_mutex_);
  on_gone_ = nullptr;
}

void RpcExchange::on_reply(std::uint64_t serial, RpcReply given) {
  if (serial != serial_) return;  // of a call that has failed
  forget_watcher();
  if (cancelled_) return;
  OPP2P_ASSERT(waits_, "a method answers its call once", serial, next_);
  waits_ = false;
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
  if (call_.cache_key.empty() || !result.append(text)) return reply_result(std::string_view(text));
  remember(result);
  return reply_result(result);
}

void RpcExchange::remember(const RpcText& result) {
  if (!call_.cache_key.empty() && seen_.size() < kRemembered)
    seen_.insert_or_assign(std::move(call_.cache_key), result);
}

template <class Json>
bool RpcExchange::reply_result(const Json& result) {
  if (call_.notification || answers_.write_result(call_.id, result)) {
    tell_observer(0);
    return true;
  }
  too_large_ = true;
  return reply(*spent());
}

bool RpcExchange::reply_error(int code, std::string_view message) {
  if (!call_.notification) answers_.write_error(call_.id, code, message);
  tell_observer(code);
  return true;
}

void RpcExchange::tell_observer(int code) const {
  if (!rpc_.observer_) return;
  // A request that is no call has no beginning of its own.
  const auto begun = call_.begun == libp2p::MonoTime{} ? started_ : call_.begun;
  rpc_.observer_(call_.method, code, rpc_.clock_() - begun);
}

void RpcExchange::finish() {
  seen_.clear();
  parsed_.reset();
  if (cancelled_) return;
  RpcAnswer answer;
  auto text = answers_.take();
  answer.exhausted = !text;
  if (text) answer.text = std::move(*text);
  done_(std::move(answer));
}

}  // namespace opp2p
