// A method that changes something through a port (api_ports.hpp): it goes to the network thread, and is answered when
// the change is durable.
#pragma once

#include "opp2p/rpc/node_api.hpp"
#include "opp2p/rpc/rpc_arguments.hpp"

namespace opp2p {

// A change is made at once and then written: the operator should know that it holds.
inline RpcError change_error(const libp2p::Error& error) {
  if (error != libp2p::Errc::io) return server_error(error.text());
  return server_error(error.within("the change holds until the node ends, but is not on disk").text());
}

// The reply of a change: null, or its error.
inline RpcReply null_or_error(const libp2p::Result<bool>& changed) {
  if (!changed) return change_error(changed.error());
  return json::value(nullptr);
}
// True when something changed, or the error.
inline RpcReply changed_or_error(const libp2p::Result<bool>& changed) {
  if (!changed) return change_error(changed.error());
  return json::value(*changed);
}

// Calls work(port, changed) on the network thread. `missing` is the error of a node without such a part.
template <class Port, class Work>
void change(const NodeApi& api, Port* port, const char* missing, const RpcDone& done, Work work,
            RpcReply (*reply)(const libp2p::Result<bool>&) = &null_or_error) {
  if (port == nullptr) return done(server_error(missing));
  api.runtime.post([port, done, work = std::move(work), reply] {
    work(*port, PortDone([done, reply](const libp2p::Result<bool>& changed) { done(reply(changed)); }));
  });
}

}  // namespace opp2p
