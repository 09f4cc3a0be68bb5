// Reads the input files of subcommands, and reports an error in one line.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "opp2p/base/output.hpp"

namespace opp2p {

// A whole file, or standard input for "-"; at most 256 MiB. With `hex` the text is decoded, white space around it and
// between lines left out.
libp2p::Result<libp2p::Bytes> read_input(const std::string& path, bool hex);

// Twenty bytes as hexadecimal text, with or without 0x.
libp2p::Result<libp2p::ByteArray<20>> read_address(std::string_view text);

// One line of JSON, with numbers and strings as the RPC writes them (opp2p/base/json_text.hpp).
void print_line(opp2p::Output& out, const boost::json::object& object);
// What an error says to a person: its text and place, without its kind, which the text tells.
std::string sentence_of(const libp2p::Error& error);
// "opp2p: TEXT" on standard error; answers 1, the exit code.
int report(const std::string& text);
int report(const libp2p::Error& error);

}  // namespace opp2p
