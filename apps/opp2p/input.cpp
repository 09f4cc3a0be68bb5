#include "input.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iostream>

#include "libp2p/base/peer_text.hpp"
#include "opp2p/base/json_text.hpp"

namespace opp2p {
namespace {

using libp2p::Bytes;
using libp2p::Errc;
using libp2p::Error;

constexpr std::size_t kMaxInput = std::size_t{256} << 20;
constexpr std::size_t kMaxReport = 4096;
constexpr std::size_t kChunk = std::size_t{1} << 16;

libp2p::Result<Bytes> read_all(std::istream& in, const std::string& name) {
  Bytes out;
  while (in) {
    const std::size_t before = out.size();
    out.resize(before + kChunk);
    in.read(reinterpret_cast<char*>(out.data() + before), static_cast<std::streamsize>(kChunk));
    out.resize(before + static_cast<std::size_t>(in.gcount()));
    if (out.size() > kMaxInput) return Error(Errc::too_large, name + " is longer than 256 MiB");
  }
  if (!in.eof()) return Error(Errc::io, name + " cannot be read");
  return out;
}

}  // namespace

libp2p::Result<Bytes> read_input(const std::string& path, bool hex) {
  Bytes raw;
  const std::string name = path == "-" ? "standard input" : path;
  if (path == "-") {
    OPP2P_TRY(raw, read_all(std::cin, name));
  } else {
    std::ifstream in(path, std::ios::binary);
    if (!in) return Error(Errc::io, path + " cannot be opened: check that it exists and may be read");
    OPP2P_TRY(raw, read_all(in, path));
  }
  if (!hex) return raw;
  std::string text(raw.begin(), raw.end());
  text.erase(std::remove_if(text.begin(), text.end(), [](unsigned char c) { return std::isspace(c) != 0; }),
             text.end());
  auto decoded = libp2p::from_hex(text);
  if (!decoded) return Error(Errc::malformed, name + " is not a sequence of hexadecimal bytes");
  return *std::move(decoded);
}

libp2p::Result<libp2p::ByteArray<20>> read_address(std::string_view text) {
  const auto raw = libp2p::from_hex(text);
  if (!raw || raw->size() != 20)
    return Error(Errc::malformed,
                 "'" + std::string(text.substr(0, 80)) + "' is not an address; write 0x and 40 hexadecimal digits");
  libp2p::ByteArray<20> out;
  std::copy(raw->begin(), raw->end(), out.begin());
  return out;
}

void print_line(opp2p::Output& out, const boost::json::object& object) { out.write(json_text(object) + "\n"); }

int report(const std::string& text) {
  // What was given, or what a peer said, may stand in the text; a line break in it would make two lines of one.
  std::cerr << "opp2p: " + libp2p::peer_text(text, kMaxReport) + "\n" << std::flush;
  return 1;
}

std::string sentence_of(const Error& error) {
  if (error.text().empty()) return error.message();
  return error.text() + (error.offset() ? " (at byte " + std::to_string(*error.offset()) + ")" : "");
}

int report(const Error& error) { return report(sentence_of(error)); }

}  // namespace opp2p
