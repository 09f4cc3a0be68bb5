// A doubly linked list through its members' own `next` and `previous`: no allocation, and a member leaves it in
// constant time. It owns nothing; whoever owns the members takes each out before it dies. A member is in one list at
// most.
#pragma once

namespace libp2p {

template <class T>
class IntrusiveList {
 public:
  bool empty() const { return first_ == nullptr; }
  T& front() { return *first_; }

  void push_back(T& member) {
    member.next = nullptr;
    member.previous = last_;
    (last_ != nullptr ? last_->next : first_) = &member;
    last_ = &member;
  }

  void remove(T& member) {
    (member.previous != nullptr ? member.previous->next : first_) = member.next;
    (member.next != nullptr ? member.next->previous : last_) = member.previous;
    member.next = member.previous = nullptr;
  }

 private:
  T* first_ = nullptr;
  T* last_ = nullptr;
};

}  // namespace libp2p
