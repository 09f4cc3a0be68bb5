#include "libp2p/protocols/gossipsub/seen_cache.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace libp2p::gossipsub {
namespace {

// A full cache looks at all owners for what has expired no more often than this.
constexpr Nanos kSweepInterval = Millis(100);

}  // namespace

const SeenCache::Entry* SeenCache::find(const MessageId& id, MonoTime now) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return nullptr;
  Node& node = **found;
  if (node.expires > now) return &node.entry;
  forget(node);
  return nullptr;
}

bool SeenCache::add(const MessageId& id, Entry entry, MonoTime now, std::string_view owner) {
  bool evicted = false;
  if (entries_.size() >= capacity_) {
    if (now >= swept_ + kSweepInterval) forget_expired(now);
    if (evicted = entries_.size() >= capacity_; evicted) evict_oldest();
  }
  auto at = owners_.find(owner);
  if (at == owners_.end()) at = owners_.emplace(std::string(owner), List{}).first;
  auto made = std::make_unique<Node>(Node{entry, now + ttl_, id, at, entry.state == SeenState::delivered});
  Node& node = *made;
  const bool is_new = entries_.insert(std::move(made)).second;
  OPP2P_ASSERT(is_new, "a message that is added was not there");
  append(node);
  OPP2P_ASSERT(entries_.size() <= capacity_ || capacity_ == 0, "the seen cache is bounded in items", entries_,
               capacity_);
  return evicted;
}

void SeenCache::set(const MessageId& id, Entry entry) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Node& node = **found;
  node.entry = entry;
  if (node.accepted || entry.state != SeenState::delivered) return;
  unlink(node);
  node.accepted = true;
  append(node);
}

template <class Change>
void SeenCache::change(const Node& node, Change how) {
  if (node.accepted) return how(accepted_);
  List& list = node.owner->second;
  if (list.size == 0) {
    how(list);
    if (list.size > 0) by_size_.insert(node.owner);
    return;
  }
  auto place = by_size_.extract(node.owner);  // used again: an allocation for each message less
  OPP2P_ASSERT(!place.empty(), "each owner of an entry stands in the order once", list.size);
  how(list);
  if (list.size > 0) by_size_.insert(std::move(place));
}

void SeenCache::append(Node& node) {
  change(node, [&node](List& list) {
    node.older = list.last;
    node.newer = nullptr;
    (list.last != nullptr ? list.last->newer : list.first) = &node;
    list.last = &node;
    ++list.size;
  });
}

void SeenCache::unlink(Node& node) {
  change(node, [&node](List& list) {
    (node.older != nullptr ? node.older->newer : list.first) = node.newer;
    (node.newer != nullptr ? node.newer->older : list.last) = node.older;
    OPP2P_ASSERT(list.size > 0, "a list counts its entries");
    --list.size;
  });
}

void SeenCache::forget(Node& node) {
  unlink(node);
  entries_.erase(entries_.find(node.id));
}

void SeenCache::evict_oldest() {
  if (Node* oldest = by_size_.empty() ? accepted_.first : (*by_size_.rbegin())->second.first) forget(*oldest);
}

void SeenCache::expire(List& list, MonoTime now) {
  while (list.first != nullptr && list.first->expires <= now) forget(*list.first);
}

void SeenCache::forget_expired(MonoTime now) {
  swept_ = now;
  expire(accepted_, now);
  for (auto at = owners_.begin(); at != owners_.end();) {
    expire(at->second, now);
    at = at->second.size == 0 ? owners_.erase(at) : std::next(at);
  }
}

// How many entries the list holds.
std::size_t SeenCache::check_list(const List& list, bool accepted) const {
  std::size_t size = 0;
  const Node* before = nullptr;
  for (const Node* node = list.first; node != nullptr; node = node->newer) {
    OPP2P_CHECK(node->accepted == accepted && (accepted || &node->owner->second == &list),
                "an entry stands in the list of its owner, or of the accepted", size);
    OPP2P_CHECK(node->older == before, "an entry knows the one before it", size);
    const auto known = entries_.find(node->id);
    OPP2P_CHECK(known != entries_.end() && known->get() == node, "an entry is found by its id", size);
    // An entry that is accepted late stands behind newer ones.
    OPP2P_CHECK(accepted || before == nullptr || before->expires <= node->expires, "the oldest entry is first", size);
    before = node;
    ++size;
  }
  OPP2P_CHECK(list.last == before && list.size == size, "a list counts its entries", list.size, size);
  return size;
}

void SeenCache::check(const std::function<bool(std::uint64_t request, const MessageId& id)>& is_open) const {
  std::size_t listed = check_list(accepted_, true);
  std::size_t with_entry = 0;
  for (auto owner = owners_.begin(); owner != owners_.end(); ++owner) {
    listed += check_list(owner->second, false);
    with_entry += owner->second.size > 0 ? 1 : 0;
  }
  for (const auto& owner : by_size_) OPP2P_CHECK(owner->second.size > 0, "who has no entry need not go", owner->first);
  OPP2P_CHECK(with_entry == by_size_.size(), "each owner of an entry stands in the order once", with_entry, by_size_);
  OPP2P_CHECK(listed == entries_.size() && listed <= capacity_, "each entry is in one list, and they are bounded",
              listed, entries_, capacity_);
  if (!is_open) return;
  for (const auto& node : entries_) {
    OPP2P_CHECK(node->entry.state != SeenState::validating || is_open(node->entry.request, node->id),
                "what is being validated has an open request", node->entry.request);
  }
}

}  // namespace libp2p::gossipsub
