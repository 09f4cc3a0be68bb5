// Starts libsodium, which picks its fastest code for this processor. Cheap after the first call, safe from every
// thread.
#pragma once

namespace libp2p::crypto {

void ensure_sodium();

}  // namespace libp2p::crypto
