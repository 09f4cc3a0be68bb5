#include "libp2p/runtime/sim/link_model.hpp"

namespace libp2p::runtime {
namespace {

constexpr std::size_t kPacketBytes = 1448;    // of payload, in an Ethernet frame with IPv4 and TCP timestamps
constexpr Nanos kLeastTimeout = Millis(200);  // Linux: TCP_RTO_MIN
constexpr Nanos kFirstTimeout = Seconds(1);   // RFC 6298, section 2: before a round trip was measured
constexpr int kMostLosses = 8;                // of one packet in a row

// How long until a packet gets through that is sent again after `timeout`, twice that, and so on.
Nanos resending(Nanos timeout, double loss, Rng& rng) {
  Nanos out{0};
  for (int losses = 0; losses < kMostLosses && rng.next_unit() < loss; ++losses, timeout *= 2) out += timeout;
  return out;
}

}  // namespace

Nanos retransmission_delay(const LinkQuality& quality, std::size_t bytes, Rng& rng) {
  Nanos out{0};
  if (quality.loss <= 0) return out;
  const Nanos timeout = std::max(kLeastTimeout, 3 * quality.latency);
  // Packets are under way side by side: the one that is held up longest decides.
  for (std::size_t sent = 0; sent < bytes; sent += kPacketBytes)
    out = std::max(out, resending(timeout, quality.loss, rng));
  return out;
}

Nanos set_up_delay(const LinkQuality& quality, Rng& rng) {
  return quality.loss <= 0 ? Nanos(0) : resending(kFirstTimeout, quality.loss, rng);
}

RegionalLinks::Matrix RegionalLinks::six_regions() {
  static constexpr std::int64_t kMillis[6][6] = {
      // east, west, Europe, Brazil, Japan, Australia
      {1, 32, 42, 58, 75, 100},   {32, 1, 70, 90, 52, 70},   {42, 70, 1, 100, 115, 140},
      {58, 90, 100, 1, 130, 155}, {75, 52, 115, 130, 1, 52}, {100, 70, 140, 155, 52, 1},
  };
  Matrix out;
  for (const auto& row : kMillis) {
    auto& latencies = out.emplace_back();
    for (const auto millis : row) latencies.emplace_back(Millis(millis));
  }
  return out;
}

}  // namespace libp2p::runtime
