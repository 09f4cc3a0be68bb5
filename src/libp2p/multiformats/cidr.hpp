// Cidr: a block of IP addresses, "10.0.0.0/8", and the one type for it. Rules about addresses (gaters, exemptions, the
// allow-list of colocation, trusted proxies) are made of it, so it has one meaning and one text for every spelling:
//
// - The bits behind the prefix are cleared. The text is canonical: dotted decimal, or RFC 5952.
// - IPv4 addresses that are mapped into IPv6 are IPv4 addresses: "::ffff:10.1.2.3/104" is "10.0.0.0/8". An address that
//   is mapped and has a shorter prefix than /96 is refused, since it would mean all of IPv4 and more.
// - A block of IPv6, "::/0" too, contains no IPv4 address and the other way round (as of Go's net package).
// - A zone behind an IPv6 address ("fe80::1%eth0") is dropped: a rule is about the address on every link.
// - IPv4 numbers with leading zeros are refused: some programs read them as octal.
//
// A value that allocates nothing; ordered: IPv4 first, then by number, then the wider block first. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace libp2p::multiformats {

class Cidr {
 public:
  // A block, or a single address without "/". Errc::malformed with what is wrong.
  static Result<Cidr> from_text(std::string_view text);
  // The block of `ip` (4 or 16 bytes) with `prefix` bits, at most all of its own; for a mapped IPv4 address those of
  // the IPv4 address.
  static Cidr of(ByteView ip, unsigned prefix);
  static Cidr single(ByteView ip);

  bool contains(ByteView ip) const;  // false for what has neither 4 nor 16 bytes
  bool is_ip4() const { return size_ == 4; }
  bool is_single() const { return prefix_ == 8 * size_; }
  unsigned prefix() const { return prefix_; }  // bits
  ByteView ip() const { return ByteView(ip_).first(size_); }
  std::string text() const;     // "10.0.0.0/8", also of a single address: "10.0.0.1/32"
  std::string ip_text() const;  // without the prefix
  friend auto operator<=>(const Cidr&, const Cidr&) = default;

 private:
  Cidr(ByteView ip, unsigned prefix);

  std::uint8_t size_;  // bytes of the address
  ByteArray<16> ip_{};
  std::uint8_t prefix_;
};

// The canonical text of an IP address ("::ffff:1.2.3.4" is 1.2.3.4, a zone is dropped). Errc::malformed for anything
// else, a block too.
Result<std::string> canonical_ip(std::string_view ip);

}  // namespace libp2p::multiformats

namespace libp2p {
using multiformats::canonical_ip;
using multiformats::Cidr;
}  // namespace libp2p
