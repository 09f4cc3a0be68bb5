// The lists of go-libp2p's blocking gater as records: the peers, IP addresses and subnets that an operator blocks, each
// under a key of its own. go-libp2p reads the values only. Pure functions over texts and bytes of a disk that may be
// damaged; any thread. Source: op-node surface, section 3, "Persistence of static blocks"; go-libp2p v0.47, conngater.
#pragma once

#include <string>
#include <string_view>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace libp2p::storage {

inline constexpr std::string_view kBlockedPeerBase = "/libp2p/net/conngater/peer/";      // and the id in base58
inline constexpr std::string_view kBlockedIpBase = "/libp2p/net/conngater/addr/";        // and the address as text
inline constexpr std::string_view kBlockedSubnetBase = "/libp2p/net/conngater/subnet/";  // and the subnet as text

// An IP address as Go writes it in a key: canonical, an IPv4 address mapped into IPv6 as IPv4. Errc::malformed for a
// text that is none, or has a zone.
Result<std::string> ip_record_text(std::string_view ip);

struct GaterRecord {
  std::string key;
  Bytes value;
};

GaterRecord blocked_peer_record(const PeerId& peer);
// `ip` and `subnet` are texts as read below, in any spelling; Errc::malformed for others.
Result<GaterRecord> blocked_ip_record(std::string_view ip);
Result<GaterRecord> blocked_subnet_record(std::string_view subnet);

// The values. An address and a subnet come as their canonical texts, an IPv4 address mapped into IPv6 as IPv4.
Result<PeerId> decode_blocked_peer(ByteView value);
Result<std::string> decode_blocked_ip(ByteView value);
Result<std::string> decode_blocked_subnet(ByteView value);

}  // namespace libp2p::storage
