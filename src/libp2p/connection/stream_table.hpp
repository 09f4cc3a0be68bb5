// The streams of one connection, whatever carries them (a multiplexer, QUIC): the StreamStates by id, what their users
// have yet to be told, the bytes that lie unread and the owner's room for them, and the streams that linger after their
// users have let go. Owned by its connection, which feeds it the carrier's events and calls deliver() when the carrier
// is at rest; reached by streams through the ConnectionPort that it makes, which outlives it. Everything that goes the
// other way goes through StreamCarrier.
//
// Thread: the network thread. Bounds: the carrier's streams; two entries for each of them in the list of those that
// linger; what is to be told is one entry a stream; unread bytes are the carrier's receive memory, and the owner's
// through take_memory.
//
// Re-entrancy: the events (on_…) come inside the carrier's work and call nobody but StreamHandler::on_data and
// ConnectionOwner::on_inbound_stream. deliver() calls users, who may do anything, also end the connection; a deliver()
// inside deliver() does nothing, since the outer one goes on until nothing is left.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libp2p/base/life_token.hpp"
#include "libp2p/connection/stream_state.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "libp2p/seams/transport.hpp"
#include "libp2p/upgrade/stream_negotiation.hpp"

namespace libp2p {

// What carries the streams and drives them, as their table needs it: StreamNegotiation's calls, which are StreamMux's
// by id, and the driver's turn. None of them calls the table back, except for events, which flush_for_user may cause.
class StreamCarrier {
 public:
  virtual ~StreamCarrier() = default;
  virtual std::size_t send(StreamId id, ByteView data) = 0;
  virtual bool send(StreamId id, SharedBytes data) = 0;
  virtual std::size_t send_queue_bytes(StreamId id) const = 0;
  virtual void close_write(StreamId id) = 0;
  virtual void reset(StreamId id) = 0;
  virtual void consume(StreamId id, std::size_t n) = 0;
  // A user has called: sends what is queued, unless the driver is at work and does so itself. Tells nobody anything
  // inside.
  virtual void flush_for_user() = 0;
  // deliver() is due, from the runtime's queue.
  virtual void schedule_delivery() = 0;
  // next_deadline() has become another.
  virtual void on_deadline_moved() = 0;
};

class StreamTable final : public StreamEvents {
 public:
  // `life` is the connection's, and ends when the connection is destroyed.
  StreamTable(runtime::Runtime& runtime, Connection& connection, ConnectionOwner& owner, StreamCarrier& carrier,
              const LifeToken& life);
  // Whoever waits is woken from the runtime's queue; nobody is called. The carrier has reset its streams before, by
  // event.
  ~StreamTable() override;
  StreamTable(const StreamTable&) = delete;
  StreamTable& operator=(const StreamTable&) = delete;

  // A stream that the carrier has opened; `protocol` is empty while several are offered.
  std::shared_ptr<StreamState> add_outbound(StreamId id, std::string protocol);

  // --- the carrier's events ---
  void on_stream_opened(StreamId id, const std::string& protocol, bool inbound) override;
  void on_stream_data(StreamId id, ByteView data) override;
  void on_stream_end(StreamId id) override;
  void on_stream_reset(StreamId id, const Error& error) override;
  void on_stream_writable(StreamId id) override;
  void on_stream_closed(StreamId id) override { streams_.erase(id); }

  // --- the driver ---
  bool wants_delivery() const { return !to_tell_.empty(); }
  bool delivering() const { return delivering_; }
  // Tells the streams what happened. False when the connection was destroyed by what they did.
  bool deliver();
  // When the first stream that lingers has to go.
  std::optional<MonoTime> next_deadline() const;
  void on_timeout(MonoTime now);
  // The connection has ended: ports reach nothing any more, and the owner has its memory back. What is to be told still
  // can be.
  void cut();

  std::size_t unread() const { return unread_; }
  // Connection::reset_largest_unread; of two that hold the same the older one goes.
  bool reset_largest_unread(Nanos stalled);
  // Outside of every call.
  void check() const;

 private:
  class Port;
  static constexpr std::size_t kMemoryUnit = 16 * 1024;  // in which room for unread bytes is taken

  std::shared_ptr<StreamState> find(StreamId id) const;
  void queue(std::shared_ptr<StreamState> stream);
  std::shared_ptr<StreamState> add(StreamId id, Direction direction);
  void linger(StreamId id);
  void on_unread(std::ptrdiff_t change);

  runtime::Runtime& runtime_;
  Connection& connection_;
  ConnectionOwner& owner_;
  StreamCarrier& carrier_;
  const LifeToken& life_;
  std::shared_ptr<Port> port_;

  std::map<StreamId, std::shared_ptr<StreamState>> streams_;  // ordered: the peer chooses part of an id
  std::vector<std::shared_ptr<StreamState>> to_tell_;
  std::vector<std::shared_ptr<StreamState>> telling_;    // what deliver() is at
  std::deque<std::pair<MonoTime, StreamId>> lingering_;  // in order of time; some have ended meanwhile
  std::size_t unread_ = 0;
  std::size_t unread_taken_ = 0;  // of the owner's memory
  bool delivering_ = false;
};

}  // namespace libp2p
