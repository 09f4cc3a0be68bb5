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

}  // namespace

std::vector<RpcMethod> node_methods(const NodeApi& api) {
  return {
      {.name = "opp2p_status",
       .handler = status_method(api),
       .help = "The head, the peers, the blocks that were accepted and rejected, and the delay of arriving blocks."},
      {.name = "optimism_rollupConfig",
       .handler = constant(api.node.config().rollup.to_json()),
       .help = "The chain's rollup configuration."},
      {.name = "optimism_version",
       .handler = constant(json::string(api.version)),
       .help = "The version of the program."},
      {.name = "health_status", .handler = constant(json::string(api.version)), .help = "The version of the program."},
  };
}

}  // namespace opp2p
