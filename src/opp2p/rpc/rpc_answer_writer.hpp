// Writes the answer to a JSON-RPC request: one object, or a list of them for a batch. Owner: RpcExchange. Thread: its.
// Bounds: results fill at most the limit together; errors may exceed it, because they are short. When the account is
// full nothing more is written, and the answer is of no use.
#pragma once

#include <optional>
#include <string_view>

#include "opp2p/rpc/rpc_text.hpp"

namespace opp2p {

class RpcAnswerWriter {
 public:
  RpcAnswerWriter(SharedAccount memory, std::size_t limit);

  // What follows goes into a list, or (the default) is the only answer.
  void set_batch(bool batch) { batch_ = batch; }
  // False, and nothing is written, when the limit would be exceeded. `id` is JSON.
  bool write_result(std::string_view id, std::string_view json);
  bool write_result(std::string_view id, const RpcText& json);
  void write_error(std::string_view id, int code, std::string_view message);

  bool out_of_memory() const { return out_of_memory_; }
  // The answer, an empty one when nothing was written. Nothing when the account was full.
  std::optional<RpcText> take();

 private:
  bool fits(std::size_t bytes) const { return out_.size() + bytes <= limit_; }
  void write_head(std::string_view id, std::string_view key);
  void append(std::string_view text);

  std::size_t limit_;
  RpcText out_;
  bool batch_ = false;
  bool out_of_memory_ = false;
};

}  // namespace opp2p
