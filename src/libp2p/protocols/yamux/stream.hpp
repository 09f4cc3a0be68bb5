// The state of one Yamux stream, and the lists of those that have something to send or wait to be opened. Private to
// the session, which owns both.
#pragma once

#include "libp2p/base/intrusive_list.hpp"
#include "libp2p/base/live_count.hpp"
#include "libp2p/base/send_queue.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/protocols/yamux/limits.hpp"

namespace libp2p::yamux {

// The id on the wire in the low 32 bits, a serial number that only grows above: never used again, although ids on the
// wire may be, and ordered by the time of opening.
using StreamId = std::uint64_t;

inline std::uint32_t wire_id(StreamId id) { return static_cast<std::uint32_t>(id); }

struct Stream : LiveCounted<Stream> {
  Stream(StreamId stream_id, bool is_inbound) : id(stream_id), inbound(is_inbound) {}

  const StreamId id;
  const bool inbound;
  bool acknowledged = false;  // outbound: the peer has answered with ACK; inbound: we have
  bool waiting = false;       // outbound: the opening is not sent yet, because too many are unacknowledged
  bool local_ended = false;   // close_write was called
  bool fin_sent = false;
  bool remote_ended = false;
  bool reading_stopped = false;  // what comes is thrown away, and our end is the stream's
  bool wants_writable = false;
  bool in_ready = false;

  std::uint64_t send_credit = kInitialWindow;     // what we may still send
  std::uint32_t window = kInitialWindow;          // what the peer may have at most
  std::uint32_t receive_credit = kInitialWindow;  // what the peer may still send
  std::size_t unconsumed = 0;
  MonoTime window_epoch;  // when credit was last given
  SendQueue queue;

  Stream* next = nullptr;
  Stream* previous = nullptr;

  bool sendable() const {
    if (waiting) return false;
    return queue.empty() ? local_ended && (!fin_sent || reading_stopped) : send_credit > 0;
  }
};

using StreamList = IntrusiveList<Stream>;

}  // namespace libp2p::yamux
