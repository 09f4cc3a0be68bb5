// The state of one Yamux stream, and the lists of those that have something to send or wait to be opened. Private to
// the session, which owns both.
#pragma once

#include "libp2p/base/live_count.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/protocols/yamux/limits.hpp"
#include "libp2p/protocols/yamux/send_queue.hpp"

namespace libp2p::yamux {

// The id on the wire in the low 32 bits, a serial number that only grows above: never used again, although ids on the
// wire may be, and ordered by the time of opening.
using StreamId = std::uint64_t;

inline std::uint32_t wire_id(StreamId id) { return static_cast<std::uint32_t>(id); }

struct Stream : LiveCounted<Stream> {
  StreamId id = 0;
  bool inbound = false;
  bool acknowledged = false;   // outbound: the peer has answered with ACK; inbound: we have
  bool waiting = false;        // outbound: the opening is not sent yet, because too many are unacknowledged
  bool local_ended = false;    // close_write was called
  bool fin_sent = false;
  bool remote_ended = false;
  bool reading_stopped = false;  // what comes is thrown away, and our end is the stream's
  bool wants_writable = false;
  bool in_ready = false;

  std::uint64_t send_credit = kInitialWindow;   // what we may still send
  std::uint32_t window = kInitialWindow;        // what the peer may have at most
  std::uint32_t receive_credit = kInitialWindow;  // what the peer may still send
  std::size_t unconsumed = 0;
  MonoTime window_epoch;                        // when credit was last given
  SendQueue queue;

  Stream* next = nullptr;
  Stream* previous = nullptr;

  bool sendable() const {
    if (waiting) return false;
    return queue.empty() ? local_ended && (!fin_sent || reading_stopped) : send_credit > 0;
  }
};

// A doubly linked list through the streams themselves: no allocation, and a stream leaves it in constant time. A stream
// is in one list at most.
class StreamList {
 public:
  bool empty() const { return first_ == nullptr; }
  Stream& front() { return *first_; }

  void push_back(Stream& stream) {
    stream.next = nullptr;
    stream.previous = last_;
    (last_ != nullptr ? last_->next : first_) = &stream;
    last_ = &stream;
  }

  void remove(Stream& stream) {
    (stream.previous != nullptr ? stream.previous->next : first_) = stream.next;
    (stream.next != nullptr ? stream.next->previous : last_) = stream.previous;
    stream.next = stream.previous = nullptr;
  }

 private:
  Stream* first_ = nullptr;
  Stream* last_ = nullptr;
};

}  // namespace libp2p::yamux
