// Numbers of JSON in the form of Go's encoding/json: the shortest text that reads back as the same number, without an
// exponent from 1e-6 to 1e21. Pure.
#pragma once

#include <string>

namespace libp2p {

// What JSON has no word for, an infinity or no number, becomes null.
void append_json_number(std::string& out, double number);

}  // namespace libp2p
