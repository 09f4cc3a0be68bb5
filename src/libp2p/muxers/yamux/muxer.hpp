// Yamux as a multiplexer that a host may speak: puts a yamux::Session behind the seam Muxer. Owned, as every muxer, by
// the connection; its thread, without IO. Bounds: the StreamLimits of the connection, and those that only Yamux has
// (protocols/yamux/limits.hpp). Re-entrancy: as seams/stream_mux.hpp says. Specification: yamux.
#pragma once

#include "libp2p/protocols/yamux/limits.hpp"
#include "libp2p/seams/stream_mux.hpp"

namespace libp2p::yamux {

MuxerKind muxer();
MuxerKind muxer(const Options& options);

}  // namespace libp2p::yamux
