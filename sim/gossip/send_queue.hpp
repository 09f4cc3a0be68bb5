// RPCs that one member has pushed to another and that wait for the up-link. Most connections never have one, so that an
// empty queue is a few words. Owner: the connection. Bounds: its user's.
#pragma once

#include <vector>

#include "sim/gossip/wire.hpp"

namespace opp2p::sim::gossip {

class SendQueue {
 public:
  bool empty() const { return next_ == waiting_.size(); }
  std::size_t size() const { return waiting_.size() - next_; }
  std::size_t bytes() const { return bytes_; }

  void push(Wire wire) {
    bytes_ += wire.size;
    waiting_.push_back(std::move(wire));
  }
  Wire pop() {
    Wire wire = std::move(waiting_[next_++]);
    bytes_ -= wire.size;
    if (empty()) {
      waiting_.clear();
      next_ = 0;
    } else if (next_ >= kTidyAt && next_ * 2 >= waiting_.size()) {
      waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(next_));
      next_ = 0;
    }
    return wire;
  }

 private:
  static constexpr std::size_t kTidyAt = 16;
  std::vector<Wire> waiting_;
  std::size_t next_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace opp2p::sim::gossip
