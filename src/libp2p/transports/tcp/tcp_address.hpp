// Converts a multiaddr to the endpoint of a TCP socket, and back. Pure functions. Specification: addressing.
#pragma once

#include "libp2p/base/endpoint.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/multiformats/multiaddr.hpp"

namespace libp2p::tcp {

// Of /ip4|ip6/A/tcp/P and /ip6zone/Z/ip6/A/tcp/P. Anything else, an address that ends in /p2p too, is
// Errc::unsupported; the error says what is not spoken, and leaves it to the caller to say of which address.
Result<Endpoint> endpoint_of(const Multiaddr& address);

// "/ip4/1.2.3.4/tcp/9222". Errc::malformed for an endpoint without an IP.
Result<Multiaddr> to_multiaddr(const Endpoint& endpoint);

}  // namespace libp2p::tcp
