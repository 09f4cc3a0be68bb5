#include "libp2p/multiformats/address_blocks.hpp"

#include <algorithm>
#include <charconv>

#include "libp2p/multiformats/ip_text.hpp"

namespace libp2p::multiformats {

std::optional<Bytes> ip_of(const Multiaddr& address) {
  for (const auto& part : address.components()) {
    if (part.protocol == Protocol::ip4) return part.value;
    if (part.protocol != Protocol::ip6) continue;
    if (const auto four = unmap_ip4(part.value)) return Bytes(four->begin(), four->end());
    return part.value;
  }
  return std::nullopt;
}

bool is_loopback(ByteView ip) {
  if (ip.size() == 4) return ip[0] == 127;
  if (ip.size() != 16) return false;
  return std::all_of(ip.begin(), ip.end() - 1, [](std::uint8_t byte) { return byte == 0; }) && ip[15] == 1;
}

AddressBlocks address_blocks(const Multiaddr& address) {
  constexpr std::size_t kNarrow = 7;  // bytes of a /56
  constexpr std::size_t kWide = 6;    // bytes of a /48
  const auto ip = ip_of(address);
  if (!ip) {
    const auto& parts = address.components();
    const bool in_memory = !parts.empty() && parts.front().protocol == Protocol::memory;
    return in_memory ? AddressBlocks::exempt() : AddressBlocks::unknown();
  }
  if (is_loopback(*ip)) return AddressBlocks::exempt();
  if (ip->size() == 4) return {*ip, {}};
  return {Bytes(ip->begin(), ip->begin() + kNarrow), Bytes(ip->begin(), ip->begin() + kWide)};
}

Cidr::Cidr(Bytes ip, unsigned prefix) : ip_(std::move(ip)), prefix_(prefix) {
  for (std::size_t bit = prefix_; bit < ip_.size() * 8; ++bit) {
    ip_[bit / 8] = static_cast<std::uint8_t>(ip_[bit / 8] & ~(0x80U >> (bit % 8)));
  }
}

Cidr Cidr::single(ByteView ip) { return {to_bytes(ip), static_cast<unsigned>(ip.size() * 8)}; }

Result<Cidr> Cidr::from_text(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto ip = parse_ip(text.substr(0, slash));
  const auto wrong = [text] {
    return fail(Errc::malformed,
                "'" + std::string(text) + "' is no address block; write it like 10.0.0.0/8 or 2001:db8::/32");
  };
  if (!ip) return wrong();
  if (slash == std::string_view::npos) return single(*ip);
  const std::string_view digits = text.substr(slash + 1);
  unsigned prefix = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (error != std::errc() || end != digits.data() + digits.size() || prefix > ip->size() * 8) return wrong();
  return Cidr(*ip, prefix);
}

bool Cidr::contains(ByteView ip) const {
  if (ip.size() != ip_.size()) return false;
  return Cidr(to_bytes(ip), prefix_).ip_ == ip_;
}

std::string Cidr::text() const {
  return (ip_.size() == 4 ? ip4_text(ip_) : ip6_text(ip_)) + "/" + std::to_string(prefix_);
}

}  // namespace libp2p::multiformats
