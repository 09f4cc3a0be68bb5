// How far an address reaches, and which of a peer's addresses are worth keeping: an address of another machine's
// loopback, or of a private network that we do not share, can only lead to the wrong host. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "libp2p/multiformats/multiaddr.hpp"

namespace libp2p {

enum class Reach : std::uint8_t {
  unspecified,  // 0.0.0.0, ::
  loopback,
  private_net,  // RFC 1918, shared (RFC 6598), link-local, unique local
  global,
  unknown,  // no IP in it: a name, a memory or a Unix address
};
Reach reach_of(const Multiaddr& address);
// Of an IP as text, with or without a zone; unknown for anything else.
Reach reach_of_ip(std::string_view ip);
// On this machine or in a network beside it.
constexpr bool is_near(Reach reach) { return reach == Reach::loopback || reach == Reach::private_net; }

// What a peer whose connection comes from `remote` may say about itself: over loopback everything, from a private
// network everything but loopback, from elsewhere global addresses and names. Unspecified addresses never.
std::vector<Multiaddr> believable(const std::vector<Multiaddr>& told, const Multiaddr& remote);

// `listening` with each unspecified address replaced by the IPs of the same family in `local`, which are addresses at
// which this machine is reached: our ends of connections, or the interfaces'. What cannot be replaced is left out;
// nothing is named twice.
std::vector<Multiaddr> specified(const std::vector<Multiaddr>& listening, const std::vector<Multiaddr>& local);

}  // namespace libp2p
