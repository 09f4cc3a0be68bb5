// Blocks of IP addresses: CIDR texts, and the blocks whose shares of a bounded pool an address uses
// (libp2p/base/share_pool.hpp). The prefixes are go-libp2p's: an IPv4 address, a /56 and a /48 of IPv6 (op-node
// surface, section 2, resource manager). Pure values.
#pragma once

#include <string_view>
#include <vector>

#include "libp2p/base/result.hpp"
#include "libp2p/base/share_pool.hpp"
#include "libp2p/multiformats/multiaddr.hpp"

namespace libp2p::multiformats {

// The IP of an address: 4 bytes (also of an IPv6 address that maps one) or 16; nothing when it has none.
std::optional<Bytes> ip_of(const Multiaddr& address);
bool is_loopback(ByteView ip);

// The blocks of an address. Loopback and addresses of the memory transport are exempt; other addresses without an IP
// share one block.
AddressBlocks address_blocks(const Multiaddr& address);

// "10.0.0.0/8", "2001:db8::/32", or a single address. Bits behind the prefix are passed over.
class Cidr {
 public:
  // Errc::malformed with what is wrong.
  static Result<Cidr> from_text(std::string_view text);
  static Cidr single(ByteView ip);
  bool contains(ByteView ip) const;
  std::string text() const;
  friend bool operator==(const Cidr&, const Cidr&) = default;

 private:
  Cidr(Bytes ip, unsigned prefix);
  Bytes ip_;
  unsigned prefix_;  // bits
};

}  // namespace libp2p::multiformats

namespace libp2p {
using multiformats::Cidr;
}
