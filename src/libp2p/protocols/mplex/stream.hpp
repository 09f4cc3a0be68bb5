// The state of one Mplex stream. Private to the session, which owns it.
#pragma once

#include "libp2p/base/intrusive_list.hpp"
#include "libp2p/base/live_count.hpp"
#include "libp2p/base/send_queue.hpp"

namespace libp2p::mplex {

// Grows with opening and is never used again; the ids on the wire are another matter.
using StreamId = std::uint64_t;

struct Stream : LiveCounted<Stream> {
  StreamId id = 0;
  std::uint64_t wire_id = 0;
  bool inbound = false;
  bool local_ended = false;  // close_write was called
  bool close_sent = false;
  bool remote_ended = false;
  bool stopped = false;  // stop_reading was called
  bool wants_writable = false;
  bool in_ready = false;
  std::size_t unconsumed = 0;
  SendQueue queue;

  Stream* next = nullptr;
  Stream* previous = nullptr;

  // Both directions have ended: nothing but the event is left.
  bool over() const { return close_sent && (remote_ended || stopped); }
  bool has_turn() const { return !queue.empty() || (local_ended && !close_sent) || over(); }
};

}  // namespace libp2p::mplex
