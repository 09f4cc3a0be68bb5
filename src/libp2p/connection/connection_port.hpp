// The narrow port through which everything above reaches a connection: its streams' data, credit and end, by id. A port
// outlives its connection; then every call does nothing. Today it calls straight through; a connection that lives on
// another thread gets a port that posts, and nothing above changes. A connection's id is never reused, so a port cannot
// reach another generation.
//
// Promise: no call into a port calls back. What it causes (a writer that has room, a stream that was reset) comes
// later, from the runtime's queue. Thread: the network thread. Bounds: those of the connection.
#pragma once

#include <cstdint>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/connection_id.hpp"
#include "libp2p/seams/stream_mux.hpp"

namespace libp2p {

class ConnectionPort {
 public:
  virtual ~ConnectionPort() = default;
  virtual ConnectionId id() const = 0;
  // Takes a copy of what fits into the send queue and answers how much.
  virtual std::size_t send(StreamId stream, ByteView bytes) = 0;
  // Takes a reference, or nothing when the queue is full; flush() sends it.
  virtual bool queue(StreamId stream, SharedBytes bytes) = 0;
  virtual void flush() = 0;
  virtual std::size_t send_queue_bytes(StreamId stream) const = 0;
  // The reader has taken n bytes.
  virtual void credit(StreamId stream, std::size_t n) = 0;
  // The streams' unread bytes have become more or fewer. Growing may reset a stream, also the one that calls.
  virtual void on_unread(std::ptrdiff_t change) = 0;
  virtual void close_write(StreamId stream) = 0;
  virtual void reset(StreamId stream) = 0;
  // The user has let go of a stream that it had finished writing to: what is queued still goes out, what still comes is
  // dropped.
  virtual void linger(StreamId stream) = 0;
};

}  // namespace libp2p
