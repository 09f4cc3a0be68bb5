// What several stories do on the stage, with the words for it.
#pragma once

#include "apps/devnet/story.hpp"

namespace opp2p::devnet {

// Stops the node and says at which block.
libp2p::Result<void> stop_with_word(Stage& stage, const std::string& name);
// From `when` on the sequencer publishes no more. It is stopped as soon as every node has its last block: what a story
// asks of the nodes then does not depend on the moment.
std::vector<Step> stop_sequencer(std::function<bool(const Record&)> when);
// Every node that runs has the last published block.
bool all_have_the_head(const Record& seen);
// The node sequences from now on, `lower` blocks below the published tip; each block comes `late` after its timestamp.
libp2p::Result<void> take_over_with_word(Stage& stage, const std::string& name, std::uint64_t lower,
                                         libp2p::Nanos late = {});
// After a take-over: all nodes reorganise, the first sequencer comes back and does too, and some blocks pass. `whom`:
// who has taken over.
inline constexpr auto kFollowLimit = libp2p::Seconds(30);
void append_aftermath(std::vector<Step>& steps, const std::string& whom);

}  // namespace opp2p::devnet
