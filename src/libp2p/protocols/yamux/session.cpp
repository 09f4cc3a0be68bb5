#include "libp2p/protocols/yamux/session.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <utility>
#include <vector>

namespace libp2p::yamux {
namespace {

std::string describe(const Header& header) {
  return "frame of type " + std::to_string(header.type) + ", flags " + std::to_string(header.flags) + ", stream " +
         std::to_string(header.stream_id) + ", length " + std::to_string(header.length);
}

// What a go-away of the peer means for us: closed when it ends in order, reset when it blames us or itself.
Error go_away_error(std::uint32_t code) {
  const auto closed = [](std::string_view why) {
    return Error(Errc::closed, "the peer closed the connection: " + std::string(why));
  };
  switch (static_cast<GoAwayCode>(code)) {
    case GoAwayCode::normal: return Error(Errc::closed, "the peer has gone away");
    case GoAwayCode::resource_limit: return closed("it has reached a limit of its resources");
    case GoAwayCode::rate_limited: return closed("we came too often for it");
    case GoAwayCode::supplanted: return closed("another connection replaces this one");
    case GoAwayCode::garbage_collected: return closed("it has too many connections and trimmed this one");
    case GoAwayCode::shutdown: return closed("it shuts down");
    case GoAwayCode::gated: return closed("it blocks us");
    default: break;
  }
  char text[16];
  std::snprintf(text, sizeof(text), "0x%x", static_cast<unsigned>(code));
  return Error(Errc::reset, "the peer has gone away with code " + std::string(text));
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

void Session::set_now(Now now) {
  OPP2P_ASSERT(now.mono >= now_.mono, "the time of timers never goes back", now.mono, now_.mono);
  now_ = now;
}

// ---- input ----

Result<void> Session::on_bytes(ByteView in, Now now) {
  const Entry entry(entered_, "on_bytes is not called inside an event");
  if (failed_) return Error(Errc::closed, "the Yamux session has ended");
  set_now(now);
  if (!in.empty()) last_input_ = now.mono;
  while (!in.empty()) {
    if (frame_left_ > 0) {
      OPP2P_ASSERT(partial_size_ == 0, "a header begins only behind the payload of the frame before", partial_size_);
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
      OPP2P_TRYV(on_header(read_header(partial_header_)));
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
    case static_cast<std::uint8_t>(FrameType::window_update): return on_stream_header(header);
    case static_cast<std::uint8_t>(FrameType::ping): on_ping(header); return {};
    case static_cast<std::uint8_t>(FrameType::go_away): return on_go_away(header.length);
    default: return fail(GoAwayCode::protocol_error, Error(Errc::malformed, "unknown Yamux " + describe(header)));
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
  if (header.has(kAck) && !stream.inbound && !stream.acknowledged && !stream.waiting) {
    stream.acknowledged = true;
    OPP2P_ASSERT(unacknowledged_ > 0, "a stream that waits for its acknowledgement is counted", stream.id);
    --unacknowledged_;
    open_waiting();
  }
  if (is_data) return on_data_header(header, stream);
  const StreamId id = stream.id;
  if (header.has(kRst)) {
    erase(stream);
    events_.on_reset(id, Error(Errc::reset, "the peer reset the stream"));
    return {};
  }
  // More credit than 32 bits can say is no use to anybody, but no harm either.
  stream.send_credit =
      std::min<std::uint64_t>(stream.send_credit + header.length, std::numeric_limits<std::uint32_t>::max());
  update_ready(stream);
  if (header.has(kFin)) on_fin(id);
  return {};
}

Result<void> Session::on_syn(const Header& header) {
  const std::uint32_t theirs = side_ == Side::client ? 0 : 1;
  if (header.stream_id == 0 || header.stream_id % 2 != theirs)
    return fail(GoAwayCode::protocol_error,
                Error(Errc::malformed, "the peer opens a stream with an id of ours: Yamux " + describe(header)));
  if (streams_.contains(header.stream_id))
    return fail(GoAwayCode::protocol_error,
                Error(Errc::malformed, "the peer opens a stream that is open: Yamux " + describe(header)));
  if (going_away_ || inbound_ >= limits_.max_inbound_streams) {
    ++counters_.refused_streams;
    push_control(make_header(FrameType::window_update, kRst, header.stream_id, 0));
    return {};
  }
  if (next_serial_ > limits_.max_streams_ever) return fail(GoAwayCode::resource_limit, serials_used_up());
  events_.on_inbound_stream(insert(header.stream_id, true).id);
  return {};
}

Result<void> Session::on_data_header(const Header& header, Stream& stream) {
  if (header.length > stream.receive_credit)
    return fail(GoAwayCode::protocol_error, Error(Errc::too_large, "the peer sends more than its credit of " +
                                                                       std::to_string(stream.receive_credit) +
                                                                       " bytes: Yamux " + describe(header)));
  OPP2P_ASSERT(frame_left_ == 0 && frame_stream_ == 0, "a frame begins when the one before has ended", frame_left_,
               frame_stream_);
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
  } else if (!stream.reading_stopped && unconsumed_ + header.length > limits_.max_receive_memory) {
    ++counters_.memory_resets;
    frame_stream_ = 0;
    reset(id);
    events_.on_reset(id, Error(Errc::exhausted, "more than " + std::to_string(limits_.max_receive_memory) +
                                                    " bytes of this connection wait to be read"));
  } else if (header.length == 0) {
    finish_frame();
  } else if (!stream.reading_stopped) {
    // Counted before it arrives, so that credit and unread bytes together never exceed the window.
    stream.unconsumed += header.length;
    unconsumed_ += header.length;
    OPP2P_ASSERT(stream.receive_credit + stream.unconsumed <= stream.window,
                 "credit and unread bytes together never exceed the window", stream.receive_credit, stream.unconsumed,
                 stream.window);
    OPP2P_ASSERT(unconsumed_ <= limits_.max_receive_memory, "unread bytes stay within the bound of the connection",
                 unconsumed_, limits_.max_receive_memory);
  }
  return {};
}

void Session::on_payload(ByteView part) {
  // Skipped, or reset by the user while the frame came in.
  const Stream* stream = frame_stream_ == 0 ? nullptr : find(frame_stream_);
  if (stream == nullptr || stream->reading_stopped) return;
  OPP2P_ASSERT(!part.empty() && !stream->remote_ended, "data is never empty and never follows the end", part,
               stream->id);
  events_.on_data(frame_stream_, part);
}

void Session::finish_frame() {
  const StreamId id = std::exchange(frame_stream_, 0);
  if (id != 0 && frame_.has(kFin)) on_fin(id);
}

void Session::on_fin(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->remote_ended) return;
  OPP2P_ASSERT(frame_left_ == 0, "the end comes when all data before it has been delivered", frame_left_, id);
  stream->remote_ended = true;
  if (!stream->reading_stopped) events_.on_end(id);
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
    OPP2P_ASSERT(queued_pongs_ <= limits_.max_queued_pongs, "pongs that wait are bounded", queued_pongs_);
    push_control(make_header(FrameType::ping, kAck, 0, header.length));
  } else if (ping_sent_ && header.length == ping_value_) {
    OPP2P_ASSERT(*ping_sent_ <= now_.mono, "an answer comes after its ping", *ping_sent_, now_.mono);
    round_trip_ = now_.mono - *ping_sent_;
    shortest_round_trip_ = std::min(*round_trip_, shortest_round_trip_.value_or(*round_trip_));
    ping_sent_.reset();
  }
}

// go-yamux ends the session on every go-away, the normal one too, so nothing on it has a future.
Error Session::on_go_away(std::uint32_t code) {
  Error error = go_away_error(code);
  end(error);
  return error;
}

// ---- ends ----

Error Session::fail(GoAwayCode code, Error error) {
  OPP2P_ASSERT(!failed_, "a session fails once");
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
  const Entry entry(entered_, "abort is not called inside an event");
  end(reason);
}

void Session::end(const Error& reason) {
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
  OPP2P_ASSERT(streams_.empty() && unconsumed_ == 0 && grown_ == 0, "a session that has ended has no streams", streams_,
               unconsumed_, grown_);
}

void Session::go_away(GoAwayCode reason) {
  if (std::exchange(going_away_, true)) return;
  go_away_reason_ = reason;
}

// ---- time ----

void Session::send_ping() {
  OPP2P_ASSERT(!ping_sent_, "one ping is under way at most");
  ping_sent_ = now_.mono;
  push_control(make_header(FrameType::ping, kSyn, 0, ++ping_value_));
  next_ping_ = now_.mono + limits_.keep_alive_interval;
}

std::optional<MonoTime> Session::next_deadline() const {
  if (failed_ || limits_.keep_alive_interval <= Nanos(0)) return std::nullopt;
  if (ping_sent_)
    return std::min(std::max(*ping_sent_, last_input_) + limits_.keep_alive_timeout,
                    *ping_sent_ + limits_.keep_alive_longest);
  return next_ping_;
}

Result<void> Session::on_timeout(Now now) {
  const Entry entry(entered_, "on_timeout is not called inside an event");
  const auto deadline = next_deadline();
  if (!deadline || now.mono < *deadline) return {};
  set_now(now);
  if (ping_sent_)
    return fail(GoAwayCode::internal_error, Error(Errc::timed_out, "the peer has not answered a Yamux ping"));
  send_ping();
  return {};
}

}  // namespace libp2p::yamux
