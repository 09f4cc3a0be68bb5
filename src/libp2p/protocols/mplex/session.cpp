#include "libp2p/protocols/mplex/session.hpp"

#include <algorithm>
#include <utility>

namespace libp2p::mplex {

Session::Session(const Limits& limits, SessionEvents& events) : limits_(limits), events_(events) {}

Session::~Session() = default;

Result<void> Session::on_bytes(ByteView in) {
  const Entry entry(entered_, "on_bytes is not called inside an event");
  if (failed_) return Error(Errc::closed, "the Mplex session has ended");
  while (!in.empty()) {
    if (!in_frame_) {
      auto taken = take_header(in);
      if (!taken) return fail(std::move(taken).error());
      in = in.subspan(*taken);
      if (!in_frame_) break;
    }
    OPP2P_ASSERT(partial_size_ == 0, "a header begins only behind the data of the message before", partial_size_);
    const auto part = in.first(std::min(frame_left_, in.size()));
    frame_left_ -= part.size();
    in = in.subspan(part.size());
    if (!part.empty()) on_payload(part);
    if (frame_left_ == 0) OPP2P_TRYV(finish_frame());
    if (overflow_) return fail(Error(Errc::exhausted, "the peer makes us answer more than it reads"));
  }
  return {};
}

// Answers how much of `in` it took: all of it while the header is not whole.
Result<std::size_t> Session::take_header(ByteView in) {
  const std::size_t known = partial_size_;
  OPP2P_ASSERT(!in_frame_ && known < partial_header_.size(), "a header that is not whole is shorter than the longest",
               known);
  ByteView header = in;
  std::size_t added = in.size();
  if (known > 0) {
    added = std::min(in.size(), partial_header_.size() - known);
    std::copy_n(in.begin(), added, partial_header_.begin() + static_cast<std::ptrdiff_t>(known));
    header = ByteView(partial_header_).first(known + added);
  }
  const auto read = read_header(header);
  if (read) {
    OPP2P_ASSERT(read->size > known, "a header that was not whole ends in the new bytes", read->size, known);
    partial_size_ = 0;
    begin_frame(read->header);
    return read->size - known;
  }
  if (read.error() != Errc::truncated) return read.error();
  OPP2P_ASSERT(known + added < partial_header_.size(), "a header that is not whole has less than kMaxReadHeader bytes",
               known, added);
  if (known == 0) std::copy_n(in.begin(), added, partial_header_.begin());
  partial_size_ = known + added;
  return added;
}

void Session::begin_frame(const Header& header) {
  in_frame_ = true;
  frame_ = header;
  frame_left_ = header.length;
  frame_stream_ = 0;
  if (header.flag == static_cast<std::uint8_t>(Flag::new_stream)) return;
  Stream* stream = find_wire(header);
  if (stream == nullptr) {
    ++counters_.late_frames;
    return;
  }
  const bool is_message = header.flag == static_cast<std::uint8_t>(Flag::message_receiver) ||
                          header.flag == static_cast<std::uint8_t>(Flag::message_initiator);
  if (is_message && stream->remote_ended && header.length > 0)
    return reset_with(*stream, Error(Errc::malformed, "the peer sent data after the end of the stream"));
  frame_stream_ = stream->id;
}

void Session::on_payload(ByteView part) {
  const bool is_message = frame_.flag == static_cast<std::uint8_t>(Flag::message_receiver) ||
                          frame_.flag == static_cast<std::uint8_t>(Flag::message_initiator);
  if (!is_message) return;  // a name, or what nobody should have put there
  Stream* stream = frame_stream_ == 0 ? nullptr : find(frame_stream_);
  if (stream == nullptr || stream->stopped) {
    counters_.skipped_bytes += part.size();
    return;
  }
  const bool of_stream = stream->unconsumed + part.size() > limits_.max_stream_unread;
  if (of_stream || unconsumed_ + part.size() > limits_.max_receive_memory) {
    ++counters_.unread_resets;
    counters_.skipped_bytes += part.size();
    return reset_with(*stream,
                      Error(Errc::exhausted,
                            of_stream ? "more than " + std::to_string(limits_.max_stream_unread) +
                                            " bytes of this stream wait to be read, and Mplex cannot hold the peer back"
                                      : "more than " + std::to_string(limits_.max_receive_memory) +
                                            " bytes of this connection wait to be read"));
  }
  OPP2P_ASSERT(!stream->remote_ended, "data never follows the end", stream->id);
  stream->unconsumed += part.size();
  unconsumed_ += part.size();
  events_.on_data(frame_stream_, part);
}

// The message is whole: what it does besides carrying data.
Result<void> Session::finish_frame() {
  OPP2P_ASSERT(in_frame_ && frame_left_ == 0, "a message ends once, when all of it has come", frame_left_);
  in_frame_ = false;
  const StreamId id = std::exchange(frame_stream_, 0);
  if (frame_.flag == static_cast<std::uint8_t>(Flag::new_stream)) return on_new_stream();
  Stream* stream = id == 0 ? nullptr : find(id);
  if (stream == nullptr) return {};  // gone, perhaps while the message came in
  switch (static_cast<Flag>(frame_.flag)) {
    case Flag::new_stream:
    case Flag::message_receiver:
    case Flag::message_initiator: break;
    case Flag::close_receiver:
    case Flag::close_initiator: on_close(id); break;
    case Flag::reset_receiver:
    case Flag::reset_initiator:
      erase(*stream);
      events_.on_reset(id, Error(Errc::reset, "the peer reset the stream"));
      break;
    default:  // as go-mplex
      reset_with(*stream, Error(Errc::malformed, "an Mplex message with the flag " + std::to_string(frame_.flag)));
  }
  return {};
}

Result<void> Session::on_new_stream() {
  if (find_wire(frame_) != nullptr)
    return fail(Error(Errc::malformed,
                      "the peer opens a stream that is open: Mplex stream " + std::to_string(frame_.stream_id)));
  if (going_away_ || inbound_ >= limits_.max_inbound_streams) {
    ++counters_.refused_streams;
    push_control(Flag::reset_receiver, frame_.stream_id);
    return {};
  }
  events_.on_inbound_stream(insert(frame_.stream_id, true).id);
  return {};
}

void Session::on_close(StreamId id) {
  Stream* stream = find(id);
  if (stream->remote_ended) return;
  stream->remote_ended = true;
  if (!stream->stopped) events_.on_end(id);
  stream = find(id);
  if (stream == nullptr || !stream->close_sent) return;
  erase(*stream);
  events_.on_closed(id);
}

// A bound or the peer's fault ends the stream: both are told.
void Session::reset_with(Stream& stream, const Error& error) {
  const StreamId id = stream.id;
  reset(id);
  events_.on_reset(id, error);
}

// ---- ends ----

Error Session::fail(Error error) {
  OPP2P_ASSERT(!failed_, "a session fails once");
  end(error);
  return error;
}

void Session::abort(const Error& reason) {
  const Entry entry(entered_, "abort is not called inside an event");
  end(reason);
}

void Session::end(const Error& reason) {
  control_ = {};
  control_sent_ = 0;
  if (std::exchange(failed_, true)) return;
  std::vector<StreamId> ids;
  ids.reserve(streams_.size());
  for (const auto& [id, stream] : streams_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  for (const StreamId id : ids) {
    Stream* stream = find(id);
    if (stream == nullptr) continue;  // the user reset it in an event
    erase(*stream);
    events_.on_reset(id, reason);
  }
  OPP2P_ASSERT(streams_.empty() && by_wire_id_.empty() && unconsumed_ == 0, "a session that has ended has no streams",
               streams_, unconsumed_);
}

}  // namespace libp2p::mplex
