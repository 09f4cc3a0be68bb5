// What the dialer makes of an address before a transport sees it: the name that it begins with, which the dialer
// resolves, and the address itself without the peer's id. Pure functions. Specification: addressing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libp2p/base/endpoint.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/multiformats/multiaddr.hpp"

namespace libp2p {

struct DialTarget {
  std::optional<std::string> name;  // of the DNS, where the address begins with /dns, /dns4 or /dns6
  Family family = Family::any;      // of the IPs to look up for it
  // Without /p2p/ID at its end. Where there is a name, the unspecified IP stands in its place, so that a transport can
  // say whether it takes what the name leads to; with_ip() puts a real one there.
  Multiaddr address;
};

// Errc::invalid_argument for an empty address, Errc::unsupported for /dnsaddr and for /p2p/ID alone.
Result<DialTarget> dial_target(const Multiaddr& address);

// `address`, which begins with an IP or a name, with `ip` in its place ("fe80::1%eth0": with its zone). What follows,
// /sni too, stays. Errc::unsupported for an address that begins with neither (/unix/…, /p2p/…).
Result<Multiaddr> with_ip(const Multiaddr& address, std::string_view ip);

// "/ip4/1.2.3.4", "/ip6zone/eth0/ip6/fe80::1".
Result<Multiaddr> ip_address(std::string_view ip);

// For people: "10.0.0.2:9000" where the address is an IP with a port, else its text.
std::string place_text(const Multiaddr& address);

// "'ADDRESS' cannot be used: WHY".
Error not_usable(const Multiaddr& address, std::string_view why);

}  // namespace libp2p
