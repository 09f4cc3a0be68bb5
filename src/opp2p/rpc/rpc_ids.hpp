// The ids of JSON-RPC requests as they were sent. JSON's numbers have no bound and a parsed one may have lost digits,
// but a client finds its answer by the id that it gave: 18446744073709551616, 1.5 and "\u0041" go back byte for byte.
//
// Pure functions. Bounds: one pass over the text; what is kept counts in the parsed request's own memory.
#pragma once

#include <boost/json/value.hpp>
#include <string_view>

namespace opp2p {

inline constexpr std::size_t kMaxRpcId = 1024;  // bytes between the quotes, or of a number

// Replaces the member "id" of each request in `parsed`, which was parsed from `text`, by a string that holds the id's
// own JSON text. An object, an array and a text that is too long become "{", which is no id.
void keep_ids_as_sent(boost::json::value& parsed, std::string_view text);

}  // namespace opp2p
