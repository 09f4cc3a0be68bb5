#include "libp2p/services/gossipsub/gossip_peers.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/base/assert.hpp"

namespace libp2p {

using runtime::Task;

namespace {

bool speaks_gossip(const std::vector<std::string>& protocols) {
  return std::any_of(protocols.begin(), protocols.end(),
                     [](const std::string& id) { return gossipsub::version_of(id).has_value(); });
}

}  // namespace

GossipPeers::GossipPeers(Host& host, const GossipsubConfig& config, gossipsub::Router& router,
                         gossipsub::PeerScores& scores, GossipDrain& drain, GossipEvents& events,
                         GossipsubCounters& counters)
    : host_(host),
      config_(config),
      router_(router),
      scores_(scores),
      drain_(drain),
      events_(events),
      counters_(counters),
      unfinished_(config.unfinished_bytes, router.params().rpc.max_rpc),
      scope_(host.runtime()) {}

GossipPeers::~GossipPeers() = default;

void GossipPeers::start() {
  for (const PeerId& peer : host_.connected_peers()) begin_open(peer, row(peer), Nanos(0));
}

void GossipPeers::clear() {
  for (const auto& [peer, row] : rows_) router_.remove_peer(peer, now());
  rows_.clear();
}

// ---- rows ----

GossipPeer& GossipPeers::row(const PeerId& peer) {
  const auto found = rows_.find(peer);
  if (found != rows_.end()) return found->second;
  const auto connections = host_.connections(peer);
  const Direction direction = connections.empty() ? Direction::inbound : connections.front().direction;
  return rows_.try_emplace(peer, next_generation_++, direction).first->second;
}

GossipPeer* GossipPeers::find(const PeerId& peer) {
  const auto found = rows_.find(peer);
  return found == rows_.end() ? nullptr : &found->second;
}

GossipPeer* GossipPeers::find(const PeerId& peer, std::uint64_t generation) {
  GossipPeer* const row = find(peer);
  if (row == nullptr) return nullptr;
  OPP2P_ASSERT(row->generation() >= generation, "a peer's later row has a greater generation", row->generation(),
               generation);
  return row->generation() == generation ? row : nullptr;
}

std::vector<PeerId> GossipPeers::with_outbound() const {
  std::vector<PeerId> found;
  for (const auto& [peer, row] : rows_) {
    if (row.outbound() != nullptr) found.push_back(peer);
  }
  return found;
}

std::size_t GossipPeers::queued_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [peer, row] : rows_) {
    if (row.outbound() != nullptr) bytes += row.outbound()->queued_bytes();
  }
  return bytes;
}

void GossipPeers::check() const {
  std::size_t held = 0, known = 0;
  for (const auto& [peer, row] : rows_) {
    OPP2P_CHECK(row.generation() < next_generation_, "generations grow and are never used again", row.generation(),
                next_generation_);
    OPP2P_CHECK(row.is_known() || (row.outbound() == nullptr && row.inbound() == nullptr),
                "the router knows a peer that has a stream", peer);
    if (row.inbound() != nullptr) held += row.inbound()->held();
    known += row.is_known() ? 1 : 0;
  }
  unfinished_.check();
  OPP2P_CHECK(held == unfinished_.bytes(), "what is held of unfinished frames is what their streams hold", held,
              unfinished_.bytes());
  OPP2P_CHECK(known == router_.peer_count(), "the router knows the peers of the rows and no others", known,
              router_.peer_count());
}

// ---- the host ----

void GossipPeers::on_connected(const PeerConnected& event) {
  GossipPeer& at = row(event.peer);
  at.set_direction(event.direction);
  if (at.wants_outbound()) begin_open(event.peer, at, Nanos(0));
}

void GossipPeers::on_identified(const PeerIdentified& event) {
  GossipPeer* const at = find(event.peer);
  if (at == nullptr || !at->wants_outbound()) return;
  if (speaks_gossip(event.protocols)) begin_open(event.peer, *at, Nanos(0));
}

void GossipPeers::on_connections_changed(const PeerId& peer) {
  const GossipPeer* const at = find(peer);
  if (at != nullptr && at->is_known()) tell_addresses(peer);
}

