// JSON as the RPC writes it. Numbers have the form of Go's encoding/json (libp2p/base/json_number.hpp). Every string is
// made valid UTF-8, so that no method can break an answer. Texts of peers are made readable before they come here
// (libp2p/base/peer_text.hpp). Pure functions.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace opp2p {

std::string json_text(const boost::json::value& value);

// In quotes. A byte that belongs to no character becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace opp2p
