// A doubly linked list through its members' own `next` and `previous`: no allocation, and a member leaves it in
// constant time. It owns nothing; whoever owns the members takes each out before it dies. A member is in one list at
// most.
#pragma once

#include <cstddef>

#include "libp2p/base/assert.hpp"

namespace libp2p {

template <class T>
class IntrusiveList {
 public:
  bool empty() const { return first_ == nullptr; }
  T& front() {
    OPP2P_ASSERT(first_ != nullptr, "an empty list has no first member");
    return *first_;
  }

  void push_back(T& member) {
    OPP2P_ASSERT(member.next == nullptr && member.previous == nullptr && first_ != &member,
                 "a member is in one list at most");
    member.next = nullptr;
    member.previous = last_;
    (last_ != nullptr ? last_->next : first_) = &member;
    last_ = &member;
  }

  void remove(T& member) {
    OPP2P_ASSERT(member.previous != nullptr ? member.previous->next == &member : first_ == &member,
                 "only a member of the list is taken out, and its neighbour before knows it");
    OPP2P_ASSERT(member.next != nullptr ? member.next->previous == &member : last_ == &member,
                 "only a member of the list is taken out, and its neighbour behind knows it");
    (member.previous != nullptr ? member.previous->next : first_) = member.next;
    (member.next != nullptr ? member.next->previous : last_) = member.previous;
    member.next = member.previous = nullptr;
  }

  // Checks the links, calls `each` for every member in order, and answers how many there are. It ends even where the
  // list is a circle: a member that comes a second time has another neighbour before it.
  template <class Each>
  std::size_t check(Each&& each) const {
    std::size_t count = 0;
    const T* before = nullptr;
    for (const T* member = first_; member != nullptr; member = member->next) {
      OPP2P_CHECK(member->previous == before, "the links of a list agree in both directions", count);
      each(*member);
      before = member;
      ++count;
    }
    OPP2P_CHECK(last_ == before, "the last member of a list is the one that has none behind it", count);
    return count;
  }

 private:
  T* first_ = nullptr;
  T* last_ = nullptr;
};

}  // namespace libp2p
