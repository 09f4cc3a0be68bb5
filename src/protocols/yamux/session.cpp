#include "protocols/yamux/session.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace libp2p::yamux {
namespace {

std::string describe(const Header& header) {
  return "frame of type " + std::to_string(header.type) + ", flags " + std::to_string(header.flags) + ", stream " +
         std::to_string(header.stream_id) + ", length " + std::to_string(header.length);
}

}  // namespace

Session::Session(Side side, const Limits& limits, SessionEvents& events, Now now)
    : side_(side),
      limits_(limits),
      events_(events),
      now_(now),
      next_wire_id_(side == Side::client ? 1 : 2),
      next_ping_(now.mono),
      last_input_(now.mono) {
  if (limits_.keep_alive_interval > Nanos(0)) send_ping();
}

Session::~Session() = default;

// ---- input ----

Result<void> Session::on_bytes(ByteView in, Now now) {
  if (failed_) return Error(Errc::closed, "the Yamux session has ended");
  now_ = now;
  if (!in.empty()) last_input_ = now.mono;
  while (!in.empty()) {
    if (frame_left_ > 0) {
      const auto part = in.first(std::min(frame_left_, in.size()));
      frame_left_ -= part.size();
      in = in.subspan(part.size());
      on_payload(part);
      if (frame_left_ == 0) finish_frame();
    } else {
      const auto part = in.first(std::min(kHeaderSize - partial_size_, in.size()));
      std::copy(part.begin(), part.end(), partial_header_.begin() + static_cast<std::ptrdiff_t>(partial_size_));
      partial_size_ += part.size();
      in = in.subspan(part.size());
      if (partial_size_ < kHeaderSize) break;
      partial_size_ = 0;
      OPP2P_TRYV(on_header(read_header(partial_header_.data())));
    }
    if (overflow_)
      return fail(GoAwayCode::internal_error, Error(Errc::exhausted, "the peer makes us answer more than it reads"));
  }
  return {};
}

Result<void> Session::on_header(const Header& header) {
  if (header.version != kVersion)
    return fail(GoAwayCode::protocol_error,
                Error(Errc::unsupported, "Yamux version " + std::to_string(header.version) + " in a frame"));
  switch (header.type) {
    case static_cast<std::uint8_t>(FrameType::data):
    case static_cast<std::uint8_t>(FrameType::window_update):
      return on_stream_header(header);
    case static_cast<std::uint8_t>(FrameType::ping):
      on_ping(header);
      return {};
    case static_cast<std::uint8_t>(FrameType::go_away):
      return on_go_away(header.length);
    default:
      return fail(GoAwayCode::protocol_error, Error(Errc::malformed, "unknown Yamux " + describe(header)));
  }
}

Result<void> Session::on_stream_header(const Header& header) {
  if (header.has(kSyn)) OPP2P_TRYV(on_syn(header));
  const bool is_data = header.type == static_cast<std::uint8_t>(FrameType::data);
  const auto found = streams_.find(header.stream_id);
  if (found == streams_.end()) {
    ++counters_.late_frames;
    if (is_data) {
      counters_.late_bytes += header.length;
      frame_left_ = header.length;
      frame_stream_ = 0;
    }
    return {};
  }
  Stream& stream = found->second;
  if (header.has(kAck) && !stream.inbound && !stream.acknowledged) {
    stream.acknowledged = true;
    --unacknowledged_;
  }
  if (is_data) return on_data_header(header, stream);
  const StreamId id = stream.id;
  if (header.has(kRst)) {
    erase(stream);
    events_.on_reset(id, Error(Errc::reset, "the peer reset the stream"));
    return {};
  }
  // More credit than 32 bits can say is no use to anybody, but no harm either.
  stream.send_credit = std::min<std::uint64_t>(stream.send_credit + header.length,
                                               std::numeric_limits<std::uint32_t>::max());
  update_ready(stream);
  if (header.has(kFin)) on_fin(id);
  return {};
}

