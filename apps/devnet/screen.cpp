#include "apps/devnet/screen.hpp"

#include <algorithm>

namespace opp2p::devnet {
namespace {

constexpr std::string_view kColourOff = "\x1b[0m";

// The length of the escape sequence at the start of the text: ESC [ … up to a letter. Zero when there is none.
std::size_t escape_length(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  const auto end = std::find_if(text.begin() + 2, text.end(), [](char c) { return c >= '@' && c <= '~'; });
  return static_cast<std::size_t>(end - text.begin()) + (end == text.end() ? 0 : 1);
}

bool continues_a_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

std::string in_colour(Colour colour, std::string_view text) {
  const char* on = "";
  switch (colour) {
    case Colour::none: return std::string(text);
    case Colour::bold: on = "\x1b[1m"; break;
    case Colour::red: on = "\x1b[31m"; break;
    case Colour::green: on = "\x1b[32m"; break;
    case Colour::yellow: on = "\x1b[33m"; break;
    case Colour::magenta: on = "\x1b[35m"; break;
  }
  return on + std::string(text) + std::string(kColourOff);
}

std::string fit(std::string_view line, std::size_t width) {
  std::string out;
  std::size_t columns = 0;
  bool coloured = false;
  for (std::size_t at = 0; at < line.size();) {
    if (const auto escape = escape_length(line.substr(at)); escape > 0) {
      out += line.substr(at, escape);
      coloured = line.substr(at, escape) != kColourOff;
      at += escape;
      continue;
    }
    if (!continues_a_character(line[at]) && ++columns > width) return coloured ? out + std::string(kColourOff) : out;
    out += line[at++];
  }
  return out;
}

TerminalKind terminal_kind(bool is_terminal, const char* term, const char* no_color) {
  TerminalKind out;
  const std::string_view name = term == nullptr ? "" : term;
  out.in_place = is_terminal && !name.empty() && name != "dumb";
  out.colours = out.in_place && (no_color == nullptr || *no_color == '\0');
  return out;
}

// The carriage return is for what the terminal echoes of a key: the cursor need not be in the first column.
std::string Screen::to_start() {
  std::string out = "\r";
  if (drawn_ > 0) out += "\x1b[" + std::to_string(drawn_) + "A";
  drawn_ = 0;
  return out + "\x1b[J";
}

std::string Screen::draw(const std::vector<std::string>& lines, TerminalSize size) {
  std::string out = to_start();
  // The cursor needs the last row.
  drawn_ = std::min(lines.size(), std::max<std::size_t>(size.rows, 2) - 1);
  for (std::size_t i = 0; i < drawn_; ++i) out += fit(lines[i], size.columns) + "\n";
  return out;
}

std::string Screen::print_above(std::string_view text) { return to_start() + std::string(text); }

}  // namespace opp2p::devnet
