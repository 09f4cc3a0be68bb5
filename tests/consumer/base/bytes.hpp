// The project's own header under a name that the library has too, below libp2p/.
#pragma once

namespace consumer {
inline constexpr int kPort = 0;
}
