// The streams of a session and what is sent: opening, queues, and the order of messages. Input and the ends of the
// session are in session.cpp.
#include <algorithm>
#include <utility>

#include "libp2p/protocols/mplex/session.hpp"

namespace libp2p::mplex {
namespace {

// Both sides may use an id on the wire; who opened the stream tells them apart.
std::uint64_t wire_key(std::uint64_t wire_id, bool inbound) { return wire_id << 1 | (inbound ? 1 : 0); }

Flag ours(Flag of_receiver, bool inbound) {
  return static_cast<Flag>(static_cast<std::uint8_t>(of_receiver) + (inbound ? 0 : 1));
}

}  // namespace

// ---- streams ----

Stream* Session::find(StreamId id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : &found->second;
}

Stream* Session::find_wire(const Header& header) {
  const auto found = by_wire_id_.find(wire_key(header.stream_id, header.by_initiator()));
  return found == by_wire_id_.end() ? nullptr : found->second;
}

Stream& Session::insert(std::uint64_t wire_id, bool inbound) {
  OPP2P_ASSERT(wire_id <= kMaxWireId, "an id on the wire leaves room for the flag", wire_id);
  const StreamId id = next_id_++;
  Stream& stream = streams_[id];
  stream.id = id;
  stream.wire_id = wire_id;
  stream.inbound = inbound;
  const bool fresh = by_wire_id_.try_emplace(wire_key(wire_id, inbound), &stream).second;
  OPP2P_ASSERT(fresh, "an id on the wire belongs to one stream of a side at a time", wire_id, inbound);
  ++(inbound ? inbound_ : outbound_);
  return stream;
}

void Session::erase(Stream& stream) {
  if (stream.in_ready) ready_.remove(stream);
  OPP2P_ASSERT((stream.inbound ? inbound_ : outbound_) > 0, "each stream is counted on its side", stream.id);
  OPP2P_ASSERT(unconsumed_ >= stream.unconsumed, "unread bytes of all streams include those of each", unconsumed_,
               stream.unconsumed);
  --(stream.inbound ? inbound_ : outbound_);
  unconsumed_ -= stream.unconsumed;
  by_wire_id_.erase(wire_key(stream.wire_id, stream.inbound));
  streams_.erase(stream.id);
}

Result<StreamId> Session::open() {
  if (failed_ || going_away_) return Error(Errc::closed, "the connection is going away");
  if (outbound_ >= limits_.max_outbound_streams)
    return Error(Errc::exhausted, "there are " + std::to_string(outbound_) + " streams to this peer on one connection");
  if (control_.size() - control_sent_ >= limits_.max_control_frames)
    return Error(Errc::exhausted, "the peer does not read what is queued for it");
  if (next_wire_id_ > kMaxWireId) return Error(Errc::exhausted, "the stream ids of this connection are used up");
  const std::uint64_t wire_id = next_wire_id_++;
  push_control(Flag::new_stream, wire_id);
  return insert(wire_id, false).id;
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
  stream->stopped = true;
  unconsumed_ -= std::exchange(stream->unconsumed, 0);
  update_ready(*stream);
}

void Session::reset(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  if (!failed_) push_control(ours(Flag::reset_receiver, stream->inbound), stream->wire_id);
  erase(*stream);
}

void Session::consume(StreamId id, std::size_t n) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  n = std::min(n, stream->unconsumed);
  OPP2P_ASSERT(unconsumed_ >= n, "unread bytes of all streams include those of each", unconsumed_, n);
  stream->unconsumed -= n;
  unconsumed_ -= n;
}

std::size_t Session::send_queue_bytes(StreamId id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? 0 : found->second.queue.size();
}

// ---- output ----

void Session::push_control(Flag flag, std::uint64_t wire_id) {
  if (control_.size() - control_sent_ >= limits_.max_control_frames) overflow_ = true;
  control_.push_back(wire_id << 3 | static_cast<std::uint64_t>(flag));
}

void Session::update_ready(Stream& stream) {
  if (stream.has_turn() == stream.in_ready) return;
  if (stream.in_ready) {
    ready_.remove(stream);
  } else {
    ready_.push_back(stream);
  }
  stream.in_ready = !stream.in_ready;
}

bool Session::wants_output() const { return !failed_ && (control_sent_ < control_.size() || !ready_.empty()); }

std::size_t Session::poll_output(MutableBytes out) {
  const Entry entry(entered_, "poll_output is not called inside an event");
  std::size_t written = 0;
  while (!failed_) {
    // Always before the next data, because it may hold the opening of that data's stream.
    written += drain_control(out.subspan(written));
    if (control_sent_ < control_.size() || ready_.empty()) break;
    const auto n = write_turn(out.subspan(written), written == 0);
    if (!n) break;
    written += *n;
  }
  return written;
}

std::size_t Session::drain_control(MutableBytes out) {
  std::size_t written = 0;
  for (; control_sent_ < control_.size(); ++control_sent_) {
    const std::uint64_t control = control_[control_sent_];
    const Header header{control >> 3, static_cast<std::uint8_t>(control & 7), 0};
    if (header_size(header) > out.size() - written) break;
    written += write_header(out.subspan(written), header);
  }
  if (control_sent_ == control_.size()) {
    control_ = {};
    control_sent_ = 0;
  } else if (control_sent_ * 2 >= control_.size()) {
    control_.erase(control_.begin(), control_.begin() + static_cast<std::ptrdiff_t>(control_sent_));
    control_sent_ = 0;
  }
  return written;
}

// What the stream whose turn it is has to send: one message, its end, or, when both directions are over, nothing but
// the event. Nothing: it does not fit, or only a crumb of it would.
std::optional<std::size_t> Session::write_turn(MutableBytes out, bool first) {
  constexpr std::size_t kCrumb = 1024;
  Stream& stream = ready_.front();
  const StreamId id = stream.id;
  OPP2P_ASSERT(stream.in_ready && stream.has_turn(), "a stream that is ready has something to send", id);
  std::size_t written = 0;
  if (!stream.queue.empty()) {
    const std::size_t wanted = std::min(stream.queue.size(), limits_.max_frame_payload);
    Header header = make_header(ours(Flag::message_receiver, stream.inbound), stream.wire_id, wanted);
    const std::size_t overhead = header_size(header);
    if (out.size() <= overhead) return std::nullopt;
    header.length = std::min(wanted, out.size() - overhead);
    if (!first && header.length < wanted && header.length < kCrumb) return std::nullopt;
    written = write_header(out, header);
    stream.queue.pop(out.data() + written, header.length);
    written += header.length;
  } else if (!stream.over()) {
    const Header header = make_header(ours(Flag::close_receiver, stream.inbound), stream.wire_id, 0);
    if (out.size() < header_size(header)) return std::nullopt;
    written = write_header(out, header);
    stream.close_sent = true;
  }
  // To the end of the line.
  ready_.remove(stream);
  stream.in_ready = false;
  if (stream.over()) {
    erase(stream);
    events_.on_closed(id);
    return written;
  }
  update_ready(stream);
  if (stream.wants_writable && stream.queue.size() <= limits_.send_low_water) {
    stream.wants_writable = false;
    events_.on_writable(id);
  }
  return written;
}

}  // namespace libp2p::mplex
