#include "libp2p/protocols/gossipsub/outbox.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace libp2p::gossipsub {
namespace {

template <class Value>
Value& at_topic(std::map<std::string, Value, std::less<>>& map, std::string_view topic) {
  const auto found = map.find(topic);
  return found != map.end() ? found->second : map.emplace(std::string(topic), Value{}).first->second;
}

}  // namespace

void Outbox::announce(std::string_view topic, bool subscribe, PartialUse partial) {
  at_topic(subscriptions_, topic) = {subscribe, partial};
}
void Outbox::graft(std::string_view topic) { at_topic(mesh_, topic) = {true, std::nullopt, {}}; }
void Outbox::prune(std::string_view topic, std::optional<std::uint64_t> backoff, std::vector<NamedPeer> peers) {
  at_topic(mesh_, topic) = {false, backoff, std::move(peers)};
}
void Outbox::ihave(std::shared_ptr<const Gossip> gossip) {
  OPP2P_ASSERT(gossip != nullptr && !gossip->ids.empty(), "an IHAVE names something, or it would wait for ever");
  const auto at = std::lower_bound(
      ihave_.begin(), ihave_.end(), gossip->topic,
      [](const WaitingGossip& waiting, const std::string& topic) { return waiting.gossip->topic < topic; });
  if (at != ihave_.end() && at->gossip->topic == gossip->topic) {
    *at = {std::move(gossip), 0};
  } else {
    ihave_.insert(at, {std::move(gossip), 0});
  }
}

void Outbox::iwant(const std::vector<MessageId>& ids) {
  for (const MessageId& id : ids) iwant_.push_back(id);
  for (; iwant_.size() > params_.max_iwant; iwant_.pop_front()) ++dropped_ids_;
  OPP2P_ASSERT(iwant_.size() <= params_.max_iwant, "ids that wait to be asked for are bounded", iwant_);
}

void Outbox::idontwant(const MessageId& id) {
  idontwant_.push_back(id);
  for (; idontwant_.size() > params_.max_idontwant; idontwant_.pop_front()) ++dropped_ids_;
  OPP2P_ASSERT(idontwant_.size() <= params_.max_idontwant, "ids that wait to be refused are bounded", idontwant_);
}

bool Outbox::push(const MessageId& id, SharedBytes frame, Kind kind, std::vector<Dropped>& dropped) {
  OPP2P_ASSERT(frame != nullptr && !frame->empty(), "a message has a frame");
  if (!waiting_.try_emplace(id, kind).second) return false;
  bytes_ += frame->size();
  (kind == Kind::own ? own_ : forwarded_).push_back({id, std::move(frame)});
  while (items() > params_.max_items || bytes_ > params_.max_bytes) {
    if (!forwarded_.empty()) {
      drop_front(forwarded_, Kind::forwarded, dropped);
    } else {
      drop_front(own_, Kind::own, dropped);
    }
  }
  OPP2P_ASSERT(items() == waiting_.size(), "each message that waits is in a queue once", items(), waiting_);
  return true;
}

bool Outbox::cancel(const MessageId& id) {
  const Kind* const kind = waiting_.find(id);
  if (kind == nullptr) return false;
  erase(*kind == Kind::own ? own_ : forwarded_, id);
  waiting_.erase(id);
  return true;
}

void Outbox::erase(Queue& queue, const MessageId& id) {
  std::size_t at = 0;
  while (at < queue.size() && queue[at].id != id) ++at;
  OPP2P_ASSERT(at < queue.size() && bytes_ >= queue[at].frame->size(),
               "a message that waits is in the queue of its kind", bytes_);
  bytes_ -= queue[at].frame->size();
  queue.erase(at);
}

// Subscriptions before the mesh, so that a topic is known when it is grafted. What can be large comes early, so that no
// frame is too full for it again and again. Then ids: of IDONTWANT never more than the peers heed, and IHAVE with what
// is left.
template <class Finish>
auto Outbox::take_control(const Finish& finish) {
  ControlFrame frame(max_control_);
  if (extensions_) frame.add_extensions();
  extensions_ = false;
  auto past_subscriptions = subscriptions_.begin();
  while (past_subscriptions != subscriptions_.end() &&
         frame.add_subscription(past_subscriptions->first, past_subscriptions->second.subscribe,
                                past_subscriptions->second.partial)) {
    ++past_subscriptions;
  }
  auto past_mesh = mesh_.begin();
  if (past_subscriptions == subscriptions_.end()) {
    while (past_mesh != mesh_.end() && add_mesh_change(frame, past_mesh->first, past_mesh->second)) ++past_mesh;
  }
  const std::size_t unwanted = frame.add_idontwant(idontwant_, max_idontwant_per_rpc_);
  const std::size_t wanted = frame.add_iwant(iwant_);
  auto past_ihave = ihave_.begin();
  std::size_t part = 0;  // of the first IHAVE that did not fit as a whole
  for (; past_ihave != ihave_.end(); ++past_ihave) {
    part = frame.add_ihave(past_ihave->gossip->topic, past_ihave->left());
    if (part < past_ihave->left().size()) break;
  }
  auto made = finish(frame);
  subscriptions_.erase(subscriptions_.begin(), past_subscriptions);
  mesh_.erase(mesh_.begin(), past_mesh);
  idontwant_.pop_front(unwanted);
  iwant_.pop_front(wanted);
  if (past_ihave != ihave_.end()) past_ihave->sent += part;
  ihave_.erase(ihave_.begin(), past_ihave);
  return made;
}

