// TLS 1.3 as a security protocol that a host may speak. The kind that it makes owns one certificate, which all channels
// of the host share. Specification: libp2p specs, tls, and "Multiplexer Negotiation over TLS".
//
// Owner: the host. Thread: the network thread; it outlives its channels, and so does the Rng. Bounds: a record.
#pragma once

#include "libp2p/seams/secure_channel.hpp"

namespace libp2p::tls {

SecurityFactory security();

}  // namespace libp2p::tls
