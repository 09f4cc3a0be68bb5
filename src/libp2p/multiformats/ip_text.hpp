// IP addresses as text. IPv4 is dotted decimal without leading zeros. IPv6 is read in any form of RFC 4291 and printed
// as RFC 5952 requires. Zones are not accepted: a multiaddr has a component for them. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libp2p/base/bytes.hpp"

namespace libp2p::multiformats {

std::optional<ByteArray<4>> parse_ip4(std::string_view text);
std::optional<ByteArray<16>> parse_ip6(std::string_view text);
std::string ip4_text(ByteView four);
// An address that maps an IPv4 one is printed "::ffff:1.2.3.4".
std::string ip6_text(ByteView sixteen);

// The IPv4 address that an IPv6 one stands for (::ffff:a.b.c.d), and that mapping itself.
std::optional<ByteArray<4>> unmap_ip4(ByteView sixteen);
ByteArray<16> map_ip4(const ByteArray<4>& four);

// An address of either kind as a socket has it: 4 bytes, also for a mapped one, or 16. The zone of an IPv6
// address ("%eth0": visible ASCII without "/" and "%") is passed over.
std::optional<Bytes> parse_ip(std::string_view text);

}  // namespace libp2p::multiformats
