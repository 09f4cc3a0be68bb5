// What several stories do on the stage, with the words for it.
#pragma once

#include "apps/devnet/stage.hpp"

namespace opp2p::devnet {

// Stops the node and says at which block.
libp2p::Result<void> stop_with_word(Stage& stage, const std::string& name);
// The node sequences from now on, `lower` blocks below the published tip.
libp2p::Result<void> take_over_with_word(Stage& stage, const std::string& name, std::uint64_t lower);

}  // namespace opp2p::devnet
