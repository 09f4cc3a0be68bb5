// The IP of a multiaddr, and the blocks whose shares of a bounded pool it uses (libp2p/base/share_pool.hpp). The
// prefixes are go-libp2p's: an IPv4 address, a /56 and a /48 of IPv6 (op-node surface, section 2, resource manager).
// Pure functions.
#pragma once

#include <optional>
#include <vector>

#include "libp2p/base/share_pool.hpp"
#include "libp2p/multiformats/multiaddr.hpp"

namespace libp2p::multiformats {

// The IP of an address: 4 bytes (also of an IPv6 address that maps one) or 16; nothing when it has none.
std::optional<Bytes> ip_of(const Multiaddr& address);
bool is_loopback(ByteView ip);

// The IPs that a rule about addresses has to look at: the address's own, and the IPv4 address that an IPv6 one leads
// to: NAT64's 64:ff9b::/96 (RFC 6052), 6to4's 2002::/16, Teredo's 2001::/32, and the deprecated "IPv4-compatible"
// ::/96. None for an address without an IP (memory, Unix, a name).
std::vector<Bytes> ips_to_judge(const Multiaddr& address);
// That IPv4 address; nothing for any other, also for a mapped one, which is an IPv4 address itself.
std::optional<ByteArray<4>> carried_ip4(ByteView sixteen);

// The blocks of an address. Loopback and addresses of the memory transport are exempt; other addresses without an IP
// share one block.
AddressBlocks address_blocks(const Multiaddr& address);

}  // namespace libp2p::multiformats
