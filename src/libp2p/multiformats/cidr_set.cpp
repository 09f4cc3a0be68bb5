#include "libp2p/multiformats/cidr_set.hpp"

namespace libp2p::multiformats {

bool CidrSet::insert(const Cidr& block) {
  if (!blocks_.insert(block).second) return false;
  ++count_of(block);
  return true;
}

bool CidrSet::erase(const Cidr& block) {
  if (blocks_.erase(block) == 0) return false;
  --count_of(block);
  return true;
}

std::optional<Cidr> CidrSet::covering(ByteView ip) const {
  if (ip.size() != 4 && ip.size() != 16) return std::nullopt;
  const Cidr whole = Cidr::single(ip);
  const auto& counts = whole.is_ip4() ? of_ip4_ : of_ip6_;
  for (unsigned prefix = whole.prefix() + 1; prefix-- > 0;) {
    if (counts[prefix] == 0) continue;
    const auto found = blocks_.find(Cidr::of(whole.ip(), prefix));
    if (found != blocks_.end()) return *found;
  }
  return std::nullopt;
}

}  // namespace libp2p::multiformats
