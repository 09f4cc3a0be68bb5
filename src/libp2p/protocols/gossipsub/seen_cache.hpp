// Which messages were met before, and what became of them: this is what ends every loop, for there is no hop count on
// the wire. An entry lives for the TTL from the first sight, whatever is heard of it later. Owned by the router;
// bounded in items. When it is full, the oldest entry of the owner that has most goes: an owner is who brought the
// messages, a block of addresses or a peer, so that a flood pushes out itself. What was accepted is nobody's and goes
// only when it is all there is.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "libp2p/base/time.hpp"
#include "libp2p/protocols/gossipsub/message_id.hpp"

namespace libp2p::gossipsub {

enum class SeenState : std::uint8_t { validating, delivered, rejected, ignored };

class SeenCache {
 public:
  struct Entry {
    SeenState state = SeenState::validating;
    std::uint64_t request = 0;  // of the validation that runs, while it runs
  };

  SeenCache(Nanos ttl, std::size_t capacity, std::uint64_t secret)
      : ttl_(ttl), capacity_(capacity), entries_(0, NodeHash{{secret}}) {}
  SeenCache(const SeenCache&) = delete;
  SeenCache& operator=(const SeenCache&) = delete;

  // The live entry, or null. Its state is changed with set() only.
  const Entry* find(const MessageId& id, MonoTime now);
  bool contains(const MessageId& id, MonoTime now) { return find(id, now) != nullptr; }
  // `id` must not be there. Answers whether another entry had to go before its time. An owner is any bytes; none: our
  // own.
  bool add(const MessageId& id, Entry entry, MonoTime now, std::string_view owner = {});
  // Does nothing when the entry has gone.
  void set(const MessageId& id, Entry entry);
  void forget_expired(MonoTime now);
  std::size_t size() const { return entries_.size(); }
  std::size_t owners() const { return owners_.size(); }
  // `is_open` says whether a validation runs: one for each message that is being validated.
  void check(const std::function<bool(std::uint64_t request, const MessageId& id)>& is_open = nullptr) const;

 private:
  struct Node;
  // Entries in the order of their age.
  struct List {
    Node* first = nullptr;
    Node* last = nullptr;
    std::size_t size = 0;
  };
  using Owners = std::map<std::string, List, std::less<>>;  // those without an entry go at the next forget_expired()
  // Who has most comes last: owners can be tens of thousands, so who has to go is not searched for.
  struct HasLess {
    bool operator()(const Owners::iterator& a, const Owners::iterator& b) const {
      return a->second.size != b->second.size ? a->second.size < b->second.size : a->first > b->first;
    }
  };
  struct Node {
    Entry entry;
    MonoTime expires;
    MessageId id;
    Owners::iterator owner;
    bool accepted = false;  // stands in accepted_ instead of its owner's list
    Node* older = nullptr;
    Node* newer = nullptr;
  };

  static const MessageId& id_of(const MessageId& id) { return id; }
  static const MessageId& id_of(const std::unique_ptr<Node>& node) { return node->id; }
  struct NodeHash : MessageIdHash {
    using is_transparent = void;
    std::size_t operator()(const auto& one) const { return MessageIdHash::operator()(id_of(one)); }
  };
  struct SameId {
    using is_transparent = void;
    bool operator()(const auto& one, const auto& other) const { return id_of(one) == id_of(other); }
  };

  void append(Node& node);
  void unlink(Node& node);
  // Changes the list that the node stands in, and where its owner stands in by_size_.
  template <class Change>
  void change(const Node& node, Change how);
  void forget(Node& node);
  void expire(List& list, MonoTime now);
  void evict_oldest();
  std::size_t check_list(const List& list, bool accepted) const;

  Nanos ttl_;
  std::size_t capacity_;
  boost::unordered_flat_set<std::unique_ptr<Node>, NodeHash, SameId> entries_;  // iterated by check() alone
  Owners owners_;
  std::set<Owners::iterator, HasLess> by_size_;  // those with an entry
  List accepted_;
  MonoTime swept_{};  // when all lists were last looked at for what has expired
};

}  // namespace libp2p::gossipsub
