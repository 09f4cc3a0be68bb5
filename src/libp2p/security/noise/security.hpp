// Noise as a security protocol that a host may speak. The kind that it makes owns one static key with the identity's
// signature over it, which all channels of the host share: the specification leaves the choice, and sharing saves a key
// and a signature a connection. It is used on the network thread and outlives its channels. Bounds: those of
// protocols/noise. Specification: noise.
#pragma once

#include "libp2p/seams/secure_channel.hpp"

namespace libp2p::noise {

SecurityFactory security();

}  // namespace libp2p::noise
