// How services take inbound streams: in coroutines of their own scope, which end with the service and not with the
// host. Thread: the network thread.
#pragma once

#include <functional>
#include <string_view>

#include "libp2p/connection/stream.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/runtime/task.hpp"

namespace libp2p {

// Runs `serve` in `scope` for every inbound stream of `protocol`; throws std::invalid_argument for an empty one.
// Remove the host's handler before the scope goes.
void serve_in_scope(libp2p::Host& host, runtime::TaskScope& scope, std::string_view protocol,
                    std::function<runtime::Task<void>(libp2p::Stream)> serve);

// The coroutine that an acceptor answers with when the stream has been taken already.
runtime::Task<void> finished_task();

}  // namespace libp2p
