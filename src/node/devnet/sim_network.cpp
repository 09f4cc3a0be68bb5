#include "node/devnet/sim_network.hpp"

#include "runtime/sim/link_model.hpp"

namespace opp2p::node::devnet {
namespace {

using libp2p::Multiaddr;
using libp2p::Seconds;
using libp2p::runtime::Task;
namespace runtime = libp2p::runtime;
namespace secp256k1 = libp2p::crypto::secp256k1;

constexpr std::uint16_t kPort = 9222;
constexpr auto kCloseLimit = Seconds(3);

Task<void> close_node(Node& node, bool& done) {
  co_await node.close(kCloseLimit);
  done = true;
}

}  // namespace

SimNetwork::SimNetwork(std::uint64_t seed, opstack::chain::RollupConfig rollup, const secp256k1::Secret& signer,
                       libp2p::UnixTime epoch)
    : rollup_(std::move(rollup)), signer_(signer), rng_(seed), log_(LogFormat::text, LogLevel::crit) {
  runtime::SimWorldOptions options;
  options.epoch = epoch;
  world_ = std::make_unique<runtime::SimWorld>(seed, options, std::make_unique<runtime::UniformLinks>());
}

SimNetwork::~SimNetwork() { close(); }

Result<std::size_t> SimNetwork::add(const SimMemberOptions& options) {
  auto member = std::make_unique<Member>(world_->add_node());
  auto& place = member->place.runtime();
  NodeConfig config;
  config.rollup = rollup_;
  OPP2P_TRY(config.listen, Multiaddr::from_text("/ip4/" + member->place.ip4() + "/tcp/" + std::to_string(kPort)));
  for (const auto other : options.dials) {
    const auto& host = node(other).host();
    config.static_peers.push_back(host.listen_addresses().front().with_peer_id(host.id()));
  }
  config.node_key = secp256k1::generate(rng_);
  if (options.sequencer) config.sequencer_key = signer_;
  config.unsafe_block_signer = secp256k1::address_of(signer_);
  config.peers_hi = 60;
  config.peers_grace = Seconds(30);
  config.user_agent = "opp2p-sim";
  config.dial_timeout = Seconds(10);
  config.gossip_timestamp_threshold = Seconds(60);
  config.sync_memory = 64 << 20;
  member->store = std::make_unique<MemoryStore>([&place](std::function<void()> task) { place.post(std::move(task)); });
  member->node = std::make_unique<Node>(place, std::move(config), *member->store, log_);
  OPP2P_TRYV(member->node->start());
  members_.push_back(std::move(member));
  return members_.size() - 1;
}

Result<void> SimNetwork::publish(std::size_t index, const opstack::payload::Envelope& envelope, libp2p::Nanos limit) {
  std::optional<Result<void>> outcome;
  node(index).publish(std::make_shared<const opstack::payload::Envelope>(envelope),
                      [&outcome](Result<void> done) { outcome = std::move(done); });
  if (!world_->run_until([&outcome] { return outcome.has_value(); }, limit))
    return libp2p::fail(libp2p::Errc::timed_out, "the block was not published in time");
  return *outcome;
}

void SimNetwork::close() {
  for (auto& member : members_) {
    if (!member->node) continue;
    bool done = false;
    {
      runtime::TaskScope scope(member->place.runtime());
      scope.spawn(close_node(*member->node, done));
      world_->run_until([&done] { return done; }, kCloseLimit + Seconds(2));
    }
    member->node.reset();
  }
  members_.clear();
}

}  // namespace opp2p::node::devnet
