// The bounds of one Yamux session and what happens at each. They are the defaults of go-yamux v5 where it has one, so
// that a peer who stays within go-libp2p's limits stays within ours.
#pragma once

#include <cstddef>
#include <cstdint>

#include "libp2p/base/time.hpp"

namespace libp2p::yamux {

// Every stream starts with this much credit in each direction; the specification fixes it ("Flow control").
inline constexpr std::uint32_t kInitialWindow = 256 * 1024;

// What is Yamux's alone.
struct Options {
  // Receive credit of one stream: it doubles from kInitialWindow up to this while the reader keeps up within four round
  // trips.
  std::uint32_t max_window = 16 * 1024 * 1024;
  // The round trip counts for that up to this, and it is the shortest that was measured: a peer that answers pings late
  // gets no larger windows for it.
  Nanos max_growth_round_trip = Millis(500);
  // Streams that we opened and the peer has not acknowledged (the specification's backlog); those beyond it wait on our
  // side until earlier ones are, and nothing of them is sent before.
  std::size_t max_unacknowledged = 256;
  // Encoded control frames (acknowledgements, credit, resets, pongs) that wait to be sent. A peer that makes us answer
  // and does not read fills it; then the session ends.
  std::size_t max_control_bytes = 64 * 1024;
  // Pongs among them; a ping beyond it is not answered.
  std::size_t max_queued_pongs = 32;
  // Payload of one data frame that we send.
  std::size_t max_frame_payload = 64 * 1024;
  // A ping goes out this long after the session's start or the last ping (the first one at once: it measures the round
  // trip), and the session ends when neither its answer nor anything else has come for the timeout. Zero: no pings.
  Nanos keep_alive_interval = Seconds(30);
  Nanos keep_alive_timeout = Seconds(10);
  // A ping is answered within this whatever else comes meanwhile.
  Nanos keep_alive_longest = Seconds(120);
};

// And what every multiplexer bounds.
struct Limits : Options {
  // Bytes delivered but not yet consumed, over all streams. Windows do not grow beyond it together, and a stream whose
  // data would exceed it is reset.
  std::size_t max_receive_memory = 64 * 1024 * 1024;
  // Streams over the whole life of a session, of both sides: the serial number in a stream's id has 32 bits. A peer
  // that opens one more ends the session, and open() refuses it.
  std::uint32_t max_streams_ever = 0xffff'ffff;
  // Streams of the peer that live at the same time; one more is answered with a reset.
  std::size_t max_inbound_streams = 1000;
  // Streams that we opened and that live at the same time; open() refuses one more.
  std::size_t max_outbound_streams = 4096;
  // Bytes queued for sending on one stream: a copy takes what fits, a shared message is taken while the queue is below
  // it.
  std::size_t max_send_queue = 256 * 1024;
  // A queue that was full asks for more when it falls to this.
  std::size_t send_low_water = 64 * 1024;
};

}  // namespace libp2p::yamux
