// Text made of what peers say: agent names, protocol names, error texts, names in addresses. Peers may send any bytes;
// text that leaves this program (JSON, files, terminals) goes through peer_text(). The log does the same with every
// field by itself (opp2p/log/log_line.hpp).
//
// Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace libp2p {

inline constexpr std::size_t kMaxPeerText = 512;

// Valid UTF-8 of at most `max_bytes`, and behind it " (N more bytes)" when something was cut off. A byte that belongs
// to no character becomes U+FFFD, as Go's encoding/json writes it. A control character becomes its escape, e.g. \u001b.
// Text that is clean comes back as it is.
std::string peer_text(std::string_view bytes, std::size_t max_bytes = kMaxPeerText);

struct Utf8Character {
  std::uint32_t point = 0;
  std::size_t bytes = 0;  // 0: no well-formed character begins here
};

// The first character of a text that is not empty. Well-formed is what Unicode's table 3-7 lists: no overlong forms, no
// surrogates, nothing above U+10FFFF.
Utf8Character first_utf8_character(std::string_view text);

// True for what moves a terminal's cursor, ends a line, or turns the direction of the text that follows.
bool is_control_character(std::uint32_t point);

// Appends \uXXXX, with lower-case digits. Control characters are all below U+10000.
void append_escape(std::string& out, std::uint32_t point);

}  // namespace libp2p
