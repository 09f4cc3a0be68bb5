#include "libp2p/transports/memory/memory_net.hpp"

namespace libp2p::memory {

std::uint64_t MemoryNet::take_number() {
  while (listeners_.contains(next_)) ++next_;
  return next_++;
}

std::shared_ptr<Listener> MemoryNet::at(std::uint64_t number) const {
  const auto found = listeners_.find(number);
  return found == listeners_.end() ? nullptr : found->second;
}

}  // namespace libp2p::memory