void GossipPeers::add_to_router(const PeerId& peer, const GossipPeer& at, gossipsub::ProtocolVersion version) {
  router_.add_peer(peer, version, at.direction(), now(), host_.address_blocks(peer));
  tell_addresses(peer);
}

// Who has no connection left is about to go: until it is forgotten it counts where it was.
void GossipPeers::tell_addresses(const PeerId& peer) {
  std::vector<gossipsub::PeerAddress> addresses;
  for (const ConnectionInfo& connection : host_.connections(peer)) {
    const bool relayed = connection.remote.has(multiformats::Protocol::p2p_circuit);
    addresses.push_back({.remote = connection.remote, .limited = relayed});
  }
  if (!addresses.empty()) scores_.on_addresses(peer, addresses, now());
}

void GossipPeers::on_disconnected(const PeerDisconnected& event) {
  const auto found = rows_.find(event.peer);
  // A peer that is back before we heard of its leaving keeps its row: its old streams have told of their end
  // themselves.
  if (found == rows_.end() || host_.connected(event.peer)) return;
  router_.remove_peer(event.peer, now());
  drain_.bury(found->second.take_outbound());
  drain_.bury(found->second.take_inbound());
  rows_.erase(found);
  drain_.schedule();
}

void GossipPeers::accept(Stream stream) {
  const PeerId peer = stream.peer();
  GossipPeer& at = row(peer);
  drain_.bury(at.take_inbound());
  if (at.mark_known()) add_to_router(peer, at, gossipsub::ProtocolVersion::pending);
  GossipInbound::Owner& owner = *this;
  at.set_inbound(std::make_unique<GossipInbound>(host_.runtime(), std::move(stream), router_.params().rpc.max_rpc,
                                                 owner, unfinished_, next_generation_++, host_.address_blocks(peer)));
  drain_.schedule();
  at.inbound()->start();
}

// ---- the stream that we write to ----

void GossipPeers::begin_open(const PeerId& peer, GossipPeer& at, Nanos delay) {
  at.begin_opening();
  scope_.spawn(open(peer, at.generation(), delay));
}

Task<void> GossipPeers::open(PeerId peer, std::uint64_t generation, Nanos delay) {
  if (delay > Nanos(0)) {
    const Result<void> slept = co_await runtime::sleep_for(host_.runtime(), delay);
    if (!slept) co_return;
  }
  GossipPeer* at = find(peer, generation);
  if (at == nullptr) co_return;
  if (!host_.connected(peer)) {
    at->end_opening();
    co_return;
  }
  const auto ids = gossipsub::protocol_ids();
  std::vector<std::string> protocols(ids.begin(), ids.end());
  Result<Stream> stream = co_await host_.open_stream(peer, std::move(protocols));
  at = find(peer, generation);
  if (at == nullptr) co_return;
  at->end_opening();
  if (stream) {
    on_opened(peer, *at, std::move(*stream));
    co_return;
  }
  events_.note_trouble(peer, "opening a gossip stream", stream.error());
  // A peer that does not speak it is asked again when identify says that it does.
  if (stream.error() == Errc::unsupported || !host_.connected(peer)) co_return;
  begin_open(peer, *at, at->next_delay(config_));
}

void GossipPeers::on_opened(const PeerId& peer, GossipPeer& at, Stream stream) {
  const auto version = gossipsub::version_of(stream.protocol());
  OPP2P_ASSERT(version.has_value(), "a stream agrees on one of the protocols that were proposed", stream.protocol());
  GossipOutbound::Owner& owner = *this;
  at.set_outbound(std::make_unique<GossipOutbound>(host_.runtime(), std::move(stream), owner));
  if (at.mark_known()) {
    add_to_router(peer, at, *version);
  } else {
    router_.set_version(peer, *version, now());
  }
  drain_.schedule();
  at.outbound()->start();
  // A stream that has been reset already says so inside start(), and is dropped.
  if (at.outbound() != nullptr) at.outbound()->pump();
}

void GossipPeers::on_outbound_lost(GossipOutbound& stream, const Error& why) {
  const auto found = rows_.find(stream.peer());
  if (found == rows_.end() || found->second.outbound() != &stream) return;
  drop_outbound(found->first, found->second, "the gossip stream to the peer was lost", why);
}

