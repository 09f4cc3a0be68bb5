// Plaintext 2.0 as a security protocol that a host may speak. The kind that it makes owns our Exchange message, which
// is the same for every channel of the host. It is used on the network thread. Bounds: those of protocols/plaintext.
// Specification: plaintext. It must not be offered beside others where a peer's identity matters: whoever dials would
// choose it.
#pragma once

#include "libp2p/seams/secure_channel.hpp"

namespace libp2p::plaintext {

SecurityFactory security();

}  // namespace libp2p::plaintext