Result<void> Session::on_syn(const Header& header) {
  const std::uint32_t theirs = side_ == Side::client ? 0 : 1;
  if (header.stream_id == 0 || header.stream_id % 2 != theirs)
    return fail(GoAwayCode::protocol_error, Error(Errc::malformed, "the peer opens a stream with an id of ours: Yamux " +
                                                                       describe(header)));
  if (streams_.contains(header.stream_id))
    return fail(GoAwayCode::protocol_error,
                Error(Errc::malformed, "the peer opens a stream that is open: Yamux " + describe(header)));
  if (going_away_ || inbound_ >= limits_.max_inbound_streams) {
    ++counters_.refused_streams;
    push_control(make_header(FrameType::window_update, kRst, header.stream_id, 0));
    return {};
  }
  const StreamId id = insert(header.stream_id, true).id;
  push_control(make_header(FrameType::window_update, kAck, header.stream_id, 0));
  events_.on_inbound_stream(id);
  return {};
}

Result<void> Session::on_data_header(const Header& header, Stream& stream) {
  if (header.length > stream.receive_credit)
    return fail(GoAwayCode::protocol_error,
                Error(Errc::too_large, "the peer sends more than its credit of " +
                                           std::to_string(stream.receive_credit) + " bytes: Yamux " + describe(header)));
  stream.receive_credit -= header.length;
  frame_ = header;
  frame_left_ = header.length;
  frame_stream_ = stream.id;
  const StreamId id = stream.id;
  if (header.has(kRst)) {
    frame_stream_ = 0;
    erase(stream);
    events_.on_reset(id, Error(Errc::reset, "the peer reset the stream"));
  } else if (stream.remote_ended && header.length > 0) {
    frame_stream_ = 0;
    reset(id);
    events_.on_reset(id, Error(Errc::malformed, "the peer sent data after the end of the stream"));
  } else if (unconsumed_ + header.length > limits_.max_receive_memory) {
    ++counters_.memory_resets;
    frame_stream_ = 0;
    reset(id);
    events_.on_reset(id, Error(Errc::exhausted, "more than " + std::to_string(limits_.max_receive_memory) +
                                                    " bytes of this connection wait to be read"));
  } else if (header.length == 0) {
    finish_frame();
  } else {
    // Counted before it arrives, so that credit and unread bytes together never exceed the window.
    stream.unconsumed += header.length;
    unconsumed_ += header.length;
  }
  return {};
}

void Session::on_payload(ByteView part) {
  // Skipped, or reset by the user while the frame came in.
  if (frame_stream_ == 0 || find(frame_stream_) == nullptr) return;
  events_.on_data(frame_stream_, part);
}

void Session::finish_frame() {
  const StreamId id = std::exchange(frame_stream_, 0);
  if (id != 0 && frame_.has(kFin)) on_fin(id);
}

void Session::on_fin(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->remote_ended) return;
  stream->remote_ended = true;
  events_.on_end(id);
  stream = find(id);
  if (stream == nullptr || !stream->fin_sent) return;
  erase(*stream);
  events_.on_closed(id);
}

void Session::on_ping(const Header& header) {
  if (header.has(kSyn)) {
    if (queued_pongs_ >= limits_.max_queued_pongs) {
      ++counters_.unanswered_pings;
      return;
    }
    ++queued_pongs_;
    push_control(make_header(FrameType::ping, kAck, 0, header.length));
  } else if (ping_sent_ && header.length == ping_value_) {
    round_trip_ = now_.mono - *ping_sent_;
    ping_sent_.reset();
  }
}

Error Session::on_go_away(std::uint32_t code) {
  // go-yamux ends the session on every go-away, the normal one too, so nothing on it has a future.
  Error error = code == static_cast<std::uint32_t>(GoAwayCode::normal)
                    ? Error(Errc::closed, "the peer has gone away")
                    : Error(Errc::reset, "the peer has gone away with code " + std::to_string(code));
  abort(error);
  return error;
}

// ---- ends ----

Error Session::fail(GoAwayCode code, Error error) {
  control_ = {};
  control_sent_ = 0;
  overflow_ = false;
  push_control(make_header(FrameType::go_away, 0, 0, static_cast<std::uint32_t>(code)));
  go_away_sent_ = true;
  failed_ = true;
  reset_all(error);
  return error;
}

