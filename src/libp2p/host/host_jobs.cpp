#include "libp2p/host/host_jobs.hpp"

namespace libp2p {

namespace {

constexpr Nanos kExpireEvery = std::chrono::minutes(5);

}  // namespace

HostJobs::HostJobs(runtime::Runtime& runtime, const HostConfig& config, Swarm& swarm, ConnectionManager& manager,
                   Peerstore& peerstore, const SwarmPolicy& policy, HostCounters& counters)
    : runtime_(runtime),
      config_(config),
      swarm_(swarm),
      manager_(manager),
      peerstore_(peerstore),
      policy_(policy),
      counters_(counters),
      trim_timer_(runtime.make_timer([this] { trim(); })),
      expiry_timer_(runtime.make_timer([this] { expire(); })) {
  expiry_timer_->arm(runtime_.now().mono + kExpireEvery);
}

void HostJobs::on_opened() {
  if (swarm_.open_count() > config_.connection_manager.high) trim_timer_->arm(runtime_.now().mono);
}

void HostJobs::trim() {
  const MonoTime now = runtime_.now().mono;
  const auto open = swarm_.connections();
  const auto blocks_of = [this](const Multiaddr& remote) { return policy_.address_blocks(remote); };
  for (const auto id : manager_.choose(open, blocks_of, now)) {
    ++counters_.trimmed;
    swarm_.close(id,
                 fail(Errc::closed, "trimmed: more than " + std::to_string(config_.connection_manager.high) +
                                        " connections (ConnectionManagerConfig::high, --p2p.peers.hi)"),
                 now + Swarm::kCloseTime, CloseCode::garbage_collected);
  }
  const auto next = manager_.next_check(open, now);
  if (next) trim_timer_->arm(*next);
}

void HostJobs::expire() {
  const MonoTime now = runtime_.now().mono;
  for (const PeerId& peer : swarm_.peers()) peerstore_.keep_addresses(peer, now);
  peerstore_.collect(now);
  expiry_timer_->arm(now + kExpireEvery);
}

}  // namespace libp2p
