// The coroutines of Host's functions. A user may keep one beyond the life of the host, so each reaches the host through
// a HostLink, and asks it again after every wait.
//
// Owner: whoever awaits the task. Thread: the network thread. Bounds: those of the dialer and of the connection.
#pragma once

#include <string>
#include <vector>

#include "libp2p/host/host_link.hpp"

namespace libp2p {

// See Host.
runtime::Task<Result<PeerId>> connect_to(HostLink host, Multiaddr address);
runtime::Task<Result<PeerId>> connect_peer(HostLink host, PeerId peer);
runtime::Task<Result<Stream>> open_stream(HostLink host, PeerId peer, std::vector<std::string> protocols);
runtime::Task<void> close_host(HostLink host, Nanos limit);

// What `opening` gives, or Errc::timed_out at the deadline, which is also the stream's.
runtime::Task<Result<Stream>> open_by(runtime::Runtime& runtime, runtime::Task<Result<Stream>> opening,
                                      MonoTime deadline, std::string what);

}  // namespace libp2p
