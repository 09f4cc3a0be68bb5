#include "libp2p/protocols/gossipsub/ip_colocation.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace libp2p::gossipsub {
namespace {

// The first `prefix` bytes of an address.
IpColocation::IpAddress ip_address(ByteView ip, std::size_t prefix) {
  IpColocation::IpAddress out;
  std::copy_n(ip.begin(), prefix, out.bytes.begin());
  out.size = static_cast<std::uint8_t>(ip.size());
  return out;
}

}  // namespace

bool IpColocation::is_allowed(const IpAddress& address) const {
  const ByteView ip(address.bytes.data(), address.size);
  return std::any_of(allow_list_.begin(), allow_list_.end(), [ip](const Cidr& block) { return block.contains(ip); });
}

std::vector<IpColocation::IpAddress> IpColocation::counted(std::span<const PeerAddress> addresses) const {
  constexpr std::size_t kSubnet = 8;  // bytes of a /64
  std::vector<IpAddress> out;
  const auto add = [&](const IpAddress& address) {
    if (!is_allowed(address) && std::find(out.begin(), out.end(), address) == out.end()) out.push_back(address);
  };
  for (const PeerAddress& address : addresses) {
    // The IP of a relayed connection is the relay's.
    if (address.limited || address.remote.has(multiformats::Protocol::p2p_circuit)) continue;
    const auto ip = multiformats::ip_of(address.remote);
    if (!ip || multiformats::is_loopback(*ip)) continue;
    add(ip_address(*ip, ip->size()));
    if (ip->size() == 16) add(ip_address(*ip, kSubnet));
  }
  if (out.size() > max_places_) out.resize(max_places_);
  return out;
}

void IpColocation::count(std::size_t before, std::size_t after) {
  if (std::max(before, after) > threshold_) ++version_;
}

void IpColocation::move(Places& places, std::span<const PeerAddress> addresses) {
  Places moved;
  for (const IpAddress& address : counted(addresses)) {
    const auto at = counts_.try_emplace(address, 0).first;
    count(at->second, at->second + 1);
    ++at->second;
    moved.push_back(at);
  }
  leave(places);  // after the new ones, so that the place of an address that stays is kept
  places = std::move(moved);
}

void IpColocation::leave(Places& places) {
  for (const auto at : places) {
    OPP2P_ASSERT(at->second > 0, "a peer is counted where it is", at->second);
    count(at->second, at->second - 1);
    if (--at->second == 0) counts_.erase(at);
  }
  places.clear();
}

void IpColocation::spare_older(const Places& places, std::uint64_t number) {
  for (const auto at : places) {
    sparing_[at->first].insert(number);
    count(at->second, at->second);
  }
}

void IpColocation::spare_nobody(const Places& places, std::uint64_t number) {
  for (const auto at : places) {
    const auto found = sparing_.find(at->first);
    if (found == sparing_.end() || found->second.erase(number) == 0) continue;
    if (found->second.empty()) sparing_.erase(found);
    count(at->second, at->second);
  }
}

std::size_t IpColocation::count_against(Counts::iterator at, std::uint64_t number) const {
  const auto found = at->second > threshold_ ? sparing_.find(at->first) : sparing_.end();
  if (found == sparing_.end()) return at->second;
  const auto newer = std::distance(found->second.upper_bound(number), found->second.end());
  OPP2P_ASSERT(static_cast<std::size_t>(newer) <= at->second, "those that are away are counted", newer, at->second);
  return at->second - static_cast<std::size_t>(newer);
}

double IpColocation::factor(const Places& places, std::uint64_t number) const {
  double sum = 0;
  for (const auto at : places) {
    const auto surplus = static_cast<double>(std::max(count_against(at, number), threshold_) - threshold_);
    sum += surplus * surplus;
  }
  return sum;
}

}  // namespace libp2p::gossipsub