void Session::abort(const Error& reason) {
  if (failed_) {
    control_ = {};
    control_sent_ = 0;
    return;
  }
  failed_ = true;
  reset_all(reason);
  control_ = {};
  control_sent_ = 0;
}

void Session::reset_all(const Error& error) {
  std::vector<StreamId> ids;
  ids.reserve(streams_.size());
  for (const auto& [wire, stream] : streams_) ids.push_back(stream.id);
  std::sort(ids.begin(), ids.end());
  for (const StreamId id : ids) {
    Stream* stream = find(id);
    if (stream == nullptr) continue;  // the user reset it in an event
    erase(*stream);
    events_.on_reset(id, error);
  }
}

void Session::go_away() {
  going_away_ = true;
}

// ---- time ----

void Session::send_ping() {
  ping_sent_ = now_.mono;
  push_control(make_header(FrameType::ping, kSyn, 0, ++ping_value_));
  next_ping_ = now_.mono + limits_.keep_alive_interval;
}

std::optional<MonoTime> Session::next_deadline() const {
  if (failed_ || limits_.keep_alive_interval <= Nanos(0)) return std::nullopt;
  if (ping_sent_) return std::max(*ping_sent_, last_input_) + limits_.keep_alive_timeout;
  return next_ping_;
}

Result<void> Session::on_timeout(Now now) {
  const auto deadline = next_deadline();
  if (!deadline || now.mono < *deadline) return {};
  now_ = now;
  if (ping_sent_)
    return fail(GoAwayCode::internal_error, Error(Errc::timed_out, "the peer has not answered a Yamux ping"));
  send_ping();
  return {};
}

// ---- streams ----

Stream* Session::find(StreamId id) {
  const auto found = streams_.find(wire_id(id));
  return found != streams_.end() && found->second.id == id ? &found->second : nullptr;
}

Stream& Session::insert(std::uint32_t wire, bool inbound) {
  Stream& stream = streams_[wire];
  stream.id = next_serial_++ << 32 | wire;
  stream.inbound = inbound;
  stream.window_epoch = now_.mono;
  ++(inbound ? inbound_ : outbound_);
  if (!inbound) ++unacknowledged_;
  return stream;
}

void Session::erase(Stream& stream) {
  if (stream.in_ready) ready_.remove(stream);
  --(stream.inbound ? inbound_ : outbound_);
  if (!stream.inbound && !stream.acknowledged) --unacknowledged_;
  unconsumed_ -= stream.unconsumed;
  grown_ -= stream.window - kInitialWindow;
  streams_.erase(wire_id(stream.id));
}