// A new stream has to begin with what we subscribe to, so the router must see the peer go and come. The peer will not
// repeat what it has said on the stream that it writes to when that is in order; it is carried over.
void GossipPeers::drop_outbound(const PeerId& peer, GossipPeer& at, std::string_view what, const Error& why) {
  events_.note_trouble(peer, what, why);
  at.forgive(config_, now().mono);
  const gossipsub::Router::Heard heard = router_.heard(peer);
  router_.remove_peer(peer, now());
  at.set_known(at.inbound() != nullptr);
  if (at.inbound() != nullptr) {
    add_to_router(peer, at, gossipsub::ProtocolVersion::pending);
    router_.restore(peer, heard, now());
  }
  drain_.bury(at.take_outbound());
  begin_open(peer, at, at.next_delay(config_));
}

std::optional<SharedBytes> GossipPeers::next_frame(const PeerId& peer) {
  drain_.schedule();  // what the router did to make it may have left traces
  return router_.next_frame(peer);
}

std::optional<std::size_t> GossipPeers::next_frame_size(const PeerId& peer) const {
  return router_.next_frame_size(peer);
}

void GossipPeers::on_portion_sent(GossipOutbound& stream) {
  on_send_ready(stream.peer());
  drain_.schedule();
}

void GossipPeers::on_send_ready(const PeerId& peer) {
  GossipPeer* const at = find(peer);
  if (at != nullptr && at->mark_ready()) drain_.add_ready(peer);
}

void GossipPeers::pump(const PeerId& peer) {
  GossipPeer* const at = find(peer);
  if (at == nullptr) return;
  at->clear_ready();
  if (at->outbound() != nullptr) at->outbound()->pump();
}

void GossipPeers::drop_stalled() {
  for (auto& [peer, row] : rows_) {
    if (row.outbound() == nullptr || !row.outbound()->is_stalled(config_.write_timeout)) continue;
    drop_outbound(peer, row, "the peer does not read",
                  fail(Errc::timed_out, "a gossip frame did not leave within the write timeout"));
  }
}

// ---- the stream that the peer writes to ----

Result<void> GossipPeers::on_frame(const PeerId& peer, SharedBytes frame) {
  drain_.on_frame();
  return router_.on_frame(peer, std::move(frame), now());
}

void GossipPeers::on_inbound_over(GossipInbound& stream, const std::optional<Error>& why) {
  const auto found = rows_.find(stream.peer());
  if (found == rows_.end() || found->second.inbound() != &stream) return;
  if (why) events_.note_trouble(found->first, "reading the peer's gossip stream", *why);
  router_.forget_topics(found->first, now());
  drain_.bury(found->second.take_inbound());
}

// A bound of unfinished frames is exceeded: frames behind it are evicted, which need not be the one that has grown.
Result<void> GossipPeers::on_grown(GossipInbound& stream) {
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

GossipInbound* GossipPeers::largest_unfinished(const GossipInbound& grown, ShareFull full) {
  const MonoTime at = now().mono;
  GossipInbound* largest = nullptr;
  UnfinishedFrames::Claim most;
  for (auto& [peer, row] : rows_) {
    GossipInbound* const inbound = row.inbound();
    if (inbound == nullptr || inbound->held() == 0) continue;
    if (!unfinished_.shares(grown.key(), inbound->key(), full)) continue;
    UnfinishedFrames::Claim claim;
    claim.slow = inbound->progress().is_slow(at);
    claim.proven = router_.is_proven(peer, at);
    claim.held = inbound->held();
    if (largest != nullptr && !unfinished_.goes_before(claim, most)) continue;
    largest = inbound;
    most = claim;
  }
  return largest;
}

void GossipPeers::reset_overdue_frames() {
  const MonoTime at = now().mono;
  for (auto& [peer, row] : rows_) {
    GossipInbound* const inbound = row.inbound();
    if (inbound == nullptr || !inbound->progress().is_overdue(config_.frame_timeout, at)) continue;
    ++counters_.frames_timed_out;
    inbound->evict(Error(Errc::timed_out, "a gossip frame was not whole " +
                                              std::to_string(config_.frame_timeout / Seconds(1)) +
                                              " s after its first byte (GossipsubConfig::frame_timeout)"));
  }
}

}  // namespace libp2p
