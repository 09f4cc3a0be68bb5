#include "opp2p/rpc/json_rpc.hpp"

#include "opp2p/rpc/rpc_exchange.hpp"

namespace opp2p {

JsonRpc::JsonRpc(Post post, Clock clock, RpcLimits limits)
    : post_(std::move(post)),
      clock_(std::move(clock)),
      limits_(limits),
      memory_(std::make_shared<libp2p::MemoryAccount>(limits.memory)),
      token_memory_(std::make_shared<libp2p::MemoryAccount>(limits.token_memory)) {}

void JsonRpc::add(std::string method, std::size_t required, std::size_t most, RpcAccess access, RpcHandler handler) {
  add_watching(std::move(method), required, most, access,
               [handler = std::move(handler)](const json::array& params, RpcDone done, const RpcWatchClient&) {
                 handler(params, std::move(done));
               });
}

void JsonRpc::add_watching(std::string method, std::size_t required, std::size_t most, RpcAccess access,
                           RpcWatchingHandler handler) {
  methods_.insert_or_assign(std::move(method), Method{required, most, access, std::move(handler), nullptr});
}

void JsonRpc::add_plain(std::string method, std::size_t required, std::size_t most, RpcAccess access,
                        RpcPlainHandler handler) {
  methods_.insert_or_assign(std::move(method), Method{required, most, access, nullptr, std::move(handler)});
}

std::set<std::string> JsonRpc::namespaces() const {
  std::set<std::string> out;
  for (const auto& [name, method] : methods_) out.insert(name.substr(0, name.find('_')));
  return out;
}

// The time does not depend on where the two differ.
bool JsonRpc::is_authorized(std::string_view token) const {
  if (!token_) return true;
  if (token.size() != token_->size()) return false;
  volatile unsigned char difference = 0;
  for (std::size_t i = 0; i < token.size(); ++i)
    difference = static_cast<unsigned char>(
        difference | (static_cast<unsigned char>(token[i]) ^ static_cast<unsigned char>((*token_)[i])));
  return difference == 0;
}

std::shared_ptr<RpcExchange> JsonRpc::handle(RpcRequest request, std::function<void(RpcAnswer)> done) const {
  auto exchange = std::make_shared<RpcExchange>(*this, std::move(request), std::move(done));
  post_([exchange] { exchange->start(); });
  return exchange;
}

}  // namespace opp2p
