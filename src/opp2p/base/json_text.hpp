// JSON as the RPC writes it. Numbers have the form of Go's encoding/json: the shortest text that reads back as the same
// number, without an exponent from 1e-6 to 1e21. Every string is made valid UTF-8, so that no method can break an
// answer. Texts of peers are made readable before they come here (libp2p/base/peer_text.hpp). Pure functions.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace opp2p {

std::string json_text(const boost::json::value& value);

// In quotes. A byte that belongs to no character becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);
// What JSON has no word for, an infinity or no number, becomes null.
void append_json_number(std::string& out, double number);

}  // namespace opp2p
