// One request of the JSON-RPC while it is answered: parsed on the RPC's thread, its calls run one after another within
// the budget of a batch, their answers gathered as text. Part of opp2p/rpc/json_rpc.hpp. Thread: that of JsonRpc::Post,
// but for cancel().
#pragma once

#include <atomic>
#include <mutex>

#include "opp2p/rpc/json_rpc.hpp"

namespace opp2p {

class RpcExchange : public std::enable_shared_from_this<RpcExchange> {
 public:
  RpcExchange(const JsonRpc& rpc, RpcRequest request, std::function<void(RpcAnswer)> done);

  void start();
  // The client has gone or the server stops: nothing more is computed and `done` is not called. From any thread.
  void cancel();

 private:
  // What is known of the call that is being answered.
  struct Call {
    std::string id = "null";  // as JSON
    bool notification = false;
    std::string cache_key;  // not empty: later calls of the batch get the same answer
  };

  // Of those that answer a call, true says that it has its answer.
  bool parse();
  void step();
  bool begin(const json::value& message);
  bool run(const JsonRpc::Method& method, const json::value* params);
  std::optional<RpcError> spent() const;
  bool reply(RpcReply reply);
  bool reply_result(const RpcText& result);
  bool reply_error(int code, std::string_view message);
  bool reply_too_large();
  bool append_answer(std::string_view key, std::string_view text);
  bool append_head(std::string_view key);
  void remember(const RpcText& result);
  void watch_client(std::function<void()> gone);
  void on_reply(RpcReply given);
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
  std::size_t next_ = 0;
  Call call_;
  std::map<std::string, RpcText> seen_;  // results of this batch by method and parameters
  RpcText out_;
  bool out_of_memory_ = false;
  bool too_large_ = false;
  libp2p::MonoTime started_{};
  libp2p::Nanos worked_{};
};

}  // namespace opp2p
