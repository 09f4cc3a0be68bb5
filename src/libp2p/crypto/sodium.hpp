// Initialises libsodium, which selects its fastest code for this processor. Cheap after the first call. Thread-safe.
#pragma once

namespace libp2p::crypto {

void ensure_sodium();

}  // namespace libp2p::crypto
