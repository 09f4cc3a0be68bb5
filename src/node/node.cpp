#include "node/node.hpp"

#include <algorithm>

#include "network/peerstore.hpp"
#include "opstack/gossip/block_rules.hpp"
#include "opstack/gossip/topics.hpp"

namespace opp2p::node {
namespace gossip = opstack::gossip;
namespace network = libp2p::network;
namespace services = libp2p::services;
namespace sync = opstack::sync;
using libp2p::Errc;
using libp2p::Error;
using libp2p::fail;
using libp2p::Multiaddr;
using libp2p::PeerId;
using libp2p::runtime::Task;
using opstack::payload::SharedEnvelope;

namespace {

constexpr auto kRefusalInterval = libp2p::Seconds(60);
constexpr auto kStoreErrorInterval = libp2p::Seconds(10);

libp2p::crypto::PrivateKey identity_of(const NodeConfig& config) {
  return libp2p::crypto::PrivateKey::from_raw(libp2p::crypto::KeyType::secp256k1, config.node_key).value();
}

// What strangers can make the host remember. A node reads what it is sent at once, so it needs less than a library's user.
constexpr std::size_t kHostMemory = 32U << 20;

network::HostConfig host_config(const NodeConfig& config) {
  network::HostConfig out(identity_of(config));
  out.user_agent = config.user_agent;
  out.limits = config.limits;
  out.limits.memory = kHostMemory;
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

// The chain that a peer serves blocks of, when it is not ours. One with reverse sync switched off does not say.
std::optional<std::string> other_chain(const std::vector<std::string>& protocols, std::uint64_t ours) {
  using libp2p::payload_by_number::protocol_id;
  const std::string our_protocol = protocol_id(std::to_string(ours));
  const std::string around = protocol_id("");
  const std::string_view begin = std::string_view(around).substr(0, around.rfind('/'));
  const std::string_view end = std::string_view(around).substr(begin.size());
  std::optional<std::string> found;
  for (const auto& protocol : protocols) {
    if (protocol == our_protocol) return std::nullopt;
    if (!found && protocol.size() > around.size() && protocol.starts_with(begin) && protocol.ends_with(end))
      found = protocol.substr(begin.size(), protocol.size() - around.size());
  }
  return found;
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
    : runtime_(runtime), config_(std::move(config)), store_(store), log_(log) {
  host_ = std::make_unique<network::Host>(runtime_, host_config(config_));
  host_->add_observer(this);
  identify_ = std::make_unique<services::IdentifyService>(*host_);
  services::PingConfig ping;
  ping.background = config_.ping;
  ping_ = std::make_unique<services::PingService>(*host_, ping);
  ping_->on_result([this](const PeerId& peer, const Result<libp2p::Nanos>& round_trip) {
    if (!log_.enabled(Component::host, LogLevel::debug)) return;
    log_.debug(Component::host, "ping-pong",
               {{"peer", peer}, {"result", round_trip ? std::to_string(round_trip->count() / 1000) + " us"
                                                                   : round_trip.error().message()}});
  });
  gossip_ = std::make_unique<services::GossipsubService>(
      *host_, gossip::block_gossip_config(config_.rollup.l2_chain_id, {}), scores_);
  chain_ = std::make_unique<StoreChain>(
      runtime_, store_, [this](std::uint64_t number, const Error& why) { on_store_refused(number, why); });
}

Node::~Node() {
  if (host_) host_->remove_observer(this);
}

Result<void> Node::start() {
  OPP2P_TRY(const auto summary, store_.summary());
  // A chain that is older than anybody can serve begins at the first block that is accepted.
  auto head = sync::starting_point(config_.rollup, runtime_.now().wall);
  if (summary.head) head = sync::BlockRef{summary.head->number, summary.head->hash, summary.head->parent_hash};
  sync::FollowerConfig follow;
  follow.memory = config_.sync_memory;
  follow.req_resp = config_.sync_req_resp;
  follower_ = std::make_unique<sync::Follower>(*host_, config_.rollup, *chain_, follow, head, follower_events());
  if (config_.sync_req_resp) {
    sync::SyncServerConfig serve;
    serve.limits.rate_limited = config_.sync_server_limits;
    server_ = std::make_unique<sync::SyncServer>(*host_, config_.rollup, *chain_, serve,
                                                 [this](const sync::ServedRequest& request) { on_served(request); });
  }
  blocks_ = std::make_unique<gossip::BlockGossip>(
      runtime_, *gossip_, gossip_config(config_), static_cast<gossip::BlockGossipObserver*>(this),
      [this](const PeerId& from, const SharedEnvelope& envelope) { follower_->on_unsafe_payload(from, envelope); });
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
  static_peers_ = std::make_unique<network::StaticPeers>(*host_, network::StaticPeersConfig(),
                                                         static_cast<network::StaticPeersEvents*>(this));
  for (const auto& address : config_.static_peers) {
    OPP2P_TRY(const auto added, static_peers_->add(address));
    if (added) static_ids_.insert(*address.peer_id());
    else log_.info(Component::host, "skipping own address among the static peers", {{"addr", address}});
  }
  return {};
}

Task<void> Node::close(libp2p::Nanos limit) {
  tell_what_was_left_out();
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

void Node::take_over(SharedEnvelope envelope, Done done) {
  const auto version = sync::version_of(*envelope);
  follower_->submit(host_->id(), sync::make_block(version, std::move(envelope)), std::move(done));
}

void Node::publish(SharedEnvelope envelope, Done done) {
  blocks_->publisher().publish(envelope, taking_over(envelope, std::move(done)));
}

void Node::publish_signed(SharedEnvelope envelope, const gossip::Signature& signature, Done done) {
  blocks_->publisher().publish_signed(envelope, signature, taking_over(envelope, std::move(done)));
}

// What follows a publication: the block becomes our own head.
gossip::Publisher::Done Node::taking_over(SharedEnvelope envelope, Done done) {
  return [this, envelope = std::move(envelope), done = std::move(done)](const Result<gossip::PublishedBlock>& sent) {
    if (!sent) return done(sent.error());
    ++stats_.published;
    log_.info(Component::gossip, "Publishing signed execution payload on p2p",
              {{"id", name_of(envelope->payload)}, {"topic", sent->topic}, {"bytes", sent->bytes}});
    take_over(envelope, done);
  };
}

void Node::post_unsafe_payload(SharedEnvelope envelope, Done done) {
  const auto actual = opstack::payload::compute_block_hash(*envelope);
  if (actual != envelope->payload.block_hash)
    return done(fail(Errc::mismatch, "payload has bad block hash: " + libp2p::to_hex0x(envelope->payload.block_hash) +
                                         ", actual block hash is: " + libp2p::to_hex0x(actual)));
  // What breaks the rules of its fork, no peer would take from us.
  const auto fields = gossip::check_block_fields(config_.rollup, *envelope);
  if (fields.verdict != gossip::Verdict::accept)
    return done(fail(Errc::mismatch, fields.text() + "; fields by fork are checked here, unlike in op-node"));
  const auto version = config_.rollup.payload_version(envelope->payload.timestamp);
  if (const auto encodable = opstack::payload::check_encodable(version, *envelope); !encodable)
    return done(encodable.error());
  take_over(std::move(envelope), std::move(done));
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
  for (const auto& topic : gossip::blocks_topics(config_.rollup.l2_chain_id)) {
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
    out.direction = connections.front().direction == network::Direction::inbound ? ConnectionDirection::inbound
                                                                                 : ConnectionDirection::outbound;
  }
  out.is_protected = host_->is_protected(peer);
  out.latency = known.latency(peer).value_or(libp2p::Nanos(0));
  out.gossip_blocks = std::binary_search(list.gossiping.begin(), list.gossiping.end(), peer);
  return out;
}

PeerStatsSnapshot Node::peer_stats() const {
  PeerStatsSnapshot out;
  out.connected = host_->connected_peers().size();
  const auto topics = gossip::blocks_topics(config_.rollup.l2_chain_id);
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
  out.head_hash = libp2p::to_hex0x(stored.hash);
  out.highest_seen = follower_->chain().highest_seen();
  out.peers = host_->connected_peers().size();
  out.mesh = gossip_->router().mesh(gossip::blocks_topic(config_.rollup.l2_chain_id, version)).size();
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
  if (peer)
    tell(Told::connected_on_request, LogLevel::info, Component::host, "connected on request", {{"peer", *peer}});
  co_return Result<void>();
}

Result<void> Node::disconnect(const PeerId& peer) {
  host_->disconnect(peer, "asked for by the operator");
  host_->peerstore().erase(peer);
  return {};
}

// --- what happens, into the log ---

void Node::tell(Told kind, LogLevel level, Component component, std::string_view message,
                std::initializer_list<Field> fields) {
  if (log_.enabled(component, level)) {
    const auto left_out = told_.admit(kind, runtime_.now().mono);
    if (!left_out) level = LogLevel::debug;
    else if (*left_out > 0) log_.write(level, component, "lines left out", {{"of", message}, {"count", *left_out}});
  }
  log_.write(level, component, message, fields);
}

void Node::tell_what_was_left_out() {
  constexpr std::string_view kNames[] = {"static peer connected",
                                         "static peer disconnected",
                                         "dialing static peer",
                                         "error dialing static peer",
                                         "static peer lost",
                                         "peer connected",
                                         "peer disconnected",
                                         "connected on request",
                                         "peer of another chain",
                                         "second block at a height",
                                         "block of the chain breaks a rule",
                                         "range of reverse sync",
                                         "reverse sync waits",
                                         "fault of a peer in reverse sync",
                                         "store keeps blocks again"};
  static_assert(std::size(kNames) == kToldKinds);
  for (std::size_t i = 0; i < kToldKinds; ++i)
    if (const auto count = told_.left_out(static_cast<Told>(i)); count > 0)
      log_.info(Component::node, "lines left out", {{"of", kNames[i]}, {"count", count}});
}

void Node::tell_of_peer(const PeerId& peer, Told of_static, Told of_proven, std::string_view message,
                        std::initializer_list<Field> fields) {
  if (static_ids_.contains(peer)) tell(of_static, LogLevel::info, Component::host, message, fields);
  else if (host_->is_proven(peer)) tell(of_proven, LogLevel::info, Component::host, message, fields);
  else log_.debug(Component::host, message, fields);
}

void Node::on_peer_connected(const PeerId& peer, network::Direction direction) {
  tell_of_peer(peer, Told::static_connected, Told::proven_connected, "connected",
               {{"peer", peer}, {"direction", to_string(direction)}});
}

// A peer of another chain stays connected, as with op-node, and never sends a block: of one that we chose to dial the
// operator should know. Others come and go in any number.
void Node::on_peer_identified(const PeerId& peer, const std::vector<std::string>& protocols) {
  const auto other = other_chain(protocols, config_.rollup.l2_chain_id);
  if (!other) return;
  const auto connections = host_->connections(peer);
  const bool dialled = std::any_of(connections.begin(), connections.end(), [](const auto& connection) {
    return connection.direction == network::Direction::outbound;
  });
  tell(Told::other_chain, dialled ? LogLevel::warn : LogLevel::debug, Component::host,
       "the peer serves another chain and will send no blocks; check --rollup.config and --p2p.static",
       {{"peer", peer}, {"its_chain", *other}, {"our_chain", config_.rollup.l2_chain_id}});
}

void Node::on_peer_disconnected(const PeerId& peer) {
  tell_of_peer(peer, Told::static_disconnected, Told::proven_disconnected, "disconnected", {{"peer", peer}});
}

void Node::on_connection_closed(const network::ConnectionInfo& connection, const Error& why) {
  log_.debug(Component::host, "connection closed",
             {{"peer", connection.peer}, {"addr", connection.remote}, {"reason", why}});
}

void Node::on_connection_refused(const Multiaddr& remote, const Error& why) {
  log_.debug(Component::host, "connection refused", {{"addr", remote}, {"reason", why}});
  ++refused_;
  // One refusal is nothing; that they happen at all the operator should see, though not as often as an attacker likes.
  const auto now = runtime_.now().mono;
  if (warned_of_refusals_ && now - *warned_of_refusals_ < kRefusalInterval) return;
  warned_of_refusals_ = now;
  log_.warn(Component::host, "inbound connections are refused",
            {{"last_addr", remote}, {"last_reason", why}, {"since_start", refused_}});
}

void Node::on_verdict(const gossip::BlockVerdict& verdict) {
  stats_.count(verdict, runtime_.now().wall);
  const auto& outcome = verdict.outcome;
  if (!verdict.local && outcome.verdict == gossip::Verdict::accept) host_->mark_proven(verdict.from);
  const auto level = LogLevel::debug;
  if (!log_.enabled(Component::gossip, level)) return;
  const auto* block = outcome.envelope ? &outcome.envelope->payload : nullptr;
  log_.write(level, Component::gossip, "validated block",
             {{"topic", verdict.topic},
              {"result", to_string(outcome.verdict)},
              {"reason", outcome.text()},
              {"from", verdict.local ? "self" : verdict.from.to_base58()},
              {"number", block != nullptr ? block->block_number : 0},
              {"bytes", verdict.bytes},
              {"took_us", verdict.took.count() / 1000}});
}

void Node::on_peer_joined_topic(const PeerId& peer, const std::string& topic) {
  log_.debug(Component::gossip, "peer joined topic", {{"peer", peer}, {"topic", topic}});
}

void Node::on_peer_left_topic(const PeerId& peer, const std::string& topic) {
  log_.debug(Component::gossip, "peer left topic", {{"peer", peer}, {"topic", topic}});
}

void Node::on_topic_joined(const std::string& topic) {
  log_.info(Component::gossip, "joined topic", {{"topic", topic}});
}

void Node::on_topic_left(const std::string& topic) { log_.info(Component::gossip, "left topic", {{"topic", topic}}); }

sync::FollowerEvents Node::follower_events() {
  sync::FollowerEvents out;
  out.stored = [this](const PeerId& from, const sync::Block& block) { on_stored(from, block); };
  out.store_failed = [this](const sync::BlockRef& block, const Error& why) { on_store_refused(block.number, why); };
  out.chain_trace = [this](const sync::ChainTrace& trace) { on_chain_trace(trace); };
  out.sync_trace = [this](const sync::SyncTrace& trace) { on_sync_trace(trace); };
  out.fault = [this](const sync::SyncFault& fault) { on_sync_fault(fault); };
  return out;
}

// A disk that stays full refuses every block: said at intervals for as long as it lasts, and once when it is over.
void Node::on_store_refused(std::uint64_t number, const Error& why) {
  ++store_refused_;
  const auto now = runtime_.now().mono;
  if (told_of_store_ && now - *told_of_store_ < kStoreErrorInterval) return;
  told_of_store_ = now;
  log_.error(Component::store, "the store cannot keep a block",
             {{"number", number}, {"error", why}, {"since_start", store_refused_}});
}

void Node::on_stored(const PeerId& from, const sync::Block& block) {
  if (std::exchange(told_of_store_, std::nullopt))
    tell(Told::store_recovered, LogLevel::info, Component::store, "the store keeps blocks again",
         {{"number", block.number()}});
  host_->mark_proven(from);
  if (!log_.enabled(Component::node, LogLevel::info)) return;
  log_.info(Component::node, "new unsafe head",
            {{"number", block.number()},
             {"hash", block.hash()},
             {"txs", block.payload().transactions.size()},
             {"from", from == host_->id() ? "self" : from.to_base58()}});
}

void Node::on_chain_trace(const sync::ChainTrace& trace) {
  const bool conflict = trace.kind == sync::ChainTraceKind::conflict || trace.kind == sync::ChainTraceKind::unlinked;
  const std::initializer_list<Field> fields = {
      {"number", trace.number}, {"kept", trace.kept}, {"other", trace.other}, {"from", trace.peer}};
  if (conflict) tell(Told::conflict, LogLevel::warn, Component::node, to_string(trace.kind), fields);
  else log_.debug(Component::node, to_string(trace.kind), fields);
}

void Node::on_sync_trace(const sync::SyncTrace& trace) {
  using Kind = sync::SyncTraceKind;
  if (trace.kind == Kind::promoted) ++stats_.synced;
  if (trace.kind == Kind::broken_rule) {
    tell(Told::broken_rule, LogLevel::warn, Component::sync, to_string(trace.kind),
         {{"number", trace.number}, {"text", trace.text}});
    return;
  }
  if (trace.kind == Kind::range_requested) {
    // Without an end nothing is scheduled, and that is the normal state between two blocks.
    if (!log_.enabled(Component::sync, trace.end ? LogLevel::info : LogLevel::debug)) return;
    const std::string end = trace.end ? std::to_string(*trace.end) : "open";
    const std::initializer_list<Field> fields = {{"start", trace.start}, {"end", end}, {"size", trace.size}};
    if (trace.end) tell(Told::sync_range, LogLevel::info, Component::sync, to_string(trace.kind), fields);
    else log_.debug(Component::sync, to_string(trace.kind), fields);
    return;
  }
  const std::initializer_list<Field> fields = {{"peer", trace.peer}, {"number", trace.number}, {"text", trace.text}};
  if (trace.kind == Kind::range_filled || trace.kind == Kind::range_diverged || trace.kind == Kind::range_abandoned)
    tell(Told::sync_range, LogLevel::info, Component::sync, to_string(trace.kind), fields);
  else if (trace.kind == Kind::no_free_peer || trace.kind == Kind::no_peer_has_block)
    tell(Told::sync_wait, LogLevel::info, Component::sync, to_string(trace.kind), fields);
  else
    log_.debug(Component::sync, to_string(trace.kind), fields);
}

void Node::on_sync_fault(const sync::SyncFault& fault) {
  tell(Told::sync_fault, LogLevel::warn, Component::sync, "a peer sent what no honest peer sends",
       {{"peer", fault.peer}, {"kind", to_string(fault.kind)}, {"number", fault.number}, {"evidence", fault.evidence}});
}

void Node::on_served(const sync::ServedRequest& request) {
  if (!log_.enabled(Component::sync, LogLevel::debug)) return;
  log_.debug(Component::sync, request.completed && request.code == 0 ? "served a block" : "did not serve a block",
             {{"peer", request.peer},
              {"number", request.number ? std::to_string(*request.number) : "unknown"},
              {"code", request.code},
              {"bytes", request.bytes},
              {"took_us", request.took.count() / 1000},
              {"reason", request.why}});
}

void Node::on_dialling(const network::StaticPeerStatus& peer) {
  tell(Told::static_dial, LogLevel::info, Component::host, "dialing static peer",
       {{"peer", peer.peer}, {"addr", peer.addresses.empty() ? "" : peer.addresses.front().text()}});
}

void Node::on_dial_failed(const network::StaticPeerStatus& peer, const Error& why) {
  tell(Told::static_dial_failed, LogLevel::warn, Component::host, "error dialing static peer",
       {{"peer", peer.peer}, {"failures", peer.failures}, {"error", why}});
}

void Node::on_lost(const network::StaticPeerStatus& peer) {
  tell(Told::static_lost, LogLevel::warn, Component::host, "static peer disconnected, reconnecting",
       {{"peer", peer.peer}});
}

}  // namespace opp2p::node
