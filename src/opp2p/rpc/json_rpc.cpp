#include "opp2p/rpc/json_rpc.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "opp2p/rpc/rpc_exchange.hpp"

namespace opp2p {

std::size_t RpcMethod::required() const {
  return static_cast<std::size_t>(
      std::count_if(parameters.begin(), parameters.end(), [](const auto& parameter) { return parameter.required; }));
}

JsonRpc::JsonRpc(Post post, Clock clock, RpcBudget limits)
    : post_(std::move(post)),
      clock_(std::move(clock)),
      limits_(limits),
      accounts_(limits.memory, limits.token_memory) {}

void JsonRpc::add(RpcMethod method) {
  OPP2P_ASSERT(std::is_partitioned(method.parameters.begin(), method.parameters.end(),
                                   [](const auto& parameter) { return parameter.required; }),
               "required parameters come first", method.name);
  const auto name = method.name;
  const auto [at, added] = methods_.emplace(name, std::move(method));
  OPP2P_ASSERT(added, "a method is registered once", name);
}

std::set<std::string> JsonRpc::namespaces() const {
  std::set<std::string> out;
  for (const auto& [name, method] : methods_) out.insert(name.substr(0, name.find('_')));
  return out;
}

std::shared_ptr<RpcExchange> JsonRpc::handle(RpcRequest request, std::function<void(RpcAnswer)> done) const {
  auto exchange = std::make_shared<RpcExchange>(*this, std::move(request), std::move(done));
  post_([exchange] { exchange->start(); });
  return exchange;
}

}  // namespace opp2p
