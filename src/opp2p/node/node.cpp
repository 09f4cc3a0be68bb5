#include "opp2p/node/node.hpp"

#include "libp2p/base/assert.hpp"
#include "libp2p/host/peerstore.hpp"

namespace opp2p {
namespace sync = opstack::sync;
using libp2p::Multiaddr;
using libp2p::PeerId;
using libp2p::runtime::Task;
using opstack::payload::SharedEnvelope;

Node::Node(libp2p::runtime::Runtime& runtime, NodeConfig config, BlockStore& store)
    : config_(std::move(config)),
      store_(store),
      events_(runtime),
      parts_(make_host(runtime, config_)),
      counting_(events_.add_sink(counter_)) {
  listener_.listen_to_host();
  parts_.make_services(config_, store_);
  listener_.listen_to_ping();
}

Node::~Node() = default;

libp2p::Subscription Node::add_sink(NodeSink& sink) {
  OPP2P_ASSERT(!started_, "sinks are added before the start");
  return events_.add_sink(sink);
}

// --- start ---

Result<void> Node::start() {
  OPP2P_ASSERT(!started_, "a node starts once");
  started_ = true;
  OPP2P_TRYV(start_chain());
  start_signing();
  OPP2P_TRYV(parts_.blocks->join());
  listener_.listen_to_scores();
  OPP2P_TRYV(start_listening());
  OPP2P_TRYV(start_static_peers());
  events_.tell(NodeStarted{});
  return {};
}

Result<void> Node::start_chain() {
  const std::size_t window = sync::BlockTreeLimits().window;
  OPP2P_TRY(auto view, store_.view(window));
  if (!view.head) {
    // A chain that is older than anybody can serve begins at the first block that is accepted.
    if (const auto begin = sync::starting_point(config_.rollup, parts_.host->runtime().now().wall)) {
      sync::KnownBlock genesis;
      genesis.ref = *begin;
      genesis.timestamp = config_.rollup.genesis.l2_time;
      view.begin = genesis;
    }
  }
  NodeStarting starting;
  for (const auto& known : view.recent)
    if (view.head && known.ref.hash == view.head->hash && view.head->number > config_.rollup.genesis.l2.number)
      starting.head_timestamp = known.timestamp;
  parts_.make_chain(config_, view);
  events_.tell(starting);
  parts_.make_block_gossip(config_);
  listener_.listen_to_chain();
  listener_.listen_to_blocks();
  return {};
}

void Node::start_signing() {
  auto& blocks = *parts_.blocks;
  if (config_.sequencer_key) {
    blocks.publisher().set_key(config_.sequencer_key);
    // A sequencer accepts its own blocks, whatever else it was told.
    if (!config_.unsafe_block_signer) config_.unsafe_block_signer = blocks.publisher().signer();
  }
  blocks.rotate_signer(config_.unsafe_block_signer);
  if (config_.unsafe_block_signer) parts_.follower->set_signer(*config_.unsafe_block_signer);
  if (!config_.unsafe_block_signer) events_.tell(SignerMissing{});
}

Result<void> Node::start_listening() {
  if (const auto listening = parts_.host->listen(config_.listen); !listening)
    return listening.error().within("--p2p.listen.ip, --p2p.listen.tcp");
  for (const auto& address : parts_.host->listen_addresses()) events_.tell(ListeningAt{address});
  if (const auto ips = parts_.host->runtime().interface_ips(); !ips) events_.tell(InterfacesUnreadable{ips.error()});
  return {};
}

Result<void> Node::start_static_peers() {
  parts_.static_peers = std::make_unique<libp2p::StaticPeers>(*parts_.host);
  listener_.listen_to_static_peers();
  for (const auto& address : config_.static_peers) {
    OPP2P_TRY(const auto added, parts_.static_peers->add(address));
    if (!added) {
      events_.tell(StaticPeerSkipped{address});
    } else if (const auto peer = *address.peer_id(); parts_.static_ids.insert(peer).second) {
      events_.tell(StaticPeerAdded{peer});
    }
  }
  return {};
}

Task<void> Node::close(libp2p::Nanos limit) {
  events_.tell(NodeStopping{});
  parts_.static_peers.reset();
  parts_.scoring->stop();
  if (parts_.blocks) parts_.blocks->leave();
  co_await parts_.gossip->close();
  if (parts_.server) co_await parts_.server->close();
  if (parts_.follower) co_await parts_.follower->close();
  co_await parts_.ping->close();
  co_await parts_.identify->close();
  co_await parts_.host->close(limit);
  events_.tell(NodeStopped{});
}

// --- what users ask for ---

void Node::publish(SharedEnvelope envelope, Done done) { intake_.publish(std::move(envelope), std::move(done)); }

void Node::publish_signed(SharedEnvelope envelope, const opstack::rules::Signature& signature, Done done) {
  intake_.publish_signed(std::move(envelope), signature, std::move(done));
}

void Node::post_unsafe_payload(SharedEnvelope envelope, Done done) {
  intake_.post_unsafe_payload(std::move(envelope), std::move(done));
}

void Node::rotate_signer(const opstack::rules::Address& signer) {
  parts_.follower->set_signer(signer);  // first: a block of the new signer has its era
  parts_.blocks->rotate_signer(signer);
}

Task<Result<void>> Node::connect(Multiaddr address) {
  const auto peer = address.peer_id();
  auto connected = co_await parts_.host->connect(std::move(address));
  if (!connected) co_return connected.error();
  if (peer) events_.tell(ConnectedOnRequest{*peer});
  co_return Result<void>();
}

Result<void> Node::disconnect(const PeerId& peer) {
  if (parts_.host->disconnect(peer, "asked for by the operator")) events_.tell(DisconnectingOnRequest{peer});
  parts_.host->peerstore().erase(peer);
  return {};
}

void Node::check() const {
  check_network();
  if (parts_.blocks) parts_.blocks->check();
  if (parts_.follower) parts_.follower->check();
}

void Node::check_network() const {
  parts_.host->check();
  if (parts_.gossip) parts_.gossip->check();
  if (parts_.scoring) parts_.scoring->check();
  if (parts_.server) parts_.server->check();
}

}  // namespace opp2p
