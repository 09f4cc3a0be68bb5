// Whether the peer that sent a message is to blame when its block is refused: for what no honest peer passes on. An
// honest peer may pass on a block that is old or new by our clock, one more at a height, and one that breaks a rule of
// this node's own; and it is not to blame for what this node had no signer, no room or no working code to judge. Pure
// functions. Source: op-node surface, 5.5: rows 1 to 4, 7, 10 to 16, and 6 where a signer is configured.
#pragma once

#include "opstack/rules/reason.hpp"

namespace opstack::rules {

bool is_blamed(Reason reason, bool signer_known);

}  // namespace opstack::rules
