// Both ends of a byte pipe inside one process. An end behaves as a TCP socket does. After shutdown_write() the other
// end reads the remaining bytes and then the end of the stream. When an end with unread bytes is destroyed, the other
// end is reset and loses what it has not read. When an end without unread bytes is destroyed, the other end reads the
// remaining bytes and then the end, and its writes are answered by a reset.
//
// Owner: each end belongs to its holder and calls back from that holder's runtime. Thread: the network thread. Bounds:
// kBuffer bytes in each direction; beyond it write() returns Errc::would_block.
#pragma once

#include <string>
#include <utility>

#include "libp2p/runtime/runtime.hpp"

namespace libp2p::memory {

inline constexpr std::size_t kBuffer = 64 * 1024;

// The two ends of a new pipe. The names are of the far end as each sees it, "/memory/7", for error texts.
std::pair<std::unique_ptr<runtime::Socket>, std::unique_ptr<runtime::Socket>> make_pipe(runtime::Runtime& of_first,
                                                                                        std::string second_name,
                                                                                        runtime::Runtime& of_second,
                                                                                        std::string first_name);

}  // namespace libp2p::memory
