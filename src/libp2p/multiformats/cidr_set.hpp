// Many address blocks, and which of them covers an address. A look-up costs one search for each prefix length that is
// in use (at most 33 of IPv4 and 129 of IPv6), however many blocks there are. Pure. Owner: whoever has the rules.
// Bounds: its owner's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>

#include "libp2p/multiformats/cidr.hpp"

namespace libp2p::multiformats {

class CidrSet {
 public:
  bool insert(const Cidr& block);  // false: it is in already
  bool erase(const Cidr& block);   // false: it was not in
  bool contains(const Cidr& block) const { return blocks_.contains(block); }
  // The narrowest block that has the address; nothing for what has neither 4 nor 16 bytes.
  std::optional<Cidr> covering(ByteView ip) const;
  std::size_t size() const { return blocks_.size(); }
  const std::set<Cidr>& blocks() const { return blocks_; }  // in Cidr's order

 private:
  std::uint32_t& count_of(const Cidr& block) { return (block.is_ip4() ? of_ip4_ : of_ip6_)[block.prefix()]; }

  std::set<Cidr> blocks_;
  std::array<std::uint32_t, 129> of_ip4_{};  // blocks by their prefix
  std::array<std::uint32_t, 129> of_ip6_{};
};

}  // namespace libp2p::multiformats
