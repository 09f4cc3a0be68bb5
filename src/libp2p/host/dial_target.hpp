// What a multiaddr means to a TCP dialer and listener: a host (an IP or a name with its family) and a port. Pure functions.
#pragma once

#include <string>

#include "libp2p/base/result.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/runtime/runtime.hpp"

namespace libp2p {

struct DialTarget {
  std::string host;     // an IP, with a zone where it has one, or a name
  std::uint16_t port = 0;
  bool is_name = false;
  runtime::Family family = runtime::Family::any;  // of a name
};

// /ip4|ip6/A/tcp/P, /ip6zone/Z/ip6/A/tcp/P and /dns|dns4|dns6/N/tcp/P, each with or without /p2p/ID at its end. Anything else is
// Errc::unsupported with what is not spoken here.
Result<DialTarget> dial_target(const Multiaddr& address);

// "/ip4/1.2.3.4/tcp/9222" of a socket's end.
Multiaddr to_multiaddr(const runtime::Endpoint& endpoint);

}  // namespace libp2p
