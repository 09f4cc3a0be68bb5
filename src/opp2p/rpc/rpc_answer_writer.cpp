#include "opp2p/rpc/rpc_answer_writer.hpp"

#include <boost/json/object.hpp>
#include <string>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/peer_text.hpp"
#include "opp2p/base/json_text.hpp"

namespace opp2p {
namespace {

constexpr std::size_t kMaxErrorText = 4096;  // bytes
constexpr std::size_t kCopied = 16 * 1024;   // bytes of a result; a larger one is shared with the answer
constexpr std::string_view kResult = R"(,"result":)";

}  // namespace

RpcAnswerWriter::RpcAnswerWriter(SharedAccount memory, std::size_t limit)
    : limit_(limit), out_(std::move(memory), MemoryCharge::kAllowance) {}

void RpcAnswerWriter::append(std::string_view text) {
  if (!out_of_memory_ && !out_.append(text)) out_of_memory_ = true;
}

void RpcAnswerWriter::write_head(std::string_view id, std::string_view key) {
  OPP2P_ASSERT(batch_ || out_.empty(), "a request that is no batch has one answer", out_.size());
  std::string head;
  if (batch_) head = out_.empty() ? "[" : ",";
  head.append(R"({"jsonrpc":"2.0","id":)").append(id).append(key);
  append(head);
}

bool RpcAnswerWriter::write_result(std::string_view id, std::string_view json) {
  if (!fits(json.size())) return false;
  write_head(id, kResult);
  append(json);
  append("}");
  return true;
}

bool RpcAnswerWriter::write_result(std::string_view id, const RpcText& json) {
  if (json.size() <= kCopied) return write_result(id, json.joined());
  if (!fits(json.size())) return false;
  write_head(id, kResult);
  if (!out_of_memory_) out_.append(json);
  append("}");
  return true;
}

void RpcAnswerWriter::write_error(std::string_view id, int code, std::string_view message) {
  const boost::json::object error{{"code", code}, {"message", libp2p::peer_text(message, kMaxErrorText)}};
  write_head(id, R"(,"error":)");
  append(json_text(error));
  append("}");
}

std::optional<RpcText> RpcAnswerWriter::take() {
  if (batch_ && !out_.empty()) append("]");
  auto out = std::exchange(out_, RpcText());
  if (out_of_memory_) return std::nullopt;
  return out;
}

}  // namespace opp2p
