#include "libp2p/protocols/yamux/frame.hpp"
#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

namespace {

void append_frame(Bytes& script, yamux::FrameType type, std::uint16_t flags, std::uint32_t id, ByteView data,
                  std::uint32_t length) {
  Bytes frame(yamux::kHeaderSize);
  yamux::write_header(yamux::header_in(MutableBytes(frame)), yamux::make_header(type, flags, id, length));
  append(frame, data);
  script.push_back(static_cast<std::uint8_t>(110 + frame.size()));  // the target's step "this many bytes from the peer"
  append(script, frame);
}

}  // namespace

void make_corpus(Corpus& corpus) {
  using yamux::FrameType;
  const Bytes data(40, 9);
  Bytes script{0};  // the server's side
  append_frame(script, FrameType::window_update, yamux::kSyn, 1, {}, 0);
  append_frame(script, FrameType::data, 0, 1, data, 40);
  append(script, Bytes{1, 20, 6, 255, 5, 1});  // send, pull, consume
  append_frame(script, FrameType::ping, yamux::kSyn, 0, {}, 77);
  append_frame(script, FrameType::window_update, 0, 1, {}, 100'000);
  append_frame(script, FrameType::data, yamux::kFin, 1, {}, 0);
  append_frame(script, FrameType::data, yamux::kSyn, 3, data, 40);
  append_frame(script, FrameType::window_update, yamux::kRst, 3, {}, 0);
  append(script, Bytes{3, 0, 105});  // close, time
  append_frame(script, FrameType::go_away, 0, 0, {}, 0);
  corpus.save("server", script);
  Bytes client{1};
  append(client, Bytes{0, 0, 1, 9, 6, 255});
  append_frame(client, FrameType::window_update, yamux::kAck, 1, {}, 0);
  append_frame(client, FrameType::data, yamux::kFin, 1, data, 40);
  append(client, Bytes{4, 0, 6, 200});
  corpus.save("client", client);
  corpus.save_scripts({200, 800});
}

}  // namespace libp2p::fuzzing
