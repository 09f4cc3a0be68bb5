// Says that an object is inside one of its functions that must not be entered again from a callback. The object has an
// EntryMark as a member; each such function makes an Entry, and the destructor of the object asserts that none is left.
//
// yamux::Session::on_bytes is an example: its first line makes an Entry with the text of what it asserts.
//
// Thread: that of the object. Cost: one flag.
#pragma once

#include <string_view>

#include "libp2p/base/assert.hpp"

namespace libp2p {

class EntryMark {
 public:
  EntryMark() = default;
  ~EntryMark() { OPP2P_ASSERT(!inside_, "an object is not destroyed inside one of its own calls"); }
  EntryMark(const EntryMark&) = delete;
  EntryMark& operator=(const EntryMark&) = delete;

  explicit operator bool() const { return inside_; }

 private:
  friend class Entry;
  bool inside_ = false;
};

class Entry {
 public:
  Entry(EntryMark& entered, std::string_view must_hold) : entered_(entered) {
    OPP2P_ASSERT(!entered_.inside_, must_hold);
    entered_.inside_ = true;
  }
  ~Entry() { entered_.inside_ = false; }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

 private:
  EntryMark& entered_;
};

}  // namespace libp2p
