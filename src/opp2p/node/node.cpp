#include "opp2p/node/node.hpp"

#include <algorithm>

#include "libp2p/host/peerstore.hpp"
#include "opstack/rules/block_rules.hpp"
#include "opstack/rules/topics.hpp"

namespace opp2p {
namespace gossip = opstack::gossip;
namespace sync = opstack::sync;
using libp2p::Errc;
using libp2p::Error;
using libp2p::fail;
using libp2p::Multiaddr;
using libp2p::PeerId;
using libp2p::runtime::Task;
using opstack::payload::SharedEnvelope;

namespace {

libp2p::crypto::PrivateKey identity_of(const NodeConfig& config) {
  return libp2p::crypto::PrivateKey::from_raw(libp2p::crypto::KeyType::secp256k1, config.node_key).value();
}

libp2p::HostConfig host_config(const NodeConfig& config) {
  libp2p::HostConfig out(identity_of(config));
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

gossip::BlockGossipConfig gossip_config(const NodeConfig& config) {
  gossip::BlockGossipConfig out;
  out.chain_id = config.rollup.l2_chain_id;
  out.version_at = [rollup = config.rollup](std::uint64_t timestamp) { return rollup.payload_version(timestamp); };
  out.jovian_time = config.rollup.activation_time(opstack::chain::Fork::jovian);
  out.max_age = std::chrono::floor<libp2p::Seconds>(config.gossip_timestamp_threshold);
  return out;
}

BlockLogConfig block_log_config(const NodeConfig& config, libp2p::UnixTime now) {
  BlockLogConfig out;
  // A time or an interval from a file may be any number.
  constexpr std::uint64_t kMost = 1U << 30;
  out.patience = libp2p::Seconds(static_cast<std::int64_t>(std::min(kMost, stale_after(config.rollup.block_time))));
  const auto today = static_cast<std::uint64_t>(std::max<std::int64_t>(0, libp2p::unix_seconds(now)));
  if (const auto genesis = config.rollup.genesis.l2_time; genesis > today)
    out.begins_in = libp2p::Seconds(static_cast<std::int64_t>(std::min(genesis - today, kMost)));
  out.watch = !config.sequencer_key;
  return out;
}

// What a peer says of itself, as much of it as a snapshot keeps. The cut may split a character; JSON replaces it then.
std::string bounded(std::string text) {
  if (text.size() > kMaxPeerText) text.resize(kMaxPeerText);
  return text;
}

// "block 12 (0x…)": how a payload is named in errors, as op-node names its payload ids.
std::string name_of(const opstack::payload::ExecutionPayload& block) {
  return libp2p::to_hex0x(block.block_hash) + ":" + std::to_string(block.block_number);
}

}  // namespace

Node::Node(libp2p::runtime::Runtime& runtime, NodeConfig config, BlockStore& store, Log& log)
    : runtime_(runtime),
      config_(std::move(config)),
      store_(store),
      log_(log),
      events_(runtime, log),
      sync_log_(events_) {
  host_ = std::make_unique<libp2p::Host>(runtime_, host_config(config_));
  peer_log_ = std::make_unique<PeerLog>(*host_, events_, config_.rollup.l2_chain_id);
  identify_ = std::make_unique<libp2p::IdentifyService>(*host_);
  libp2p::PingConfig ping;
  ping.background = config_.ping;
  ping_ = std::make_unique<libp2p::PingService>(*host_, ping);
  ping_->on_result([this](const PeerId& peer, const Result<libp2p::Nanos>& round_trip) {
    if (!log_.enabled(Component::host, LogLevel::debug)) return;
    std::optional<libp2p::Nanos> took;
    std::optional<Error> error;
    if (round_trip)
      took = *round_trip;
    else
      error = round_trip.error();
    log_.debug(Component::host, "ping-pong", {{"peer", peer}, {"round_trip", took}, {"error", error}});
  });
  gossip_ = std::make_unique<libp2p::GossipsubService>(
      *host_, gossip::block_gossip_config(config_.rollup.l2_chain_id, {}), scores_);
  chain_ = std::make_unique<BlockStoreAdapter>(
      runtime_, store_, [this](std::uint64_t number, const Error& why) { sync_log_.on_store_refused(number, why); });
}

Node::~Node() = default;

Result<void> Node::start() {
  OPP2P_TRY(const auto summary, store_.summary());
  // A chain that is older than anybody can serve begins at the first block that is accepted.
  auto head = sync::starting_point(config_.rollup, runtime_.now().wall);
  if (summary.head) {
    head = sync::BlockRef{summary.head->number, summary.head->hash, summary.head->parent_hash};
    head_clock_.set(summary.head->timestamp);
  }
  sync::FollowerConfig follow;
  follow.memory = config_.sync_memory;
  follow.req_resp = config_.sync_req_resp;
  follower_ = std::make_unique<sync::Follower>(*host_, config_.rollup, *chain_, follow, head);
  if (config_.sync_req_resp) {
    sync::SyncServerConfig serve;
    serve.limits.rate_limited = config_.sync_server_limits;
    server_ = std::make_unique<sync::SyncServer>(*host_, config_.rollup, *chain_, serve);
  }
  block_log_ = std::make_unique<BlockLog>(runtime_, events_, block_log_config(config_, runtime_.now().wall),
                                          [this] { return surroundings(); });
  blocks_ = std::make_unique<gossip::BlockGossip>(
      runtime_, *gossip_, gossip_config(config_),
      [this](const PeerId& from, const opstack::payload::Block& block) { follower_->on_block(from, block); });
  listen();
  if (config_.sequencer_key) {
    blocks_->publisher().set_key(config_.sequencer_key);
    // A sequencer accepts its own blocks, whatever else it was told.
    if (!config_.unsafe_block_signer) config_.unsafe_block_signer = blocks_->publisher().signer();
  }
  blocks_->rotate_signer(config_.unsafe_block_signer);
  if (!config_.unsafe_block_signer)
    log_.warn(Component::gossip, "no unsafe block signer is configured: every block will be ignored",
              {{"option", "--p2p.unsafe.block.signer"}});

  OPP2P_TRYV(blocks_->join());
  if (const auto listening = host_->listen(config_.listen); !listening)
    return listening.error().within("--p2p.listen.ip, --p2p.listen.tcp");
  for (const auto& address : host_->listen_addresses())
    log_.info(Component::host, "started p2p host", {{"addr", address}, {"peerID", host_->id()}});
  static_peers_ = std::make_unique<libp2p::StaticPeers>(*host_);
  peer_log_->listen_to(*static_peers_);
  for (const auto& address : config_.static_peers) {
    OPP2P_TRY(const auto added, static_peers_->add(address));
    if (added)
      peer_log_->add_static(*address.peer_id());
    else
      log_.info(Component::host, "skipping own address among the static peers", {{"addr", address}});
  }
  return {};
}

Task<void> Node::close(libp2p::Nanos limit) {
  events_.tell_what_was_left_out();
  peer_log_->on_stopping();
  if (block_log_) block_log_->on_stopping();
  static_peers_.reset();
  if (blocks_) blocks_->leave();
  co_await gossip_->close();
  if (server_) co_await server_->close();
  if (follower_) co_await follower_->close();
  co_await ping_->close();
  co_await identify_->close();
  co_await host_->close(limit);
}

// --- blocks in ---

void Node::publish(SharedEnvelope envelope, Done done) {
  blocks_->publisher().publish(envelope, taking_over(envelope, std::move(done)));
}

void Node::publish_signed(SharedEnvelope envelope, const opstack::rules::Signature& signature, Done done) {
  blocks_->publisher().publish_signed(envelope, signature, taking_over(envelope, std::move(done)));
}

// What follows a publication: the block becomes our own head.
gossip::Publisher::Done Node::taking_over(SharedEnvelope envelope, Done done) {
  return [this, envelope = std::move(envelope), done = std::move(done)](const Result<gossip::PublishedBlock>& sent) {
    if (!sent) return done(sent.error());
    ++stats_.published;
    block_log_->on_block();
    log_.info(Component::gossip, "Publishing signed execution payload on p2p",
              {{"id", name_of(envelope->payload)}, {"topic", sent->topic}, {"bytes", sent->bytes}});
    follower_->on_block(host_->id(), sent->block, done);
  };
}

void Node::post_unsafe_payload(SharedEnvelope envelope, Done done) {
  const auto actual = opstack::payload::compute_block_hash(*envelope);
  if (actual != envelope->payload.block_hash)
    return done(fail(Errc::mismatch, "payload has bad block hash: " + libp2p::to_hex0x(envelope->payload.block_hash) +
                                         ", actual block hash is: " + libp2p::to_hex0x(actual)));
  // What breaks the rules of its fork, no peer would take from us.
  const auto fields = opstack::rules::check_block_fields(config_.rollup, *envelope);
  if (fields.verdict != opstack::rules::Verdict::accept)
    return done(fail(Errc::mismatch, fields.text() + "; fields by fork are checked here, unlike in op-node"));
  const auto version = config_.rollup.payload_version(envelope->payload.timestamp);
  if (const auto encodable = opstack::payload::check_encodable(version, *envelope); !encodable)
    return done(encodable.error());
  follower_->on_block(host_->id(), opstack::payload::encode_block(version, std::move(envelope)), std::move(done));
}

// --- snapshots ---

sync::BlockRef Node::head() const {
  const auto& genesis = config_.rollup.genesis.l2;
  return follower_->stored_head().value_or(sync::BlockRef{genesis.number, genesis.hash, {}});
}

PeerSnapshot Node::self() const {
  PeerSnapshot out;
  out.id = host_->id();
  out.key = host_->identity().public_key();
  out.addresses = host_->listen_addresses();
  out.gossip_blocks = true;
  return out;
}

PeerList Node::list_peers(bool connected_only) const {
  PeerList out;
  const auto connected = host_->connected_peers();
  out.ids = connected_only ? connected : host_->peerstore().peers();
  std::erase(out.ids, host_->id());
  out.connected = connected.size();
  for (const auto& topic : opstack::rules::blocks_topics(config_.rollup.l2_chain_id)) {
    const auto subscribers = gossip_->router().subscribers(topic);
    out.gossiping.insert(out.gossiping.end(), subscribers.begin(), subscribers.end());
  }
  std::sort(out.gossiping.begin(), out.gossiping.end());
  return out;
}

PeerSnapshot Node::snapshot_of(const PeerId& peer, const PeerList& list) const {
  const auto& known = host_->peerstore();
  PeerSnapshot out;
  out.id = peer;
  out.key = known.key(peer);
  if (!out.key) out.key = peer.public_key();
  out.user_agent = bounded(known.agent(peer));
  out.protocol_version = bounded(known.protocol_version(peer));
  out.addresses = known.addresses(peer, runtime_.now().mono);
  if (out.addresses.size() > kMaxPeerAddresses)
    out.addresses.erase(out.addresses.begin() + kMaxPeerAddresses, out.addresses.end());
  out.protocols = known.protocols(peer);
  if (out.protocols->size() > kMaxPeerProtocols) out.protocols->resize(kMaxPeerProtocols);
  for (auto& protocol : *out.protocols) protocol = bounded(std::move(protocol));
  const auto connections = host_->connections(peer);
  if (!connections.empty()) {
    out.connectedness = Connectedness::connected;
    out.direction = connections.front().direction == libp2p::Direction::inbound ? ConnectionDirection::inbound
                                                                                : ConnectionDirection::outbound;
  }
  out.is_protected = host_->is_protected(peer);
  out.latency = known.latency(peer);
  out.gossip_blocks = std::binary_search(list.gossiping.begin(), list.gossiping.end(), peer);
  return out;
}

PeerStatsSnapshot Node::peer_stats() const {
  PeerStatsSnapshot out;
  out.connected = host_->connected_peers().size();
  const auto topics = opstack::rules::blocks_topics(config_.rollup.l2_chain_id);
  for (std::size_t i = 0; i < topics.size(); ++i) out.blocks_topic[i] = gossip_->router().subscribers(topics[i]).size();
  out.known = host_->peerstore().size();
  return out;
}

StatusSnapshot Node::status() const {
  const auto now = runtime_.now();
  const auto version = config_.rollup.payload_version(static_cast<std::uint64_t>(libp2p::unix_seconds(now.wall)));
  const auto stored = head();
  StatusSnapshot out;
  out.peer_id = host_->id();
  out.head_number = stored.number;
  out.head_hash = stored.hash;
  out.highest_seen = follower_->chain().highest_seen();
  out.peers = host_->connected_peers().size();
  out.mesh = gossip_->router().mesh(opstack::rules::blocks_topic(config_.rollup.l2_chain_id, version)).size();
  out.stats = stats_;
  if (const auto open = follower_->chain().gap(); open && open->end && open->end->number > open->start.number + 1)
    out.gap = StatusSnapshot::Gap{open->start.number, open->end->number};
  return out;
}

// --- what the RPC asks for ---

Task<Result<void>> Node::connect(Multiaddr address) {
  const auto peer = address.peer_id();
  auto connected = co_await host_->connect(std::move(address));
  if (!connected) co_return connected.error();
  if (peer) events_.tell(Told::on_request, LogLevel::info, Component::host, "connected on request", {{"peer", *peer}});
  co_return Result<void>();
}

Result<void> Node::disconnect(const PeerId& peer) {
  if (host_->disconnect(peer, "asked for by the operator"))
    events_.tell(Told::on_request, LogLevel::info, Component::host, "disconnecting on request", {{"peer", peer}});
  host_->peerstore().erase(peer);
  return {};
}

// --- what happens, into the log ---

void Node::listen() {
  const auto tell = [this](const auto& event) { std::visit([this](const auto& kind) { on(kind); }, event); };
  subscriptions_.push_back(follower_->subscribe(tell));
  subscriptions_.push_back(blocks_->subscribe(tell));
  if (!server_) return;
  subscriptions_.push_back(
      server_->subscribe([this](const sync::ServedRequest& request) { sync_log_.on_served(request); }));
}

void Node::on(const gossip::BlockVerdict& verdict) {
  stats_.count(verdict, runtime_.now().wall);
  if (!verdict.local && verdict.outcome.verdict == opstack::rules::Verdict::accept) host_->mark_proven(verdict.from);
  block_log_->on_verdict(verdict, blocks_->signers().current, peer_log_->is_static(verdict.from));
}

Surroundings Node::surroundings() const {
  Surroundings out;
  out.static_peers = peer_log_->static_peers();
  out.static_present = peer_log_->static_present();
  out.peers = host_->connected_peers().size();
  for (const auto& topic : opstack::rules::blocks_topics(config_.rollup.l2_chain_id))
    out.topic_peers = std::max(out.topic_peers, gossip_->router().subscribers(topic).size());
  out.other_chain = peer_log_->of_other_chains();
  out.chain = std::to_string(config_.rollup.l2_chain_id);
  return out;
}

void Node::on(const gossip::PeerJoinedTopic& event) {
  log_.debug(Component::gossip, "peer joined topic", {{"peer", event.peer}, {"topic", event.topic}});
}

void Node::on(const gossip::PeerLeftTopic& event) {
  log_.debug(Component::gossip, "peer left topic", {{"peer", event.peer}, {"topic", event.topic}});
}

void Node::on(const gossip::TopicJoined& event) {
  log_.info(Component::gossip, "joined topic", {{"topic", event.topic}});
}

void Node::on(const gossip::TopicLeft& event) { log_.info(Component::gossip, "left topic", {{"topic", event.topic}}); }

void Node::on(const sync::StoreFailed& event) { sync_log_.on_store_refused(event.block.number, event.why); }

void Node::on(const sync::ChainTrace& trace) { sync_log_.on_chain_trace(trace); }

void Node::on(const sync::SyncTrace& trace) {
  if (trace.kind == sync::SyncTraceKind::promoted) ++stats_.synced;
  sync_log_.on_sync_trace(trace);
}

void Node::on(const sync::SyncFault& fault) { sync_log_.on_fault(fault); }

void Node::on(const sync::BlockStored& event) {
  const auto& [from, block] = event;
  host_->mark_proven(from);
  head_clock_.set(block.payload().timestamp);
  block_log_->on_block();
  sync_log_.on_stored(from, from == host_->id(), block);
}

void Node::check() const {
  if (host_) host_->check();
  if (gossip_) gossip_->router().check();
  if (follower_) follower_->check();
  if (server_) server_->check();
}

}  // namespace opp2p
