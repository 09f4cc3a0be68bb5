// The invariants of an Mplex session, for simulations, fuzzers and tests: every count is made again from the table of
// the streams.
#include "libp2p/protocols/mplex/session.hpp"

namespace libp2p::mplex {

void Session::check() const {
  OPP2P_CHECK(!entered_, "the session is checked outside of its events");
  for (const auto& [id, stream] : streams_) check_stream(id, stream);
  check_totals();
  OPP2P_CHECK(failed_ || partial_size_ < kMaxReadHeader, "a header that is not whole is shorter than the longest",
              partial_size_);
  OPP2P_CHECK(failed_ || !in_frame_ || (partial_size_ == 0 && frame_left_ > 0),
              "a message that is being read has data to come and no header beside it", frame_left_, partial_size_);
  OPP2P_CHECK(failed_ || in_frame_ || frame_stream_ == 0, "a message has a stream while it comes in", frame_stream_);
  OPP2P_CHECK(control_sent_ <= control_.size() && (control_.empty() || control_sent_ < control_.size()),
              "what is sent is freed", control_, control_sent_);
  OPP2P_CHECK(control_.size() - control_sent_ <= limits_.max_control_frames || overflow_,
              "openings and resets that wait are bounded, or the session is about to end", control_, control_sent_);
}

void Session::check_stream(StreamId id, const Stream& stream) const {
  OPP2P_CHECK(stream.id == id && id > 0 && id < next_id_, "ids only grow", id, next_id_);
  const auto known = by_wire_id_.find(stream.wire_id << 1 | (stream.inbound ? 1 : 0));
  OPP2P_CHECK(known != by_wire_id_.end() && known->second == &stream, "a stream stands under its id on the wire", id,
              stream.wire_id);
  OPP2P_CHECK(stream.inbound || stream.wire_id < next_wire_id_, "ids of ours were given by us", id, stream.wire_id);
  OPP2P_CHECK(stream.unconsumed <= limits_.max_stream_unread, "unread bytes of a stream are bounded", id,
              stream.unconsumed);
  OPP2P_CHECK(!stream.stopped || stream.unconsumed == 0, "what nobody reads is not counted", id, stream.unconsumed);
  OPP2P_CHECK(!stream.close_sent || (stream.local_ended && stream.queue.empty()), "nothing is left behind our end", id);
  OPP2P_CHECK(!(stream.close_sent && stream.remote_ended), "a stream that has ended on both sides is gone", id);
  OPP2P_CHECK(stream.in_ready == stream.has_turn(), "exactly the streams with something to send are ready", id,
              stream.in_ready);
  OPP2P_CHECK(!stream.wants_writable || !stream.local_ended, "nobody writes behind the end", id);
  OPP2P_CHECK(!stream.wants_writable || !stream.queue.empty() || limits_.max_send_queue == 0,
              "who waits to write waits for a queue that falls", id);
  stream.queue.check();
}

void Session::check_totals() const {
  std::size_t inbound = 0, outbound = 0, unconsumed = 0, in_ready = 0;
  for (const auto& [id, stream] : streams_) {
    ++(stream.inbound ? inbound : outbound);
    unconsumed += stream.unconsumed;
    in_ready += stream.in_ready ? 1 : 0;
  }
  OPP2P_CHECK(by_wire_id_.size() == streams_.size(), "each stream has one id on the wire", by_wire_id_, streams_);
  OPP2P_CHECK(inbound == inbound_ && inbound <= limits_.max_inbound_streams,
              "the peer's streams are counted and bounded", inbound, inbound_);
  OPP2P_CHECK(outbound == outbound_ && outbound <= limits_.max_outbound_streams, "our streams are counted and bounded",
              outbound, outbound_);
  OPP2P_CHECK(unconsumed == unconsumed_ && unconsumed <= limits_.max_receive_memory,
              "unread bytes are counted and bounded", unconsumed, unconsumed_);
  const std::size_t listed = ready_.check([](const Stream& stream) {
    OPP2P_CHECK(stream.in_ready, "a stream in the list of ready ones says so", stream.id);
  });
  OPP2P_CHECK(listed == in_ready, "each ready stream is in the list once", listed, in_ready);
  OPP2P_CHECK(!failed_ || streams_.empty(), "a session that has ended has no streams", streams_);
}

}  // namespace libp2p::mplex
