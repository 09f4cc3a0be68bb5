// The invariants of a Yamux session, for simulations, fuzzers and tests: every count is made again from the table of
// the streams.
#include <limits>

#include "libp2p/protocols/yamux/session.hpp"

namespace libp2p::yamux {

void Session::check() const {
  OPP2P_CHECK(!entered_, "the session is checked outside of its events");
  for (const auto& [wire, stream] : streams_) check_stream(wire, stream);
  check_totals();
  check_input();
  check_control();
}

void Session::check_stream(std::uint32_t wire, const Stream& stream) const {
  const StreamId id = stream.id;
  OPP2P_CHECK(wire_id(id) == wire && wire != 0, "a stream stands under its id on the wire", id, wire);
  OPP2P_CHECK(id >> 32 > 0 && id >> 32 < next_serial_, "serial numbers only grow", id, next_serial_);
  OPP2P_CHECK((wire % 2 == 1) == (stream.inbound == (side_ == Side::server)), "the client's streams have odd ids", wire,
              stream.inbound);
  OPP2P_CHECK(stream.inbound || wire < next_wire_id_, "ids of ours were given by us", wire, next_wire_id_);
  OPP2P_CHECK(!stream.waiting || (!stream.inbound && !stream.acknowledged && !stream.in_ready),
              "only a stream of ours waits, and nothing of it is sent", id);

  OPP2P_CHECK(
      stream.window >= kInitialWindow && (stream.window == kInitialWindow || stream.window <= limits_.max_window),
      "a window is between the first one and the bound", id, stream.window);
  OPP2P_CHECK(stream.receive_credit + stream.unconsumed <= stream.window,
              "credit and unread bytes together never exceed the window", id, stream.receive_credit, stream.unconsumed,
              stream.window);
  OPP2P_CHECK(stream.send_credit <= std::numeric_limits<std::uint32_t>::max(), "credit stays within 32 bits", id,
              stream.send_credit);
  OPP2P_CHECK(!stream.reading_stopped || stream.unconsumed == 0, "what nobody reads is not counted", id,
              stream.unconsumed);
  OPP2P_CHECK(stream.window_epoch <= now_.mono, "credit was given in the past", id);

  OPP2P_CHECK(!stream.fin_sent || (stream.local_ended && stream.queue.empty()), "nothing is left behind our end", id);
  OPP2P_CHECK(!(stream.fin_sent && stream.remote_ended), "a stream that has ended on both sides is gone", id);
  OPP2P_CHECK(stream.in_ready == stream.sendable(), "exactly the streams with something to send are ready", id,
              stream.in_ready);
  OPP2P_CHECK(!stream.wants_writable || !stream.local_ended, "nobody writes behind the end", id);
  OPP2P_CHECK(!stream.wants_writable || !stream.queue.empty() || limits_.max_send_queue == 0,
              "who waits to write waits for a queue that falls", id);
  stream.queue.check();
}

void Session::check_totals() const {
  std::size_t inbound = 0, outbound = 0, unacknowledged = 0, unconsumed = 0, grown = 0, in_ready = 0, waiting = 0;
  for (const auto& [wire, stream] : streams_) {
    ++(stream.inbound ? inbound : outbound);
    unacknowledged += !stream.inbound && !stream.acknowledged && !stream.waiting ? 1 : 0;
    unconsumed += stream.unconsumed;
    grown += stream.window - kInitialWindow;
    in_ready += stream.in_ready ? 1 : 0;
    waiting += stream.waiting ? 1 : 0;
  }
  OPP2P_CHECK(inbound == inbound_ && inbound <= limits_.max_inbound_streams,
              "the peer's streams are counted and bounded", inbound, inbound_);
  OPP2P_CHECK(outbound == outbound_ && outbound <= limits_.max_outbound_streams, "our streams are counted and bounded",
              outbound, outbound_);
  OPP2P_CHECK(unacknowledged == unacknowledged_ && unacknowledged <= limits_.max_unacknowledged,
              "the peer's backlog is counted and never overdrawn", unacknowledged, unacknowledged_);
  OPP2P_CHECK(unconsumed == unconsumed_ && unconsumed <= limits_.max_receive_memory,
              "unread bytes are counted and bounded", unconsumed, unconsumed_);
  OPP2P_CHECK(grown == grown_ && grown <= limits_.max_receive_memory, "the growth of windows is counted and bounded",
              grown, grown_);
  const std::size_t listed = ready_.check([](const Stream& stream) {
    OPP2P_CHECK(stream.in_ready, "a stream in the list of ready ones says so", stream.id);
  });
  OPP2P_CHECK(listed == in_ready, "each ready stream is in the list once", listed, in_ready);
  StreamId before = 0;
  const std::size_t lined_up = waiting_.check([&before](const Stream& stream) {
    OPP2P_CHECK(stream.waiting && stream.id > before, "streams wait in the order of their opening", stream.id, before);
    before = stream.id;
  });
  OPP2P_CHECK(lined_up == waiting, "each waiting stream is in the list once", lined_up, waiting);
  OPP2P_CHECK(waiting == 0 || unacknowledged >= limits_.max_unacknowledged,
              "a stream waits only for the peer's backlog", waiting, unacknowledged);
  OPP2P_CHECK(!failed_ || streams_.empty(), "a session that has ended has no streams", streams_);
}

void Session::check_input() const {
  OPP2P_CHECK(partial_size_ < kHeaderSize, "a whole header is taken at once", partial_size_);
  OPP2P_CHECK(failed_ || frame_left_ == 0 || partial_size_ == 0, "a header begins behind the payload before",
              frame_left_, partial_size_);
  OPP2P_CHECK(failed_ || frame_stream_ == 0 || frame_left_ > 0, "a frame has a stream while its payload comes in",
              frame_stream_, frame_left_);
  OPP2P_CHECK(last_input_ <= now_.mono, "input came in the past", last_input_, now_.mono);
  OPP2P_CHECK(!ping_sent_ || (*ping_sent_ <= now_.mono && limits_.keep_alive_interval > Nanos(0)),
              "a ping was sent in the past, and only where there are pings", ping_sent_);
  OPP2P_CHECK(round_trip_.has_value() == shortest_round_trip_.has_value() &&
                  (!round_trip_ || *shortest_round_trip_ <= *round_trip_),
              "the shortest round trip is no longer than the last", round_trip_, shortest_round_trip_);
  OPP2P_CHECK(next_deadline().has_value() == (!failed_ && limits_.keep_alive_interval > Nanos(0)),
              "there is a deadline exactly while there are pings");
}

void Session::check_control() const {
  OPP2P_CHECK(
      control_sent_ <= control_.size() && control_sent_ % kHeaderSize == 0 && control_.size() % kHeaderSize == 0,
      "control frames are whole", control_, control_sent_);
  OPP2P_CHECK(control_.empty() || control_sent_ < control_.size(), "what is sent is freed", control_, control_sent_);
  OPP2P_CHECK(waiting_control() <= limits_.max_control_bytes || overflow_ || failed_,
              "control frames are bounded, or the session is about to end", waiting_control());
  std::size_t pongs = 0;
  for (std::size_t at = control_sent_; at < control_.size(); at += kHeaderSize) {
    const Header header = read_header(header_in(ByteView(control_).subspan(at)));
    OPP2P_CHECK(header.version == kVersion && header.type != static_cast<std::uint8_t>(FrameType::data),
                "control frames carry no payload", header.type);
    pongs += header.type == static_cast<std::uint8_t>(FrameType::ping) && header.has(kAck) ? 1 : 0;
  }
  OPP2P_CHECK(pongs <= queued_pongs_ && queued_pongs_ <= limits_.max_queued_pongs, "pongs that wait are bounded", pongs,
              queued_pongs_);
  OPP2P_CHECK(!go_away_sent_ || going_away_ || failed_, "a go-away has a reason");
}

}  // namespace libp2p::yamux
