// Says that an object is inside one of its functions that must not be entered again from a callback. The object has an
// Entered as a member; each such function makes an Entry, and the destructor of the object asserts that none is left.
//
//   const Entry entry(entered_, "on_bytes is not called inside an event");
//
// Thread: that of the object. Cost: one flag.
#pragma once

#include <string_view>

#include "libp2p/base/assert.hpp"

namespace libp2p {

class Entered {
 public:
  Entered() = default;
  ~Entered() { OPP2P_ASSERT(!inside_, "an object is not destroyed inside one of its own calls"); }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

  explicit operator bool() const { return inside_; }

 private:
  friend class Entry;
  bool inside_ = false;
};

class Entry {
 public:
  Entry(Entered& entered, std::string_view must_hold) : entered_(entered) {
    OPP2P_ASSERT(!entered_.inside_, must_hold);
    entered_.inside_ = true;
  }
  ~Entry() { entered_.inside_ = false; }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

 private:
  Entered& entered_;
};

}  // namespace libp2p
