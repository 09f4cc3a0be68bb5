// The value of --p2p.security: a list of security protocols in the order of preference, under op-node's names. Pure
// functions. Source: op-node surface, 1.1.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/result.hpp"

namespace opp2p {

// The names of a list that is separated by commas, as op-node reads p2p.mux and p2p.security: in any case, with spaces
// around them. Answers them in lower case, empty ones too.
std::vector<std::string> names_in(std::string_view list);

// The names as libp2p/host/kinds.hpp has them, each once, at least one. "none", alone, is plaintext. An error's text
// goes on behind the name of the option, and says what to write.
libp2p::Result<std::vector<std::string>> read_security_option(std::string_view text);

}  // namespace opp2p
