#include "libp2p/multiformats/cidr.hpp"

#include <algorithm>
#include <charconv>

#include "libp2p/base/assert.hpp"
#include "libp2p/multiformats/ip_text.hpp"

namespace libp2p::multiformats {
namespace {

constexpr unsigned kMappedBits = 96;  // of ::ffff:0:0/96

std::string text_of(ByteView ip) { return ip.size() == 4 ? ip4_text(ip) : ip6_text(ip); }

Error no_block(std::string_view text, std::string_view why) {
  return fail(Errc::malformed, "'" + std::string(text) + "' is no address block: " + std::string(why) +
                                   "; write it like 10.0.0.0/8 or 2001:db8::/32");
}

}  // namespace

Cidr::Cidr(ByteView ip, unsigned prefix)
    : size_(static_cast<std::uint8_t>(ip.size())), prefix_(static_cast<std::uint8_t>(prefix)) {
  OPP2P_ASSERT((ip.size() == 4 || ip.size() == 16) && prefix <= 8 * ip.size(), "a block is a part of an address family",
               ip.size(), prefix);
  for (std::size_t i = 0; i < ip.size(); ++i) {
    const int kept = std::clamp(static_cast<int>(prefix) - static_cast<int>(8 * i), 0, 8);
    ip_[i] = static_cast<std::uint8_t>(ip[i] & (0xff00u >> kept));
  }
}

Cidr Cidr::of(ByteView ip, unsigned prefix) {
  const auto four = unmap_ip4(ip);
  return four ? Cidr(*four, prefix) : Cidr(ip, prefix);
}

Cidr Cidr::single(ByteView ip) {
  const auto four = unmap_ip4(ip);
  return four ? Cidr(*four, 32) : Cidr(ip, static_cast<unsigned>(8 * ip.size()));
}

Result<Cidr> Cidr::from_text(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  const auto ip = parse_ip(address);
  if (!ip) return no_block(text, "'" + std::string(address) + "' is no IP address");
  if (slash == std::string_view::npos) return single(*ip);
  const bool is_mapped = ip->size() == 4 && address.find(':') != std::string_view::npos;
  const unsigned most = is_mapped ? 128 : static_cast<unsigned>(8 * ip->size());
  const std::string_view digits = text.substr(slash + 1);
  unsigned prefix = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (error != std::errc() || end != digits.data() + digits.size() || prefix > most)
    return no_block(text, "the number behind the slash must be 0 to " + std::to_string(most));
  if (!is_mapped) return Cidr(*ip, prefix);
  if (prefix < kMappedBits)
    return no_block(text, "it has all of IPv4 and more; name 0.0.0.0/0 and the block of IPv6 apart");
  return Cidr(*ip, prefix - kMappedBits);
}

bool Cidr::contains(ByteView ip) const {
  if (ip.size() != 4 && ip.size() != 16) return false;
  const auto four = unmap_ip4(ip);
  const ByteView plain = four ? ByteView(*four) : ip;
  return plain.size() == size_ && Cidr(plain, prefix_).ip_ == ip_;
}

std::string Cidr::text() const { return ip_text() + "/" + std::to_string(prefix_); }
std::string Cidr::ip_text() const { return text_of(ip()); }

Result<std::string> canonical_ip(std::string_view ip) {
  const auto parsed = parse_ip(ip);
  if (!parsed) return fail(Errc::malformed, "'" + std::string(ip) + "' is not an IP address");
  return text_of(*parsed);
}

}  // namespace libp2p::multiformats
