// Both ends of a byte pipe inside one process. Each end is owned by who holds it and calls back from its own runtime's
// queue. It behaves as TCP does: after shutdown_write() the far end reads what was written and then the end; an end
// that is destroyed while bytes lie unread in it resets the far one, which loses what it has not read; destroyed with
// nothing unread, the far end reads the rest and then the end, and its writes meet a reset.
//
// Thread: the network thread. Bounds: kBuffer bytes each way; beyond it write() answers Errc::would_block.
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
