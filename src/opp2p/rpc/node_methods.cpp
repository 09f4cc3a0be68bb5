// The methods about the node itself and its chain.
#include "opp2p/observe/health.hpp"
#include "opp2p/rpc/node_api.hpp"
#include "opp2p/rpc/p2p_json.hpp"

namespace opp2p {
namespace {

RpcPlainHandler constant(json::value value) {
  return [value = std::move(value)](const json::array&) -> RpcReply { return value; };
}

RpcHandler status_method(const NodeApi& api) {
  const auto take = [&runtime = api.runtime, &node = api.node, version = api.version,
                     started = api.runtime.now().mono] {
    const auto now = runtime.now();
    auto out = node.snapshots().status();
    out.version = version;
    out.uptime = now.mono - started;
    if (const auto head = node.head_clock().get()) out.head_age = head_age(*head, now.wall);
    return out;
  };
  return reads_value(api.snapshots, "opp2p_status", take,
                     [](const StatusSnapshot& status) { return json::value(status_json(status)); });
}

std::vector<RpcMethod> constant_methods(const opstack::chain::RollupConfig& rollup, const std::string& version) {
  return {
      {.name = "optimism_rollupConfig",
       .handler = constant(rollup.to_json()),
       .help = "The chain's rollup configuration."},
      {.name = "optimism_version", .handler = constant(json::string(version)), .help = "The version of the program."},
      {.name = "health_status", .handler = constant(json::string(version)), .help = "The version of the program."},
  };
}

}  // namespace

std::vector<RpcMethod> node_methods(const NodeApi& api) {
  std::vector<RpcMethod> out = {
      {.name = "opp2p_status",
       .handler = status_method(api),
       .help = "The head, the peers, the blocks that were accepted and rejected, and the delay of arriving blocks."}};
  for (auto& method : constant_methods(api.node.config().rollup, api.version)) out.push_back(std::move(method));
  return out;
}

void add_methods_without_p2p(JsonRpc& rpc, const opstack::chain::RollupConfig& rollup, const std::string& version) {
  for (auto& method : constant_methods(rollup, version)) rpc.add(std::move(method));
}

}  // namespace opp2p
