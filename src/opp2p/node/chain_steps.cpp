// The steps of a node that are about blocks: its chain over the store, block gossip, and the topics.
#include "opp2p/node/node_parts.hpp"
#include "opp2p/node/node_steps.hpp"
#include "opp2p/node/part_listener.hpp"

namespace opp2p {
namespace gossip = opstack::gossip;
namespace sync = opstack::sync;
using libp2p::Nanos;
using libp2p::Result;
using libp2p::runtime::Task;

namespace {

gossip::BlockGossipConfig make_block_gossip_config(const NodeConfig& config) {
  gossip::BlockGossipConfig out;
  out.chain_id = config.rollup.l2_chain_id;
  out.version_at = [rollup = config.rollup](std::uint64_t timestamp) { return rollup.payload_version(timestamp); };
  out.jovian_time = config.rollup.activation_time(opstack::chain::Fork::jovian);
  out.max_age = std::chrono::floor<libp2p::Seconds>(config.gossip_timestamp_threshold);
  return out;
}

// What the store has. Without a head, a chain that is older than anybody can serve begins at the first block that is
// accepted.
Result<sync::ChainView> stored_chain(const NodeWiring& w) {
  OPP2P_TRY(auto view, w.store.view(sync::BlockTreeLimits().window));
  if (view.head) return view;
  if (const auto begin = sync::starting_point(w.config.rollup, w.runtime.now().wall)) {
    sync::KnownBlock genesis;
    genesis.ref = *begin;
    genesis.timestamp = w.config.rollup.genesis.l2_time;
    view.begin = genesis;
  }
  return view;
}

void make_follower(NodeWiring& w, const sync::ChainView& view) {
  const auto& config = w.config;
  auto& parts = w.parts;
  sync::FollowerConfig follow;
  follow.chain.patience = config.sync_patience;
  follow.memory = config.sync_memory;
  follow.req_resp = config.sync_req_resp;
  parts.follower = std::make_unique<sync::Follower>(*parts.host, config.rollup, *parts.chain, follow, view);
  if (!config.sync_req_resp) return;
  sync::SyncServerConfig serve;
  serve.limits.rate_limited = config.sync_server_limits;
  parts.server = std::make_unique<sync::SyncServer>(*parts.host, config.rollup, *parts.chain, serve);
}

void set_signers(NodeWiring& w) {
  auto& blocks = *w.parts.blocks;
  auto& signer = w.config.unsafe_block_signer;
  if (w.config.sequencer_key) {
    blocks.publisher().set_key(w.config.sequencer_key);
    // A sequencer accepts its own blocks, whatever else it was told.
    if (!signer) signer = blocks.publisher().signer();
  }
  blocks.rotate_signer(signer);
  if (signer) w.parts.follower->set_signer(*signer);
  if (!signer) w.events.tell(SignerMissing{});
}

}  // namespace

Result<void> begin_chain(NodeWiring& w) {
  w.parts.chain = std::make_unique<BlockStoreAdapter>(w.runtime, w.store);
  OPP2P_TRY(const auto view, stored_chain(w));
  NodeStarting starting;
  for (const auto& known : view.recent)
    if (view.head && known.ref.hash == view.head->hash && view.head->number > w.config.rollup.genesis.l2.number)
      starting.head_timestamp = known.timestamp;
  make_follower(w, view);
  w.events.tell(starting);
  w.listener.listen_to_chain();
  return {};
}

Task<void> close_chain(NodeWiring& w, Nanos) {
  if (w.parts.server) co_await w.parts.server->close();
  co_await w.parts.follower->close();
}

void drop_chain(NodeWiring& w) {
  w.parts.server.reset();
  w.parts.follower.reset();
  w.parts.chain.reset();
}

Result<void> begin_block_gossip(NodeWiring& w) {
  auto& parts = w.parts;
  parts.blocks = std::make_unique<gossip::BlockGossip>(
      w.runtime, *parts.gossip, make_block_gossip_config(w.config), [&parts](const gossip::AcceptedBlock& accepted) {
        parts.follower->on_block(accepted.from, accepted.block, accepted.signature, accepted.signer);
      });
  parts.blocks->publisher().set_keep(
      [&parts](const gossip::PublishedBlock& block, std::function<void(Result<void>)> kept) {
        parts.follower->on_own_block(block.block, block.signature, block.signer, std::move(kept));
      },
      [&parts](const opstack::rules::Address& signer) {
        return parts.blocks->signers().allows(signer, parts.host->runtime().now().wall);
      });
  w.listener.listen_to_blocks();
  set_signers(w);
  return {};
}

// With the backoffs of the run before: nobody is grafted who was told not to be.
Result<void> begin_topics(NodeWiring& w) {
  auto& parts = w.parts;
  auto backoffs = std::make_unique<BackoffKeeper>(w.runtime, *parts.gossip, *parts.writer);
  OPP2P_TRYV(backoffs->load());
  OPP2P_TRYV(parts.blocks->join());
  parts.backoffs = std::move(backoffs);
  return {};
}

Task<void> leave_topics(NodeWiring& w, Nanos) {
  w.parts.blocks->leave();
  w.parts.backoffs->close();
  co_return;
}

void drop_topics(NodeWiring& w) { w.parts.backoffs.reset(); }

}  // namespace opp2p
