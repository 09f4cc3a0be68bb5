// Answers one JSON-RPC request: parses it, runs its calls one after another within the budget of a batch, and writes
// their answers. Part of opp2p/rpc/json_rpc.hpp.
//
// Owner: whoever called JsonRpc::handle, and the tasks and methods that are at work for it. Thread: that of
// JsonRpc::Post, but for cancel(). Bounds: RpcBudget; kRemembered results of a batch.
#pragma once

#include <atomic>
#include <mutex>

#include "opp2p/rpc/json_rpc.hpp"
#include "opp2p/rpc/rpc_answer_writer.hpp"

namespace opp2p {

class RpcExchange : public std::enable_shared_from_this<RpcExchange> {
 public:
  RpcExchange(const JsonRpc& rpc, RpcRequest request, std::function<void(RpcAnswer)> done);

  void start();
  // The client has gone or the server stops: nothing more is computed and `done` is not called. From any thread.
  void cancel();

  static constexpr std::size_t kRemembered = 16;  // results of a batch

 private:
  // The call that is being answered.
  struct Call {
    std::string id = "null";  // as JSON
    bool notification = false;
    const RpcMethod* method = nullptr;
    libp2p::MonoTime begun{};
    std::string cache_key;  // not empty: later calls of the batch get the same answer
  };

  // Of those that answer a call, true says that it has its answer.
  bool parse();
  void step();
  bool begin(const json::value& message);
  bool run(const RpcMethod& method, const json::value* params);
  void start_method(const RpcMethod& method, const json::array& params);
  std::optional<RpcError> spent() const;
  bool reply(RpcReply reply);
  template <class Json>
  bool reply_result(const Json& result);
  bool reply_error(int code, std::string_view message);
  void tell_observer(int code) const;
  void remember(const RpcText& result);
  void watch_client(std::function<void()> gone);
  void forget_watcher();
  void on_reply(std::uint64_t serial, RpcReply given);
  void fail_whole(int code, std::string_view message);
  void refuse_batch();
  void finish();

  const JsonRpc& rpc_;
  RpcRequest request_;
  std::function<void(RpcAnswer)> done_;
  const SharedAccount memory_;
  std::atomic<bool> cancelled_{false};
  std::mutex watch_mutex_;
  std::function<void()> on_gone_;  // of the method that is at work

  std::optional<json::value> parsed_;
  bool batch_ = false;
  std::size_t next_ = 0;      // of the batch
  bool waits_ = false;        // for the answer of the method that is at work
  std::uint64_t serial_ = 0;  // of that method's call
  Call call_;
  std::map<std::string, RpcText> seen_;  // results of this batch by method and parameters
  RpcAnswerWriter answers_;
  bool too_large_ = false;  // a result did not fit: none of the calls that are left is computed
  libp2p::MonoTime started_{};
  libp2p::Nanos worked_{};
};

}  // namespace opp2p
