// Small things that every service does with a stream. Thread: the network thread.
#pragma once

#include <cstddef>

#include "base/time.hpp"
#include "network/host.hpp"
#include "network/stream.hpp"
#include "runtime/task.hpp"

namespace libp2p::services {

// The coroutine that an acceptor answers with when its service runs the real one in a scope of its own.
runtime::Task<void> nothing();

// Ends a stream in order: our side is closed and what the peer still sends is thrown away until it closes its own side. A peer that
// has not done so at the deadline, or that sends more than `max_discarded` bytes, is reset. (Dropping a stream right after
// the last write would reset it, and the peer might lose what it has not read yet.)
runtime::Task<void> finish(network::Stream stream, MonoTime deadline, std::size_t max_discarded = 64 * 1024);

}  // namespace libp2p::services