// Control, partial messages and messages take turns while several wait.
Outbox::Turn Outbox::whose_turn() const {
  const bool messages_wait = !first_queue().empty();
  if (control_waits() && ((!messages_wait && partials_.empty()) || !control_had_turn_)) return Turn::control;
  if (!partials_.empty() && (!messages_wait || !partials_had_turn_)) return Turn::partial;
  return messages_wait ? Turn::message : Turn::nobody;
}

Outbox::Turn Outbox::take_turn() {
  const Turn turn = whose_turn();
  control_had_turn_ = turn == Turn::control;
  if (!control_had_turn_) partials_had_turn_ = turn == Turn::partial;
  return turn;
}

std::optional<std::size_t> Outbox::next_size() const {
  switch (whose_turn()) {
    case Turn::control: return 0;
    case Turn::partial: return partials_.front_size();
    case Turn::message: return first_queue().front().frame->size();
    default: return std::nullopt;
  }
}

std::optional<SharedBytes> Outbox::next() {
  switch (take_turn()) {
    case Turn::control: return take_control([](const ControlFrame& frame) { return frame.encode(); });
    case Turn::partial: return partials_.take_front();
    case Turn::message: return take_front(first_queue());
    default: return std::nullopt;
  }
}

std::optional<OutgoingRpc> Outbox::next_rpc() {
  const Turn turn = take_turn();
  if (turn == Turn::nobody) return std::nullopt;
  if (turn == Turn::control) return take_control([](ControlFrame& frame) { return frame.take_rpc(); });
  SharedBytes frame = turn == Turn::partial ? partials_.take_front() : take_front(first_queue());
  const std::size_t size = frame->size();
  return OutgoingRpc{std::move(frame), nullptr, size};
}

bool Outbox::control_waits() const {
  return extensions_ || !subscriptions_.empty() || !mesh_.empty() || !ihave_.empty() || !iwant_.empty() ||
         !idontwant_.empty();
}

SharedBytes Outbox::take_front(Queue& queue) {
  OPP2P_ASSERT(!queue.empty() && bytes_ >= queue.front().frame->size(), "what is taken out of an outbox is in it",
               bytes_);
  Item item = queue.take_front();
  bytes_ -= item.frame->size();
  last_id_ = item.id;
  waiting_.erase(last_id_);
  return std::move(item.frame);
}

void Outbox::drop_front(Queue& queue, Kind kind, std::vector<Dropped>& dropped) {
  dropped.push_back({queue.front().id, kind});
  take_front(queue);
}

bool Outbox::add_mesh_change(ControlFrame& frame, std::string_view topic, const MeshChange& change) {
  return change.graft ? frame.add_graft(topic) : frame.add_prune(topic, change.backoff, change.peers);
}

std::size_t Outbox::check_queue(const Queue& queue, Kind kind) const {
  std::size_t bytes = 0;
  for (const Item& item : queue) {
    const Kind* const known = waiting_.find(item.id);
    OPP2P_CHECK(known != nullptr && *known == kind, "a message waits in the queue of its kind", queue);
    bytes += item.frame->size();
  }
  return bytes;
}

void Outbox::check() const {
  waiting_.check();
  const std::size_t bytes = check_queue(own_, Kind::own) + check_queue(forwarded_, Kind::forwarded);
  OPP2P_CHECK(bytes == bytes_ && bytes <= params_.max_bytes, "an outbox is bounded in bytes", bytes, bytes_);
  OPP2P_CHECK(items() == waiting_.size() && items() <= params_.max_items, "an outbox is bounded in messages", items(),
              waiting_);
  OPP2P_CHECK(iwant_.size() <= params_.max_iwant && idontwant_.size() <= params_.max_idontwant,
              "an outbox is bounded in ids", iwant_, idontwant_);
  partials_.check();
  const std::string* before = nullptr;
  for (const auto& [gossip, sent] : ihave_) {
    OPP2P_CHECK(gossip && sent < gossip->ids.size(), "an IHAVE names something", sent);
    OPP2P_CHECK(before == nullptr || *before < gossip->topic, "there is one IHAVE of a topic, in order", gossip->topic);
    before = &gossip->topic;
  }
}

}  // namespace libp2p::gossipsub
