// A stream as the socket of a connection: what a relay needs, where a connection with a third peer runs inside a stream
// to the relay. It owns the stream and is owned by whoever reads and writes. A stream that it is given must have agreed
// on its protocol, and nobody else may read or write it.
//
// It behaves as a TCP socket does: destroying it ends our side behind what was written, and what still comes is thrown
// away (Stream's lingering); a stream that is reset gives the reset's error to reads and writes. It has no endpoints:
// both are empty.
//
// Thread: the network thread. Bounds: the stream's. Bytes that are not read stay in the stream, whose sender gets
// credit for what is read alone; a write takes what fits into the stream's send queue.
//
// Re-entrancy: callbacks come from the runtime's queue. In them everything may be done, also to destroy the socket.
#pragma once

#include <functional>

#include "libp2p/base/life_token.hpp"
#include "libp2p/connection/stream.hpp"
#include "libp2p/connection/stream_state.hpp"
#include "libp2p/runtime/runtime.hpp"

namespace libp2p {

class StreamSocket final : public runtime::Socket, private StreamWatcher {
 public:
  // std::invalid_argument when the handle is empty.
  explicit StreamSocket(Stream stream);
  ~StreamSocket() override;
  StreamSocket(const StreamSocket&) = delete;
  StreamSocket& operator=(const StreamSocket&) = delete;

  Result<std::size_t> read(MutableBytes into) override;
  Result<std::size_t> write(ByteView from) override;
  void shutdown_write() override { stream_.close_write(); }
  void when_readable(std::function<void()> wake) override;
  void when_writable(std::function<void()> wake) override;
  runtime::Endpoint local() const override { return {}; }
  runtime::Endpoint remote() const override { return {}; }

 private:
  // A callback that was asked for, and whether the task that calls it is in the runtime's queue.
  struct Wake {
    std::function<void()> call;
    bool posted = false;
  };

  void on_stream_change() override;
  bool readable() const;
  bool writable() const;
  void post(Wake& wake);

  Stream stream_;
  StreamState& state_;
  Wake reader_;
  Wake writer_;
  bool full_ = false;  // the last write did not take everything
  LifeToken life_;     // of what is posted
};

}  // namespace libp2p
