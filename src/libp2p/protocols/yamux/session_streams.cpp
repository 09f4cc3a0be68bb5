// The streams of a session and what is sent: opening, queues, credit, and the order of frames. Input, time and the ends
// of the session are in session.cpp.
#include <algorithm>
#include <limits>
#include <utility>

#include "libp2p/protocols/yamux/session.hpp"

namespace libp2p::yamux {

// ---- streams ----

Stream* Session::find(StreamId id) {
  OPP2P_ASSERT(!asking_, "the answer of may_grow does not enter the session", id);
  const auto found = streams_.find(wire_id(id));
  return found != streams_.end() && found->second.id == id ? &found->second : nullptr;
}

Stream& Session::insert(std::uint32_t wire, bool inbound) {
  const auto [at, fresh] = streams_.try_emplace(wire, next_serial_ << 32 | wire, inbound);
  OPP2P_ASSERT(fresh, "an id on the wire belongs to one stream at a time", wire);
  OPP2P_ASSERT((wire % 2 == 1) == (inbound == (side_ == Side::server)), "the client's streams have odd ids", wire,
               inbound);
  OPP2P_ASSERT(next_serial_ >> 32 == 0, "serial numbers only grow and are never used again", next_serial_);
  ++next_serial_;
  Stream& stream = at->second;
  stream.window_epoch = now_.mono;
  ++(inbound ? inbound_ : outbound_);
  return stream;
}

void Session::erase(Stream& stream) {
  if (stream.in_ready) ready_.remove(stream);
  if (stream.waiting) waiting_.remove(stream);
  OPP2P_ASSERT((stream.inbound ? inbound_ : outbound_) > 0, "each stream is counted on its side", stream.id);
  --(stream.inbound ? inbound_ : outbound_);
  const bool frees_a_place = !stream.inbound && !stream.acknowledged && !stream.waiting;
  OPP2P_ASSERT(unconsumed_ >= stream.unconsumed, "unread bytes of all streams include those of each", unconsumed_,
               stream.unconsumed);
  unconsumed_ -= stream.unconsumed;
  OPP2P_ASSERT(stream.window >= kInitialWindow && grown_ >= stream.window - kInitialWindow,
               "the growth of all windows includes that of each", grown_, stream.window);
  grown_ -= stream.window - kInitialWindow;
  streams_.erase(wire_id(stream.id));
  if (!frees_a_place) return;
  OPP2P_ASSERT(unacknowledged_ > 0, "a stream that waits for its acknowledgement is counted");
  --unacknowledged_;
  open_waiting();
}

// Sends the openings that wait, as far as the peer's backlog has room.
void Session::open_waiting() {
  while (!failed_ && !waiting_.empty() && unacknowledged_ < limits_.max_unacknowledged) {
    Stream& stream = waiting_.front();
    waiting_.remove(stream);
    stream.waiting = false;
    ++unacknowledged_;
    push_control(make_header(FrameType::window_update, kSyn, wire_id(stream.id), 0));
    update_ready(stream);
  }
  OPP2P_ASSERT(unacknowledged_ <= limits_.max_unacknowledged, "the peer's backlog is never overdrawn", unacknowledged_);
}

Error Session::serials_used_up() const {
  return {Errc::exhausted,
          "this connection has had " + std::to_string(limits_.max_streams_ever) + " streams, and can name no more"};
}

Result<StreamId> Session::open(Now now) {
  if (failed_ || going_away_) return Error(Errc::closed, "the connection is going away");
  set_now(now);
  if (outbound_ >= limits_.max_outbound_streams)
    return Error(Errc::exhausted, "there are " + std::to_string(outbound_) + " streams to this peer on one connection");
  if (waiting_control() + kHeaderSize > limits_.max_control_bytes)
    return Error(Errc::exhausted, "the peer does not read what is queued for it");
  if (next_wire_id_ > std::numeric_limits<std::uint32_t>::max() - 2)
    return Error(Errc::exhausted, "the stream ids of this connection are used up");
  if (next_serial_ > limits_.max_streams_ever) return serials_used_up();
  const std::uint32_t wire = next_wire_id_;
  next_wire_id_ += 2;
  Stream& stream = insert(wire, false);
  stream.waiting = true;
  waiting_.push_back(stream);
  open_waiting();
  return stream.id;
}

void Session::acknowledge(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr || !stream->inbound || stream->acknowledged) return;
  stream->acknowledged = true;
  push_control(make_header(FrameType::window_update, kAck, wire_id(id), 0));
}

