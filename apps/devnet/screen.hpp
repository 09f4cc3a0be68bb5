// The terminal of the devnet: lines that stay, and below them an area that is drawn again in place. Pure: returns text.
// A width counts code points, each of which has one column here; escape sequences have no width.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace opp2p::devnet {

enum class Colour { none, bold, red, green, yellow, magenta };

// The text between the sequences that switch the colour on and off.
std::string in_colour(Colour colour, std::string_view text);

// The line cut to `width` columns; a colour that is cut off is switched off.
std::string fit(std::string_view line, std::size_t width);

// What a terminal can do, from TERM and NO_COLOR, which may be null.
struct TerminalKind {
  bool in_place = false;  // lines can be drawn over
  bool colours = false;
};
TerminalKind terminal_kind(bool is_terminal, const char* term, const char* no_color);

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

class Screen {
 public:
  // What to write so that `lines` stand where the ones before stood: cut to the width, and as many as fit.
  std::string draw(const std::vector<std::string>& lines, TerminalSize size);
  // What to write so that `text`, whole lines, stays above the area.
  std::string print_above(std::string_view text);
  // The area stays where it is; the next one is drawn below.
  void leave() { drawn_ = 0; }

 private:
  std::string to_start();
  std::size_t drawn_ = 0;  // lines
};

}  // namespace opp2p::devnet
