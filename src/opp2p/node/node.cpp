#include "opp2p/node/node.hpp"

#include "libp2p/base/assert.hpp"
#include "libp2p/host/peerstore.hpp"

namespace opp2p {
using libp2p::Multiaddr;
using libp2p::PeerId;
using libp2p::runtime::Task;
using opstack::payload::SharedEnvelope;

namespace {

// Sinks ask for it before the node starts. A key that is none is an error of the first step.
PeerId peer_id_of(const NodeConfig& config) {
  using libp2p::crypto::PrivateKey;
  const auto key = PrivateKey::from_raw(libp2p::crypto::KeyType::secp256k1, config.node_key);
  return key ? PeerId::from_public_key(key->public_key()) : PeerId();
}

}  // namespace

Node::Node(libp2p::runtime::Runtime& runtime, NodeConfig config, BlockStore& store, NodeSteps steps)
    : runtime_(runtime),
      config_(std::move(config)),
      store_(store),
      events_(runtime),
      construction_(std::move(steps)),
      counting_(events_.add_sink(counter_)) {
  parts_.id = peer_id_of(config_);
}

Node::~Node() {
  listener_.stop();
  intake_.stop();  // who is answered may look at the node
  auto dropped = wiring();
  construction_.drop(dropped);
}

libp2p::Subscription Node::add_sink(NodeSink& sink) {
  OPP2P_ASSERT(!started_, "sinks are added before the start");
  return events_.add_sink(sink);
}

Result<void> Node::start() {
  OPP2P_ASSERT(!started_, "a node starts once");
  started_ = true;
  auto made = wiring();
  OPP2P_TRYV(construction_.begin(made));
  events_.tell(NodeStarted{});
  return {};
}

Task<void> Node::close(libp2p::Nanos limit) {
  events_.tell(NodeStopping{});
  auto closed = wiring();
  auto closing = construction_.close(closed, limit);
  co_await closing;
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
  parts_.reputation->on_signer_changed();
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
  if (parts_.host) parts_.host->check();
  if (parts_.gossip) parts_.gossip->check();
  if (parts_.reputation) parts_.reputation->check();
  if (parts_.scoring) parts_.scoring->check();
  if (parts_.server) parts_.server->check();
}

}  // namespace opp2p
