#include "libp2p/services/gossipsub/gossip_peer.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/base/assert.hpp"

namespace libp2p {

void GossipPeer::begin_opening() {
  OPP2P_ASSERT(wants_outbound(), "one outbound stream is opened at a time", generation_, opening_);
  opening_ = true;
}

void GossipPeer::end_opening() {
  OPP2P_ASSERT(opening_ && outbound_ == nullptr, "an opening that ends has begun, and nobody else gave a stream",
               generation_, opening_);
  opening_ = false;
}

void GossipPeer::set_outbound(std::unique_ptr<GossipOutbound> stream) {
  OPP2P_ASSERT(wants_outbound(), "a new outbound stream replaces none", generation_, opening_);
  outbound_ = std::move(stream);
}

void GossipPeer::set_inbound(std::unique_ptr<GossipInbound> stream) {
  OPP2P_ASSERT(inbound_ == nullptr, "the inbound stream that is replaced has been buried", generation_);
  inbound_ = std::move(stream);
}

Nanos GossipPeer::next_delay(const GossipsubConfig& config) {
  const unsigned doublings = std::min(failures_++, 20U);
  return std::min<Nanos>(config.reopen_first * (std::int64_t{1} << doublings), config.reopen_most);
}

void GossipPeer::forgive(const GossipsubConfig& config, MonoTime now) {
  if (now - outbound_->opened() >= config.reopen_forgiven) failures_ = 0;
}

}  // namespace libp2p
