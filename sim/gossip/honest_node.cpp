#include "sim/gossip/honest_node.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/multiformats/address_blocks.hpp"

namespace opp2p::sim::gossip {

namespace gs = libp2p::gossipsub;

HonestNode::HonestNode(ActorPort& port, const HonestParams& params, const CpuParams& cpu, const BlockMaker& blocks,
                       FrameCache& frames, Metrics& metrics, RpcForm form, NodeDisk* disk)
    : port_(port),
      params_(params),
      cpu_(cpu),
      blocks_(blocks),
      frames_(frames),
      metrics_(metrics),
      form_(form),
      disk_(disk) {
  const Now now = port_.now();
  if (params_.scores) {
    auto scorer =
        std::make_unique<gs::PeerScorer>(*params_.scores, port_.rng().next_u64(), now, params_.application_score);
    scorer_ = scorer.get();
    scores_ = std::move(scorer);
    if (params_.reputation) reputation_.emplace(*params_.reputation, *scorer_);
  } else {
    scores_ = std::make_unique<gs::NeutralScores>();
  }
  gs::Router::Config config;
  config.params = params_.router;
  config.message_id = [this](std::string_view topic, ByteView data) { return frames_.name(topic, data); };
  for (const Member member : params_.direct) config.direct.insert(port_.id_of(member));
  router_.emplace(std::move(config), port_.rng(), *scores_, now);
  if (disk_ == nullptr) return;
  for (auto& backoff : disk_->backoffs) backoff.left -= now.mono - disk_->written;
  std::erase_if(disk_->backoffs, [](const auto& backoff) { return backoff.left <= Nanos(0); });
  router_->restore_backoffs(disk_->backoffs, now.mono);
}

void HonestNode::start() {
  for (const auto& topic : params_.topics) {
    const auto joined = router_->subscribe(topic, port_.now());
    OPP2P_ASSERT(joined.has_value(), "a node joins its topics", topic);
  }
  metrics_.on_started(port_.self());
  schedule_look(params_.dials.interval / 5);  // who comes is alone
  drain();
}

void HonestNode::stop() {
  metrics_.on_stopped(port_.self(), router_->counters());
  if (reputation_) metrics_.on_own_faults(reputation_->findings());
}

void HonestNode::leave() {
  const Now now = port_.now();
  for (const auto& topic : params_.topics) router_->unsubscribe(topic, now);
  if (disk_ != nullptr) *disk_ = {router_->backoffs(now.mono), now.mono};
  drain();
}

// After that time, and up to as much again.
void HonestNode::schedule_look(Nanos after) {
  const std::uint64_t more = port_.rng().below(static_cast<std::uint64_t>(after.count()) + 1);
  next_look_ = port_.now().mono + after + Nanos(static_cast<std::int64_t>(more));
}

bool HonestNode::is_banned(const PeerId& peer) {
  const auto found = banned_.find(peer);
  if (found == banned_.end()) return false;
  if (found->second > port_.now().mono) return true;
  banned_.erase(found);
  if (reputation_) reputation_->forgive(peer);
  return false;
}

bool HonestNode::accepts(Member peer) { return !is_banned(port_.id_of(peer)); }

void HonestNode::on_connected(Member peer, Direction direction) {
  const Now now = port_.now();
  const PeerId id = port_.id_of(peer);
  if (direction == Direction::outbound && dialling_ > 0) --dialling_;
  peers_.put(peer, id);
  const Multiaddr address = port_.address_of(peer);
  router_->add_peer(id, params_.version, direction, now, libp2p::multiformats::address_blocks(address));
  const gs::PeerAddress addresses[] = {{address, false}};
  scores_->on_addresses(id, addresses, now);
  if (reputation_) reputation_->on_peer_count(peers_.size());
  metrics_.on_scores_changed(port_.self());
  drain();
}

void HonestNode::on_dial_failed(Member) {
  if (dialling_ > 0) --dialling_;
}

void HonestNode::on_disconnected(Member peer) {
  const PeerId* const found = peers_.find(peer);
  OPP2P_ASSERT(found != nullptr, "who goes was there", peer);
  const PeerId id = *found;
  peers_.erase(peer);
  router_->remove_peer(id, port_.now());
  if (reputation_) reputation_->on_peer_count(peers_.size());
  metrics_.on_peer_gone(port_.self(), id);
  drain();
}

void HonestNode::on_rpc(Member from, const Wire& wire) {
  const PeerId* const id = peers_.find(from);
  OPP2P_ASSERT(id != nullptr, "who sends is connected", from);
  const gs::Rpc* rpc = nullptr;
  gs::Rpc own;
  if (wire.object) {
    rpc = &wire.object->rpc();
  } else if (form_ == RpcForm::objects) {
    rpc = frames_.decoded(wire.frame);
  } else {
    if (auto decoded = gs::decode_frame(wire.frame, params_.router.rpc)) {
      own = std::move(*decoded);
      rpc = &own;
    }
    if (!own.publish.empty()) frames_.keep(wire.frame);
  }
  if (rpc == nullptr) return disconnect(from);  // a driver resets the stream
  metrics_.on_rpc(port_.self(), !rpc->publish.empty(), wire.size);
  router_->on_rpc(*id, *rpc, port_.now());
  metrics_.on_score_changed(port_.self(), *id);
  drain();
}

void HonestNode::disconnect(Member peer) {
  port_.disconnect(peer);
  on_disconnected(peer);
}

void HonestNode::on_work_done(std::uint64_t ticket, bool done) {
  const auto found = judged_.find(ticket);
  OPP2P_ASSERT(found != judged_.end(), "each message is judged once", ticket);
  const Pending pending = std::move(found->second);
  judged_.erase(found);
  const bool is_rejected = done && pending.judged.verdict == gs::ValidationResult::reject;
  if (is_rejected && reputation_) reputation_->on_rejected(pending.id, pending.judged.reason, port_.now());
  if (done && pending.judged.verdict == gs::ValidationResult::accept && reputation_)
    reputation_->on_accepted(pending.from, port_.now());
  const auto verdict = done ? to_router(pending.judged) : gs::ValidationResult::ignore;
  router_->on_validation(ticket, verdict, port_.now(), done ? gs::Router::Blame::sender : gs::Router::Blame::nobody);
  if (is_rejected) {
    metrics_.on_invalid_block(port_.self(), pending.from);
    metrics_.on_scores_changed(port_.self());
  }
  drain();
}

gs::ValidationResult HonestNode::to_router(const Judged& judged) const {
  const bool unblamed = params_.reputation && params_.reputation->scoring.counts_blamed_only &&
                        judged.verdict == gs::ValidationResult::reject &&
                        !opstack::reputation::is_blamed(judged.reason, /*signer_known=*/true);
  return unblamed ? gs::ValidationResult::reject_unblamed : judged.verdict;
}

std::optional<Wire> HonestNode::next_wire(Member to) {
  const PeerId* const id = peers_.find(to);
  if (id == nullptr) return std::nullopt;
  if (form_ == RpcForm::objects) {
    auto rpc = router_->next_rpc(*id);
    return rpc ? std::optional(Wire::of(std::move(*rpc))) : std::nullopt;
  }
  auto frame = router_->next_frame(*id);
  return frame ? std::optional(Wire::of(std::move(*frame))) : std::nullopt;
}

std::optional<MonoTime> HonestNode::next_deadline() const {
  MonoTime next = std::min(next_look_, router_->next_deadline().value_or(MonoTime::max()));
  if (const auto decay = scores_->next_deadline()) next = std::min(next, *decay);
  if (reputation_) next = std::min(next, reputation_->next_deadline().value_or(MonoTime::max()));
  return next;
}

void HonestNode::on_timer() {
  const Now now = port_.now();
  if (const auto decay = scores_->next_deadline(); decay && *decay <= now.mono) {
    scores_->on_timeout(now);
    disconnect_bad_peers();
  }
  if (router_->next_deadline() <= now.mono) router_->on_timeout(now);
  if (next_look_ <= now.mono) look_for_peers();
  if (reputation_ && reputation_->next_deadline() <= now.mono) {
    std::vector<PeerId> connected;
    for (const auto& [peer, id] : peers_) {
      if (!params_.direct.contains(peer)) connected.push_back(id);
    }
    reputation_->on_timeout(connected, now);
  }
  drain();
}

void HonestNode::look_for_peers() {
  schedule_look(params_.dials.interval);
  const std::size_t others = params_.dials.counts_inbound ? 0 : std::min(peers_.size(), port_.inbound_count());
  const std::size_t have = peers_.size() - others + dialling_;
  if (have >= params_.dials.wanted) return;
  for (const Member peer : port_.discover(std::min(params_.dials.at_a_time, params_.dials.wanted - have))) {
    if (is_banned(port_.id_of(peer))) continue;
    ++dialling_;
    port_.dial(peer);
  }
}

void HonestNode::disconnect_bad_peers() {
  if (!params_.disconnect_below || reputation_) return;
  std::vector<Member> bad;
  for (const auto& [peer, id] : peers_) {
    if (scores_->score(id) < *params_.disconnect_below && !params_.direct.contains(peer)) bad.push_back(peer);
  }
  for (const Member peer : bad) ban(peer, params_.ban);
}

void HonestNode::ban(Member peer, Nanos duration) {
  banned_[*peers_.find(peer)] = port_.now().mono + duration;
  disconnect(peer);
}

// Who is banned in the middle of an event goes at its end.
void HonestNode::carry_out_bans() {
  if (!reputation_) return;
  for (const PeerId& id : reputation_->take_bans()) {
    const auto peer = member_of(id);
    const PeerId* const connected = peer ? peers_.find(*peer) : nullptr;
    if (connected == nullptr || *connected != id || params_.direct.contains(*peer)) continue;
    metrics_.on_banned(port_.self(), id);
    ban(*peer, params_.reputation->ban_duration);
  }
}

void HonestNode::drain() {
  carry_out_bans();
  while (auto action = router_->poll_action()) {
    if (const auto* ready = std::get_if<gs::SendReady>(&*action)) {
      if (const auto peer = member_of(ready->peer)) port_.ready_to_send(*peer);
    } else if (const auto* request = std::get_if<gs::Validate>(&*action)) {
      validate(*request);
    } else if (const auto* delivery = std::get_if<gs::Deliver>(&*action)) {
      if (const auto block = blocks_.read(delivery->data.view())) metrics_.on_delivered(port_.self(), block->number);
    } else if (const auto* fault = std::get_if<gs::Fault>(&*action)) {
      metrics_.on_fault(port_.self(), fault->peer, fault->kind, fault->count);
    } else if (const auto* trace = std::get_if<gs::Trace>(&*action)) {
      if (trace->kind == gs::TraceKind::prune) metrics_.on_prune(trace->peer, trace->prune);
    } else if (const auto* wanted = std::get_if<gs::Connect>(&*action)) {
      if (const auto peer = member_of(wanted->peer)) port_.dial(*peer);
    }
  }
}

void HonestNode::validate(const gs::Validate& request) {
  const ByteView data = request.data.view();
  const Beliefs beliefs = params_.beliefs ? params_.beliefs(port_.self(), port_.now().mono) : Beliefs{};
  const auto before = std::exchange(signer_, beliefs.signer);
  if (before && *before != beliefs.signer && reputation_) reputation_->on_signer_changed();
  Pending pending{blocks_.judge(data, port_.now().wall, beliefs), request.id, request.from};
  const bool judged = judged_.emplace(request.request, std::move(pending)).second;
  OPP2P_ASSERT(judged, "each message is judged once", request.request);
  const Nanos cost = cpu_.verify + cpu_.verify_per_kib * static_cast<std::int64_t>(data.size()) / 1024;
  port_.work(cost, cpu_.verify_deadline, request.request);
}

Result<void> HonestNode::publish(std::string_view topic, ByteView data) {
  if (reputation_) reputation_->on_published();
  OPP2P_TRYV(router_->publish(topic, data, gs::LocalCheck::already_valid, port_.now()));
  drain();
  return {};
}

void HonestNode::check() const {
  router_->check();
  if (scorer_ != nullptr) scorer_->check();
  if (reputation_) reputation_->check();
  OPP2P_CHECK(router_->peer_count() == peers_.size(), "router and node have the same peers", router_->peer_count(),
              peers_.size());
  OPP2P_CHECK(router_->sizes().validating == judged_.size(), "each open validation has a verdict to come",
              judged_.size());
}

}  // namespace opp2p::sim::gossip
