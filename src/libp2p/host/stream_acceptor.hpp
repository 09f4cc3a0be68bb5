// What serves the inbound streams of a protocol: a coroutine that owns the stream (Host::set_stream_handler).
#pragma once

#include <functional>

#include "libp2p/connection/stream.hpp"
#include "libp2p/runtime/task.hpp"

namespace libp2p {

using StreamAcceptor = std::function<runtime::Task<void>(Stream)>;

}  // namespace libp2p
