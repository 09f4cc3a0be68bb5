// Inbound frames that are not whole: which of them have to go.
#include "libp2p/services/gossipsub/gossipsub_service.hpp"

namespace libp2p {

// Too much is held: whoever holds most without moving goes, which need not be who has grown.
Result<void> GossipsubService::on_grown(GossipInbound& stream) {
  for (ShareFull full = unfinished_.exceeded(stream.key()); full != ShareFull::none;
       full = unfinished_.exceeded(stream.key())) {
    Error why(Errc::exhausted, std::string("unfinished gossip messages of ") +
                                   (full == ShareFull::total ? "all peers" : "the peer's addresses") +
                                   " would take more than their share of " + std::to_string(config_.unfinished_bytes) +
                                   " bytes (GossipsubConfig::unfinished_bytes)");
    ++counters_.frames_evicted;
    GossipInbound* const largest = largest_unfinished(stream, full);
    if (largest == nullptr || largest == &stream) return why;
    largest->evict(why);
  }
  return {};
}

GossipInbound* GossipsubService::largest_unfinished(const GossipInbound& grown, ShareFull full) {
  const MonoTime at = now().mono;
  GossipInbound* largest = nullptr;
  UnfinishedFrames::Claim most;
  for (auto& [peer, row] : peers_) {
    if (row.inbound == nullptr || row.inbound->held() == 0) continue;
    if (!unfinished_.shares(grown.key(), row.inbound->key(), full)) continue;
    UnfinishedFrames::Claim claim;
    claim.slow = row.inbound->progress().is_slow(at);
    claim.proven = router_.is_proven(peer, at);
    claim.held = row.inbound->held();
    if (largest != nullptr && !unfinished_.goes_before(claim, most)) continue;
    largest = row.inbound.get();
    most = claim;
  }
  return largest;
}

void GossipsubService::reset_overdue_frames() {
  const MonoTime at = now().mono;
  for (auto& [peer, row] : peers_) {
    if (row.inbound == nullptr || !row.inbound->progress().is_overdue(config_.frame_timeout, at)) continue;
    ++counters_.frames_timed_out;
    row.inbound->evict(Error(Errc::timed_out, "a gossip frame was not whole " +
                                                  std::to_string(config_.frame_timeout / Seconds(1)) +
                                                  " s after its first byte (GossipsubConfig::frame_timeout)"));
  }
}

}  // namespace libp2p
