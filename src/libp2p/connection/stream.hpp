// A stream: one ordered, flow-controlled, bidirectional channel between two peers, negotiated for one protocol. A
// move-only handle; dropping it resets the stream, unless close_write() was called: then what is queued still goes out
// and what still arrives is thrown away, for at most kLinger, so that a server may answer, close and forget. It stays
// safe to use when the connection is gone: every call then answers Errc::reset or Errc::closed.
//
// Two faces, of which a user picks one per stream. Coroutines: read_some, write, with the receive credit returned as
// the reader takes bytes. Events: a StreamHandler that gets views of the bytes as they arrive, for protocols that never
// want to wait (GossipSub); the credit returns when the handler returns. No handler is called, and no coroutine
// resumed, inside a call that the user makes (set_handler alone hands over at once what had arrived); they are called
// from the runtime's queue. In on_data everything about streams may be done, and Host::disconnect; destroying the host
// may not. Destroying a host calls no handler.
//
// Thread: the network thread. Bounds: what is queued to send is at most Limits::stream_send_queue bytes (write waits,
// try_send says no); what is received and unread is at most the stream's receive window.
#pragma once

#include <memory>
#include <string>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/connection_id.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/runtime/task.hpp"

namespace libp2p {

struct StreamState;

inline constexpr Nanos kLinger = Seconds(30);

class StreamHandler {
 public:
  virtual ~StreamHandler() = default;
  virtual void on_data(ByteView bytes) = 0;     // the view is valid until the call returns
  virtual void on_end() = 0;                    // the other side has finished writing
  virtual void on_reset(const Error& why) = 0;  // the stream is dead; no further call
  virtual void on_writable() = 0;               // there is room again after try_send said no
};

class Stream {
 public:
  Stream() = default;
  explicit Stream(std::shared_ptr<StreamState> state);
  ~Stream();
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;

  explicit operator bool() const { return state_ != nullptr; }
  const PeerId& peer() const;
  const std::string& protocol() const;
  Direction direction() const;

  // --- coroutines ---
  // At least one byte, or 0 at the end of the stream.
  runtime::Task<Result<std::size_t>> read_some(MutableBytes into);
  // Fills `into`; Errc::truncated when the stream ends before.
  runtime::Task<Result<void>> read_exactly(MutableBytes into);
  // One message behind an unsigned varint length; Errc::too_large above `max`, before anything is allocated.
  runtime::Task<Result<Bytes>> read_length_prefixed(std::size_t max);
  // Everything until the end of the stream; Errc::too_large above `max`.
  runtime::Task<Result<Bytes>> read_to_end(std::size_t max);
  // Returns when all bytes are in the send queue (not when they have left).
  runtime::Task<Result<void>> write(ByteView bytes);
  // The same with a reference instead of a copy. Returns when it is in the queue, which it alone may exceed the bound
  // of. `more` is try_send's.
  runtime::Task<Result<void>> write(SharedBytes bytes, bool more = false);
  // After this, reads and writes fail with Errc::timed_out once the deadline has passed.
  void set_read_deadline(MonoTime deadline);
  void set_write_deadline(MonoTime deadline);

  // --- events ---
  // Bytes that had arrived are handed over at once. The handler must outlive the stream or be taken off with nullptr.
  void set_handler(StreamHandler* handler);
  // Queues a reference without a copy; false when the send queue is full (on_writable follows) or the stream is dead.
  // With `more` it need not leave before flush() or what is written next, or close_write(), so that several leave
  // together.
  bool try_send(SharedBytes bytes, bool more = false);
  void flush();
  std::size_t send_queue_bytes() const;

  // --- both ---
  void close_write();  // half-close: the other side sees the end after what was written
  void reset();
  bool alive() const;
  // For a user that waits for something other than the stream: `event` is signalled when the peer or the connection
  // ends it, at once if that has happened. It must outlive the stream or be taken off with nullptr.
  void signal_when_dead(runtime::Event* event);

 private:
  friend class StreamSocket;
  std::shared_ptr<StreamState> state_;
};

}  // namespace libp2p
