// What the network between two simulated nodes is like. The world asks the model once per connection and direction; later
// models (latency matrices, slow readers, shared uplinks) derive from LinkModel. Pure; owned by whoever makes the world.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/rng.hpp"
#include "base/time.hpp"

namespace libp2p::runtime {

using NodeIndex = std::size_t;

struct LinkQuality {
  Nanos latency = Millis(20);            // one way
  std::uint64_t bytes_per_second = 0;    // 0: as much as there is
  std::size_t buffer_bytes = 4u << 20;   // sent and not yet read, per direction: the sender's and the receiver's buffers together
};

class LinkModel {
 public:
  virtual ~LinkModel() = default;
  // The quality of a new connection's direction from one node to another. Randomness only from `rng`.
  virtual LinkQuality quality(NodeIndex from, NodeIndex to, Rng& rng) = 0;
};

// Every link the same.
class UniformLinks final : public LinkModel {
 public:
  UniformLinks() = default;
  explicit UniformLinks(LinkQuality quality) : quality_(quality) {}
  LinkQuality quality(NodeIndex, NodeIndex, Rng&) override { return quality_; }

 private:
  LinkQuality quality_;
};

}  // namespace libp2p::runtime
