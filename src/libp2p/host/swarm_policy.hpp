// What a swarm asks the host: which protocols it serves, whose share of a bounded pool an address uses, and what a
// peer's place is worth. The answers are those of the moment, and asking changes nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/multiformats/address_blocks.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace libp2p {

// What a peer's place is worth, the least first.
enum class Standing : std::uint8_t { unproven, proven, protected_peer };

class SwarmPolicy {
 public:
  virtual ~SwarmPolicy() = default;
  virtual bool accepts_protocol(std::string_view protocol) const = 0;
  virtual std::vector<std::string> list_protocols() const = 0;
  virtual AddressBlocks address_blocks(const Multiaddr& remote) const = 0;
  virtual Standing standing(const PeerId& peer) const = 0;
};

}  // namespace libp2p
