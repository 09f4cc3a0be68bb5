// What the network between two simulated nodes is like. The world asks the model once per connection and direction;
// later models (shared uplinks) derive from LinkModel. Pure; owned by whoever makes the world.
//
// What TCP makes of a network that loses and reorders packets is delay, and so it is here: bytes of a connection keep
// their order and none is missing. A packet that is lost holds up what it carried and everything behind it until it is
// sent again, after a retransmission time-out that doubles with each further loss. A write counts as as many packets as
// it fills. The packet that sets a connection up is sent again after one second, two, four …, as Linux does, so that
// dials may be answered in another order than they were made. Not modelled: fast retransmission, congestion windows,
// and what acknowledgements suffer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "libp2p/base/rng.hpp"
#include "libp2p/base/time.hpp"

namespace libp2p::runtime {

using NodeIndex = std::size_t;

struct LinkQuality {
  Nanos latency = Millis(20);           // one way
  Nanos jitter{0};                      // what a write's way takes longer: up to this, evenly
  double loss = 0;                      // how likely a packet is lost; below 1
  std::uint64_t bytes_per_second = 0;   // 0: as much as there is
  std::size_t buffer_bytes = 4u << 20;  // sent and not yet read, per direction: sender's and receiver's together
};

// For how long losses hold up a write of `bytes`, and the packet that sets a connection up. Zero without loss.
Nanos retransmission_delay(const LinkQuality& quality, std::size_t bytes, Rng& rng);
Nanos set_up_delay(const LinkQuality& quality, Rng& rng);

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

// Nodes lie in regions, by their index in turn, and the latency between two is that between their regions.
class RegionalLinks final : public LinkModel {
 public:
  // One-way latencies by region and region: square, and not empty.
  using Matrix = std::vector<std::vector<Nanos>>;

  // `rest` says everything but the latency.
  explicit RegionalLinks(LinkQuality rest = {}, Matrix matrix = six_regions())
      : rest_(rest), matrix_(std::move(matrix)) {}
  LinkQuality quality(NodeIndex from, NodeIndex to, Rng&) override {
    LinkQuality out = rest_;
    out.latency = matrix_[region_of(from)][region_of(to)];
    return out;
  }
  std::size_t region_of(NodeIndex node) const { return node % matrix_.size(); }

  // North America's east and west, Europe, Brazil, Japan, Australia: round figures between data centres.
  static Matrix six_regions();

 private:
  LinkQuality rest_;
  Matrix matrix_;
};

}  // namespace libp2p::runtime