Result<StreamId> Session::open(Now now) {
  if (failed_ || going_away_) return Error(Errc::closed, "the connection is going away");
  now_ = now;
  if (unacknowledged_ >= limits_.max_unacknowledged)
    return Error(Errc::exhausted, "the peer has not acknowledged " + std::to_string(unacknowledged_) + " streams");
  if (outbound_ >= limits_.max_outbound_streams)
    return Error(Errc::exhausted, "there are " + std::to_string(outbound_) + " streams to this peer on one connection");
  if (control_.size() - control_sent_ + kHeaderSize > limits_.max_control_bytes)
    return Error(Errc::exhausted, "the peer does not read what is queued for it");
  if (next_wire_id_ > std::numeric_limits<std::uint32_t>::max() - 2)
    return Error(Errc::exhausted, "the stream ids of this connection are used up");
  const std::uint32_t wire = next_wire_id_;
  next_wire_id_ += 2;
  push_control(make_header(FrameType::window_update, kSyn, wire, 0));
  return insert(wire, false).id;
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
  // A reference costs as much as a small message: short ones are copied, which bounds the items of the queue by its bytes.
  constexpr std::size_t kWorthAReference = 1024;
  if (data->size() < offset + kWorthAReference) {
    if (offset < data->size()) stream->queue.push_copy(ByteView(*data).subspan(offset));
  } else {
    stream->queue.push_shared(std::move(data), offset);
  }
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

void Session::reset(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  erase(*stream);
  if (!failed_) push_control(make_header(FrameType::window_update, kRst, wire_id(id), 0));
}

void Session::consume(StreamId id, std::size_t n) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  n = std::min(n, stream->unconsumed);
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

// Gives credit back in portions of half a window. When such a portion was used up within four round trips, the window is what
// holds the peer back, and it doubles.
void Session::update_window(Stream& stream) {
  if (stream.remote_ended || failed_) return;
  const auto missing = [&stream] { return stream.window - stream.receive_credit - stream.unconsumed; };
  if (missing() < stream.window / 2) return;
  if (round_trip_ && now_.mono - stream.window_epoch < *round_trip_ * 4) grow(stream);
  const auto credit = static_cast<std::uint32_t>(missing());
  stream.receive_credit += credit;
  stream.window_epoch = now_.mono;
  push_control(make_header(FrameType::window_update, 0, wire_id(stream.id), credit));
}

void Session::grow(Stream& stream) {
  const std::uint32_t window = std::min(limits_.max_window, stream.window > limits_.max_window / 2
                                                                ? limits_.max_window
                                                                : stream.window * 2);
  if (window <= stream.window || grown_ + (window - stream.window) > limits_.max_receive_memory) return;
  grown_ += window - stream.window;
  stream.window = window;
}

// ---- output ----

void Session::push_control(const Header& header) {
  if (control_.size() - control_sent_ + kHeaderSize > limits_.max_control_bytes) overflow_ = true;
  control_.resize(control_.size() + kHeaderSize);
  write_header(control_.data() + control_.size() - kHeaderSize, header);
}

void Session::update_ready(Stream& stream) {
  if (stream.sendable() == stream.in_ready) return;
  if (stream.in_ready) {
    ready_.remove(stream);
  } else {
    ready_.push_back(stream);
  }
}

bool Session::wants_output() const {
  if (control_sent_ < control_.size()) return true;
  if (failed_) return false;
  return !ready_.empty() || (going_away_ && !go_away_sent_);
}

std::size_t Session::poll_output(MutableBytes out, Now now) {
  now_ = now;
  std::size_t written = 0;
  while (true) {
    // Always before the next data frame, because it may hold the opening of that frame's stream.
    written += drain_control(out.subspan(written));
    if (control_sent_ < control_.size() || failed_) return written;
    if (ready_.empty()) break;
    const std::size_t n = write_stream_frame(out.subspan(written), written == 0);
    if (n == 0) return written;
    written += n;
  }
  if (going_away_ && !go_away_sent_) {
    go_away_sent_ = true;
    push_control(make_header(FrameType::go_away, 0, 0, static_cast<std::uint32_t>(GoAwayCode::normal)));
    written += drain_control(out.subspan(written));
  }
  return written;
}

std::size_t Session::drain_control(MutableBytes out) {
  const std::size_t left = control_.size() - control_sent_;
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

// One frame of the stream whose turn it is. 0: it does not fit, or only a crumb of it would.
std::size_t Session::write_stream_frame(MutableBytes out, bool first) {
  constexpr std::size_t kCrumb = 1024;
  if (out.size() <= kHeaderSize) return 0;
  Stream& stream = ready_.front();
  const StreamId id = stream.id;
  const std::size_t wanted = std::min({stream.queue.size(), limits_.max_frame_payload,
                                       static_cast<std::size_t>(stream.send_credit)});
  const std::size_t n = std::min(wanted, out.size() - kHeaderSize);
  if (!first && n < wanted && n < kCrumb) return 0;
  ready_.remove(stream);
  if (stream.queue.empty()) {
    write_header(out.data(), make_header(FrameType::window_update, kFin, wire_id(id), 0));
    stream.fin_sent = true;
    if (stream.remote_ended) {
      erase(stream);
      events_.on_closed(id);
    }
    return kHeaderSize;
  }
  write_header(out.data(), make_header(FrameType::data, 0, wire_id(id), static_cast<std::uint32_t>(n)));
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