std::size_t Session::send(StreamId id, ByteView data) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->local_ended) return 0;
  const std::size_t room = limits_.max_send_queue - std::min(limits_.max_send_queue, stream->queue.size());
  const std::size_t taken = std::min(room, data.size());
  if (taken > 0) stream->queue.push_copy(data.first(taken));
  if (taken < data.size()) stream->wants_writable = true;
  update_ready(*stream);
  return taken;
}

bool Session::send(StreamId id, SharedBytes data, std::size_t offset) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->local_ended) return false;
  if (stream->queue.size() >= limits_.max_send_queue) {
    stream->wants_writable = true;
    return false;
  }
  stream->queue.push_shared(std::move(data), offset);
  update_ready(*stream);
  return true;
}

void Session::close_write(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->local_ended) return;
  stream->local_ended = true;
  stream->wants_writable = false;
  update_ready(*stream);
}

void Session::stop_reading(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->remote_ended) return;
  stream->reading_stopped = true;
  OPP2P_ASSERT(unconsumed_ >= stream->unconsumed, "unread bytes of all streams include those of each", unconsumed_,
               stream->unconsumed);
  unconsumed_ -= std::exchange(stream->unconsumed, 0);
  update_ready(*stream);
}

void Session::reset(StreamId id, std::uint64_t code) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  const bool known_to_peer = !stream->waiting;
  // First the farewell, then the room that it makes: the peer sees the reset before the next opening.
  const bool fits = code <= std::numeric_limits<std::uint32_t>::max();
  const std::uint32_t told = fits ? static_cast<std::uint32_t>(code) : 0;
  if (known_to_peer && !failed_) push_control(make_header(FrameType::window_update, kRst, wire_id(id), told));
  erase(*stream);
}

void Session::consume(StreamId id, std::size_t n) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  n = std::min(n, stream->unconsumed);
  OPP2P_ASSERT(unconsumed_ >= n, "unread bytes of all streams include those of each", unconsumed_, n);
  stream->unconsumed -= n;
  unconsumed_ -= n;
  update_window(*stream);
}

std::size_t Session::send_queue_bytes(StreamId id) const {
  const Stream* stream = find(id);
  return stream == nullptr ? 0 : stream->queue.size();
}

std::uint32_t Session::receive_window(StreamId id) const {
  const Stream* stream = find(id);
  return stream == nullptr ? 0 : stream->window;
}

// Gives credit back in portions of half a window. When such a portion was used up within four round trips, the window
// is what holds the peer back, and it doubles.
void Session::update_window(Stream& stream) {
  if (stream.remote_ended || stream.reading_stopped || failed_) return;
  const auto missing = [&stream] { return stream.window - stream.receive_credit - stream.unconsumed; };
  if (missing() < stream.window / 2) return;
  if (shortest_round_trip_) {
    const Nanos round_trip = std::min(*shortest_round_trip_, limits_.max_growth_round_trip);
    if (now_.mono - stream.window_epoch < round_trip * 4) grow(stream);
  }
  OPP2P_ASSERT(missing() <= stream.window, "credit and unread bytes together never exceed the window",
               stream.receive_credit, stream.unconsumed, stream.window);
  const auto credit = static_cast<std::uint32_t>(missing());
  stream.receive_credit += credit;
  stream.window_epoch = now_.mono;
  push_control(make_header(FrameType::window_update, 0, wire_id(stream.id), credit));
}

void Session::grow(Stream& stream) {
  const std::uint32_t window =
      std::min(limits_.max_window, stream.window > limits_.max_window / 2 ? limits_.max_window : stream.window * 2);
  if (window <= stream.window) return;
  const auto may_grow = [&] {
    const Entry asking(asking_, "one question at a time");
    return events_.may_grow(window - stream.window);
  };
  if (grown_ + (window - stream.window) > limits_.max_receive_memory || !may_grow()) {
    ++counters_.refused_growth;
    return;
  }
  grown_ += window - stream.window;
  stream.window = window;
  OPP2P_ASSERT(stream.window <= limits_.max_window && grown_ <= limits_.max_receive_memory,
               "windows grow within their bounds", stream.window, grown_);
}

// ---- output ----

