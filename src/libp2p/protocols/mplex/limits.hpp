// The bounds of one Mplex session and what happens at each.
#pragma once

#include <cstddef>

namespace libp2p::mplex {

struct Limits {
  // Streams of the peer that live at the same time; one more is answered with a reset.
  std::size_t max_inbound_streams = 1000;
  // Streams that we opened and that live at the same time; open() refuses one more.
  std::size_t max_outbound_streams = 4096;
  // Bytes of one stream delivered and not yet consumed. Mplex cannot hold a sender back, so data beyond it resets the
  // stream, and the connection goes on. As js-libp2p; go-libp2p stalls the connection for 5 s instead, then resets too.
  std::size_t max_stream_unread = 4 * 1024 * 1024;
  // The same over all streams: the stream whose data would exceed it is reset.
  std::size_t max_receive_memory = 64 * 1024 * 1024;
  // Bytes queued for sending on one stream: a copy takes what fits, a shared message is taken while the queue is below
  // it.
  std::size_t max_send_queue = 256 * 1024;
  // A queue that was full asks for more when it falls to this.
  std::size_t send_low_water = 64 * 1024;
  // Openings and resets that wait to be sent, at most ten bytes each. A peer that makes us answer and does not read
  // fills them; then the session ends.
  std::size_t max_control_frames = 8192;
  // Data of one message that we send; the specification allows kMaxMessage. Streams take turns by messages.
  std::size_t max_frame_payload = 64 * 1024;
};

}  // namespace libp2p::mplex
