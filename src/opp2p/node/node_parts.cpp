#include "opp2p/node/node_parts.hpp"

namespace opp2p {
namespace gossip = opstack::gossip;
namespace sync = opstack::sync;
using libp2p::PeerId;
using libp2p::Result;

namespace {

libp2p::HostConfig make_host_config(const NodeConfig& config) {
  using libp2p::crypto::PrivateKey;
  libp2p::HostConfig out(PrivateKey::from_raw(libp2p::crypto::KeyType::secp256k1, config.node_key).value());
  out.muxers = libp2p::muxers_named(config.muxers).value();
  out.user_agent = config.user_agent;
  out.securities = libp2p::securities_named(config.securities).value();
  out.limits = config.limits;
  out.limits.dial_timeout = config.dial_timeout;
  out.connection_manager.low = config.peers_lo;
  out.connection_manager.high = config.peers_hi;
  out.connection_manager.grace = config.peers_grace;
  out.connection_manager.silence = libp2p::Seconds(60);  // op-node's
  out.connection_manager.count_streams = false;
  return out;
}

gossip::BlockGossipConfig make_block_gossip_config(const NodeConfig& config) {
  gossip::BlockGossipConfig out;
  out.chain_id = config.rollup.l2_chain_id;
  out.version_at = [rollup = config.rollup](std::uint64_t timestamp) { return rollup.payload_version(timestamp); };
  out.jovian_time = config.rollup.activation_time(opstack::chain::Fork::jovian);
  out.max_age = std::chrono::floor<libp2p::Seconds>(config.gossip_timestamp_threshold);
  return out;
}

}  // namespace

std::unique_ptr<libp2p::Host> make_host(libp2p::runtime::Runtime& runtime, const NodeConfig& config) {
  return std::make_unique<libp2p::Host>(runtime, make_host_config(config));
}

void NodeParts::make_services(const NodeConfig& config, BlockStore& store) {
  identify = std::make_unique<libp2p::IdentifyService>(*host);
  libp2p::PingConfig pings;
  pings.background = config.ping;
  ping = std::make_unique<libp2p::PingService>(*host, pings);
  scoring = std::make_unique<PeerScoring>(host->runtime(), config.scoring);
  libp2p::gossipsub::Params params;
  params.thresholds = config.scoring.thresholds;
  libp2p::GossipsubConfig topics = gossip::block_gossip_config(config.rollup.l2_chain_id, params);
  topics.tracer = config.gossip_tracer;
  gossip = std::make_unique<libp2p::GossipsubService>(*host, std::move(topics), scoring->scores());
  chain = std::make_unique<BlockStoreAdapter>(host->runtime(), store);
}

void NodeParts::make_chain(const NodeConfig& config, const sync::ChainView& view) {
  sync::FollowerConfig follow;
  follow.chain.patience = config.sync_patience;
  follow.memory = config.sync_memory;
  follow.req_resp = config.sync_req_resp;
  follower = std::make_unique<sync::Follower>(*host, config.rollup, *chain, follow, view);
  if (!config.sync_req_resp) return;
  sync::SyncServerConfig serve;
  serve.limits.rate_limited = config.sync_server_limits;
  server = std::make_unique<sync::SyncServer>(*host, config.rollup, *chain, serve);
}

void NodeParts::make_block_gossip(const NodeConfig& config) {
  blocks = std::make_unique<gossip::BlockGossip>(
      host->runtime(), *gossip, make_block_gossip_config(config), [this](const gossip::AcceptedBlock& accepted) {
        follower->on_block(accepted.from, accepted.block, accepted.signature, accepted.signer);
      });
  blocks->publisher().set_keep(
      [this](const gossip::PublishedBlock& block, std::function<void(Result<void>)> kept) {
        follower->on_own_block(block.block, block.signature, block.signer, std::move(kept));
      },
      [this](const opstack::rules::Address& signer) {
        return blocks->signers().allows(signer, host->runtime().now().wall);
      });
}

}  // namespace opp2p
