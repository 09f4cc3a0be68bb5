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

void Outbox::announce(std::string_view topic, bool subscribe) { at_topic(subscriptions_, topic) = subscribe; }
void Outbox::graft(std::string_view topic) { at_topic(mesh_, topic) = {true, std::nullopt, {}}; }
void Outbox::prune(std::string_view topic, std::optional<std::uint64_t> backoff, std::vector<NamedPeer> peers) {
  at_topic(mesh_, topic) = {false, backoff, std::move(peers)};
}
void Outbox::ihave(std::string_view topic, std::vector<MessageId> ids) {
  OPP2P_ASSERT(!ids.empty(), "an IHAVE names something, or it would wait for ever", topic);
  at_topic(ihave_, topic) = std::move(ids);
}

void Outbox::iwant(const std::vector<MessageId>& ids) {
  iwant_.insert(iwant_.end(), ids.begin(), ids.end());
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
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return false;
  erase(found->second == Kind::own ? own_ : forwarded_, id);
  waiting_.erase(found);
  return true;
}

void Outbox::erase(Queue& queue, const MessageId& id) {
  const auto at = std::find_if(queue.begin(), queue.end(), [&](const Item& item) { return item.id == id; });
  OPP2P_ASSERT(at != queue.end() && bytes_ >= at->frame->size(), "a message that waits is in the queue of its kind",
               bytes_);
  bytes_ -= at->frame->size();
  queue.erase(at);
}

std::optional<SharedBytes> Outbox::next() {
  Queue& queue = own_.empty() ? forwarded_ : own_;
  if (control_waits() && (queue.empty() || !control_had_turn_)) {
    control_had_turn_ = true;
    return make_control();
  }
  control_had_turn_ = false;
  if (queue.empty()) return std::nullopt;
  return take_front(queue);
}

bool Outbox::control_waits() const {
  return !subscriptions_.empty() || !mesh_.empty() || !ihave_.empty() || !iwant_.empty() || !idontwant_.empty();
}

SharedBytes Outbox::take_front(Queue& queue) {
  OPP2P_ASSERT(!queue.empty() && bytes_ >= queue.front().frame->size(), "what is taken out of an outbox is in it",
               bytes_);
  SharedBytes frame = std::move(queue.front().frame);
  bytes_ -= frame->size();
  last_id_ = queue.front().id;
  waiting_.erase(last_id_);
  queue.pop_front();
  return frame;
}

void Outbox::drop_front(Queue& queue, Kind kind, std::vector<Dropped>& dropped) {
  dropped.push_back({queue.front().id, kind});
  take_front(queue);
}

// Subscriptions before the mesh, so that a topic is known when it is grafted. What can be large comes early, so that no
// frame is too full for it again and again. Then ids: of IDONTWANT never more than the peers heed, and IHAVE with what
// is left.
SharedBytes Outbox::make_control() {
  ControlFrame frame(max_control_);
  auto past_subscriptions = subscriptions_.begin();
  while (past_subscriptions != subscriptions_.end() &&
         frame.add_subscription(past_subscriptions->first, past_subscriptions->second)) {
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
    part = frame.add_ihave(past_ihave->first, past_ihave->second);
    if (part < past_ihave->second.size()) break;
  }
  SharedBytes encoded = frame.encode();
  subscriptions_.erase(subscriptions_.begin(), past_subscriptions);
  mesh_.erase(mesh_.begin(), past_mesh);
  idontwant_.erase(idontwant_.begin(), idontwant_.begin() + static_cast<std::ptrdiff_t>(unwanted));
  iwant_.erase(iwant_.begin(), iwant_.begin() + static_cast<std::ptrdiff_t>(wanted));
  if (past_ihave != ihave_.end()) {
    auto& ids = past_ihave->second;
    ids.erase(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(part));
  }
  ihave_.erase(ihave_.begin(), past_ihave);
  return encoded;
}

bool Outbox::add_mesh_change(ControlFrame& frame, std::string_view topic, const MeshChange& change) {
  return change.graft ? frame.add_graft(topic) : frame.add_prune(topic, change.backoff, change.peers);
}

std::size_t Outbox::check_queue(const Queue& queue, Kind kind) const {
  std::size_t bytes = 0;
  for (const Item& item : queue) {
    const auto known = waiting_.find(item.id);
    OPP2P_CHECK(known != waiting_.end() && known->second == kind, "a message waits in the queue of its kind", queue);
    bytes += item.frame->size();
  }
  return bytes;
}

void Outbox::check() const {
  const std::size_t bytes = check_queue(own_, Kind::own) + check_queue(forwarded_, Kind::forwarded);
  OPP2P_CHECK(bytes == bytes_ && bytes <= params_.max_bytes, "an outbox is bounded in bytes", bytes, bytes_);
  OPP2P_CHECK(items() == waiting_.size() && items() <= params_.max_items, "an outbox is bounded in messages", items(),
              waiting_);
  OPP2P_CHECK(iwant_.size() <= params_.max_iwant && idontwant_.size() <= params_.max_idontwant,
              "an outbox is bounded in ids", iwant_, idontwant_);
  for (const auto& [topic, ids] : ihave_) OPP2P_CHECK(!ids.empty(), "an IHAVE names something", topic);
}

}  // namespace libp2p::gossipsub
