// How many peers are at each IP address (gossipsub v1.1, P6), counted as go-libp2p-pubsub does: an IPv4 address, and of
// IPv6 the address and besides its /64. Loopback, relayed connections, addresses without an IP and those of the allow
// list never count. A peer that is away can be told to count against those only that came after it. Owner: PeerScorer.
// Bounds: addresses of a peer; a place without peers has no row.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/multiformats/address_blocks.hpp"
#include "libp2p/multiformats/cidr.hpp"
#include "libp2p/protocols/gossipsub/scores.hpp"

namespace libp2p::gossipsub {

class IpColocation {
 public:
  // An IPv4 address, an IPv6 address, or a /64, which has the key of its lowest address.
  struct IpAddress {
    ByteArray<16> bytes{};  // zero beyond size
    std::uint8_t size = 0;
    friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
  };
  using Counts = std::map<IpAddress, std::size_t>;
  // Where one peer is: each address once. Given back with leave().
  using Places = std::vector<Counts::iterator>;

  IpColocation(std::size_t threshold, std::vector<Cidr> allow_list, std::size_t max_places)
      : threshold_(threshold), allow_list_(std::move(allow_list)), max_places_(max_places) {}
  IpColocation(const IpColocation&) = delete;
  IpColocation& operator=(const IpColocation&) = delete;

  // The peer that is at `places` has these connections now.
  void move(Places& places, std::span<const PeerAddress> addresses);
  void leave(Places& places);

  // From now on the peer, the `number`th to come, counts against those only that came after it; and against all again.
  void spare_older(const Places& places, std::uint64_t number);
  void spare_nobody(const Places& places, std::uint64_t number);

  // The sum, over the addresses of the `number`th peer, of the squares of what is above the threshold.
  double factor(const Places& places, std::uint64_t number) const;
  // Grows when the factor of some peer may have changed.
  std::uint64_t version() const { return version_; }

  const Counts& counts() const { return counts_; }

 private:
  std::vector<IpAddress> counted(std::span<const PeerAddress> addresses) const;
  bool is_allowed(const IpAddress& address) const;
  void count(std::size_t before, std::size_t after);

  std::size_t threshold_;
  std::vector<Cidr> allow_list_;
  std::size_t max_places_;
  std::size_t count_against(Counts::iterator at, std::uint64_t number) const;

  Counts counts_;
  std::map<IpAddress, std::set<std::uint64_t>> sparing_;  // the numbers of those that are away; none is empty
  std::uint64_t version_ = 0;
};

}  // namespace libp2p::gossipsub
