// Mplex as a muxer that a host may speak. It is deprecated, because it cannot hold a sender back
// (protocols/mplex/session.hpp says what happens instead), so no host offers it unless it is asked to. An inbound
// stream needs no acknowledgement, a reset and the end of a connection carry no code, and there is no keep-alive to
// measure a round trip with. Specification: mplex.
#pragma once

#include "libp2p/protocols/mplex/limits.hpp"
#include "libp2p/seams/stream_mux.hpp"

namespace libp2p::mplex {

// "/mplex/6.7.0". What StreamLimits says counts before the same bound in `limits`.
MuxerKind muxer(const Limits& limits);
MuxerKind muxer();

}  // namespace libp2p::mplex
