// Where a socket's end is, and which addresses a name is looked up for. Values, used by the runtime and by the pure
// code that reads and writes addresses.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

namespace libp2p {

// An IP address and a port. `ip` is text as inet_ntop writes it; IPv6 may carry a zone ("fe80::1%eth0").
struct Endpoint {
  std::string ip;
  std::uint16_t port = 0;
  Endpoint() = default;
  Endpoint(std::string address, std::uint16_t p) : ip(std::move(address)), port(p) {}
  std::string to_string() const;  // "127.0.0.1:9222", "[::1]:9222"
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

enum class Family : std::uint8_t { any, ip4, ip6 };

}  // namespace libp2p
