#include "opp2p/rpc/node_api.hpp"

namespace opp2p {
namespace {

// The namespaces there are, sorted, each with the version that geth gives all of them.
RpcMethod modules_method(const JsonRpc& rpc) {
  auto names = rpc.namespaces();
  names.insert("rpc");
  json::object modules;
  for (const auto& name : names) modules[name] = "1.0";
  return {.name = "rpc_modules",
          .handler = [modules = json::value(std::move(modules))](const json::array&) -> RpcReply { return modules; },
          .help = "The namespaces of the methods."};
}

}  // namespace

void add_methods(JsonRpc& rpc, const NodeApi& api) {
  const auto add = [&rpc, admin = api.node.config().rpc_enable_admin](std::vector<RpcMethod> methods) {
    for (auto& method : methods)
      if (method.access != RpcAccess::admin || admin) rpc.add(std::move(method));
  };
#define OPP2P_RPC_FAMILY(name) add(name##_methods(api));
#include "opp2p/rpc/families.def"
#undef OPP2P_RPC_FAMILY
  rpc.add(modules_method(rpc));
}

}  // namespace opp2p
