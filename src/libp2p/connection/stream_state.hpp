// What stands behind a Stream handle: the received and unread bytes, who waits for what, and how it ended. Shared by
// the handle and its connection; the connection feeds it (on_…) inside the engine's events and lets it wake its waiters
// (deliver) when the engine is at rest. Thread: the network thread. Bounds: unread bytes stay within the stream's
// receive window, because credit is given only when they are taken; the buffer is freed when it is empty.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "libp2p/base/live_count.hpp"
#include "libp2p/connection/connection_port.hpp"
#include "libp2p/connection/stream.hpp"
#include "libp2p/runtime/parking.hpp"

namespace libp2p {

// Hears that something on a stream may have changed for who waits: bytes, room, the end or the death. It is called
// inside the connection's work and inside users' calls, so it only notes it and posts.
class StreamWatcher {
 public:
  virtual ~StreamWatcher() = default;
  virtual void on_stream_change() = 0;
};

struct StreamState : LiveCounted<StreamState> {
  StreamState(runtime::Runtime& r, std::shared_ptr<ConnectionPort> p, StreamId stream, PeerId remote, Direction d)
      : runtime(r), port(std::move(p)), id(stream), peer(std::move(remote)), direction(d) {}

  runtime::Runtime& runtime;
  std::shared_ptr<ConnectionPort> port;
  const StreamId id;
  const PeerId peer;
  const Direction direction;
  std::string protocol;

  // --- from the connection ---
  void on_opened(const std::string& agreed);
  void on_data(ByteView bytes);
  void on_end() { ended = true; }
  void on_dead(Error why);
  void on_room() { room = true; }
  // Wakes and calls whoever has something to be told. The stream's user may do anything in it.
  void deliver();
  // The same without running anybody inside the call, and without calling the handler: when the host goes away.
  void wake_later();

  // --- received ---
  std::size_t unread() const { return buffer.size() - taken; }
  std::size_t take(MutableBytes into);
  void drop_buffer();

  bool opened = false;
  bool ended = false;         // the other side has finished writing
  bool write_closed = false;  // we have
  bool released = false;      // the handle is gone
  bool queued = false;        // in the connection's list of those to deliver to
  std::optional<Error> dead;
  Bytes buffer;
  std::size_t taken = 0;
  MonoTime last_read{};  // when bytes were last taken out of the buffer, or it began to fill

  // --- who waits ---
  StreamHandler* handler = nullptr;
  bool end_told = false;
  bool reset_told = false;
  bool room = false;  // what was sent did not all fit, and there is room again
  runtime::Parking* reader = nullptr;
  MutableBytes direct;  // where the parked reader wants its bytes
  std::size_t direct_filled = 0;
  runtime::Parking* writer = nullptr;
  runtime::Parking* opener = nullptr;
  runtime::Event* death = nullptr;  // signalled once, when the stream is dead
  StreamWatcher* watcher = nullptr;
  std::optional<MonoTime> read_deadline;
  std::optional<MonoTime> write_deadline;
  std::unique_ptr<runtime::Timer> read_timer;
  std::unique_ptr<runtime::Timer> write_timer;
};

// Waits until an outbound stream has agreed on a protocol or failed.
runtime::Task<Result<void>> wait_until_opened(std::shared_ptr<StreamState> state);

}  // namespace libp2p