void Session::push_control(const Header& header) {
  if (waiting_control() + kHeaderSize > limits_.max_control_bytes) overflow_ = true;
  control_.resize(control_.size() + kHeaderSize);
  write_header(header_in(MutableBytes(control_).last(kHeaderSize)), header);
}

void Session::update_ready(Stream& stream) {
  if (stream.sendable() == stream.in_ready) return;
  if (stream.in_ready) {
    ready_.remove(stream);
  } else {
    ready_.push_back(stream);
  }
  stream.in_ready = !stream.in_ready;
}

bool Session::wants_output() const {
  if (control_sent_ < control_.size()) return true;
  if (failed_) return false;
  return !ready_.empty() || (going_away_ && !go_away_sent_);
}

std::size_t Session::poll_output(MutableBytes out, Now now) {
  const Entry entry(entered_, "poll_output is not called inside an event");
  set_now(now);
  std::size_t written = 0;
  while (true) {
    // Always before the next data frame, because it may hold the opening of that frame's stream.
    written += drain_control(out.subspan(written));
    if (control_sent_ < control_.size() || failed_) return written;
    if (ready_.empty()) break;
    if (ready_.front().fin_sent) {
      end_front();
      continue;
    }
    const std::size_t n = write_stream_frame(out.subspan(written), written == 0);
    if (n == 0) return written;
    written += n;
  }
  if (going_away_ && !go_away_sent_) {
    go_away_sent_ = true;
    push_control(make_header(FrameType::go_away, 0, 0, static_cast<std::uint32_t>(go_away_reason_)));
    written += drain_control(out.subspan(written));
  }
  return written;
}

std::size_t Session::drain_control(MutableBytes out) {
  const std::size_t left = waiting_control();
  const std::size_t n = std::min(left, out.size() - out.size() % kHeaderSize);
  if (n == 0) return 0;
  std::memcpy(out.data(), control_.data() + control_sent_, n);
  control_sent_ += n;
  if (control_sent_ == control_.size()) {
    control_ = {};
    control_sent_ = 0;
    queued_pongs_ = 0;
  }
  return n;
}

// A stream that was ended before its reading was stopped, and has nothing left.
void Session::end_front() {
  const StreamId id = ready_.front().id;
  OPP2P_ASSERT(ready_.front().queue.empty() && ready_.front().reading_stopped,
               "a stream ends here when nothing is left to send and nobody reads", id);
  erase(ready_.front());
  events_.on_closed(id);
}

// One frame of the stream whose turn it is. 0: it does not fit, or only a crumb of it would.
std::size_t Session::write_stream_frame(MutableBytes out, bool first) {
  constexpr std::size_t kCrumb = 1024;
  if (out.size() <= kHeaderSize) return 0;
  Stream& stream = ready_.front();
  const StreamId id = stream.id;
  OPP2P_ASSERT(stream.in_ready && stream.sendable(), "a stream that is ready has something to send", id);
  const std::size_t wanted =
      std::min({stream.queue.size(), limits_.max_frame_payload, static_cast<std::size_t>(stream.send_credit)});
  const std::size_t n = std::min(wanted, out.size() - kHeaderSize);
  if (!first && n < wanted && n < kCrumb) return 0;
  ready_.remove(stream);
  stream.in_ready = false;
  if (stream.queue.empty()) {
    OPP2P_ASSERT(stream.local_ended && !stream.fin_sent, "the end is sent once, when it was asked for", id);
    write_header(header_in(out), make_header(FrameType::window_update, kFin, wire_id(id), 0));
    stream.fin_sent = true;
    if (stream.remote_ended || stream.reading_stopped) {
      erase(stream);
      events_.on_closed(id);
    }
    return kHeaderSize;
  }
  write_header(header_in(out), make_header(FrameType::data, 0, wire_id(id), static_cast<std::uint32_t>(n)));
  OPP2P_ASSERT(n > 0 && n <= stream.send_credit, "nobody sends more than its credit", n, stream.send_credit);
  stream.queue.pop(out.data() + kHeaderSize, n);
  stream.send_credit -= n;
  update_ready(stream);
  if (stream.wants_writable && stream.queue.size() <= limits_.send_low_water) {
    stream.wants_writable = false;
    events_.on_writable(id);
  }
  return kHeaderSize + n;
}

}  // namespace libp2p::yamux
