#include "opp2p/rpc/socket_owner.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

namespace opp2p {
namespace {

constexpr std::string_view kListening = "0A";
constexpr std::size_t kMostBytes = 16 << 20;  // of a table

// The table has an address as words in the machine's byte order, in hexadecimal digits.
std::string table_text(const void* address, std::size_t bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes; at += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, static_cast<const char*>(address) + at, 4);
    char text[9];
    std::snprintf(text, sizeof text, "%08X", word);
    out += text;
  }
  return out;
}

// How a table may name the address, an IPv4 one mapped into IPv6 too, and all addresses.
std::vector<std::string> names_of(const std::string& ip) {
  std::vector<std::string> out = {std::string(8, '0'), std::string(32, '0')};
  std::array<std::uint8_t, 16> bytes{};
  if (::inet_pton(AF_INET6, ip.c_str(), bytes.data()) == 1) {
    out.push_back(table_text(bytes.data(), 16));
  } else if (::inet_pton(AF_INET, ip.c_str(), bytes.data() + 12) == 1) {
    out.push_back(table_text(bytes.data() + 12, 4));
    bytes[10] = bytes[11] = 0xff;
    out.push_back(table_text(bytes.data(), 16));
  }
  return out;
}

template <class Number>
std::optional<Number> number_in(std::string_view text, int base) {
  Number out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(out) : std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> stranger_in(std::string_view table, const std::string& ip, std::uint16_t port,
                                         std::uint32_t expected) {
  const auto names = names_of(ip);
  std::istringstream lines{std::string(table)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string number, local, remote, state, queues, timer, retries, user;
    if (!(words >> number >> local >> remote >> state >> queues >> timer >> retries >> user)) continue;
    const auto colon = local.find(':');
    if (state != kListening || colon == std::string::npos) continue;
    if (std::find(names.begin(), names.end(), local.substr(0, colon)) == names.end()) continue;
    const auto at = number_in<std::uint16_t>(std::string_view(local).substr(colon + 1), 16);
    const auto owner = number_in<std::uint32_t>(user, 10);
    if (at == port && owner && *owner != 0 && *owner != expected) return owner;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> stranger_at(const std::string& ip, std::uint16_t port, std::uint32_t expected) {
  for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream in(path);
    std::string table;
    std::array<char, 4096> part;
    while (table.size() < kMostBytes && (in.read(part.data(), part.size()), in.gcount() > 0))
      table.append(part.data(), static_cast<std::size_t>(in.gcount()));
    if (const auto found = stranger_in(table, ip, port, expected)) return found;
  }
  return std::nullopt;
}

}  // namespace opp2p
