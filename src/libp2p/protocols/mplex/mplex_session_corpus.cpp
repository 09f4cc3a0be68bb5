#include "libp2p/protocols/mplex/frame.hpp"
#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

namespace {

void append_frame(Bytes& script, mplex::Flag flag, std::uint64_t id, ByteView data = {}) {
  const mplex::Header header = mplex::make_header(flag, id, data.size());
  Bytes frame(mplex::header_size(header));
  mplex::write_header(frame, header);
  append(frame, data);
  script.push_back(static_cast<std::uint8_t>(110 + frame.size()));  // the target's step "this many bytes from the peer"
  append(script, frame);
}

}  // namespace

void make_corpus(Corpus& corpus) {
  using mplex::Flag;
  const Bytes data(40, 9);
  Bytes script;
  append_frame(script, Flag::new_stream, 0, as_bytes("0"));
  append_frame(script, Flag::message_initiator, 0, data);
  append(script, Bytes{1, 28, 6, 249, 5, 5});  // send, pull, consume
  append_frame(script, Flag::close_initiator, 0);
  append_frame(script, Flag::new_stream, 300);
  append_frame(script, Flag::message_initiator, 300, data);
  append_frame(script, Flag::reset_initiator, 300);
  append(script, Bytes{3, 3, 6, 6});  // close, pull
  append_frame(script, static_cast<Flag>(7), 0, data);
  corpus.save("listener", script);
  Bytes dialer{0, 0, 1, 19, 6, 249};
  append_frame(dialer, Flag::message_receiver, 0, data);
  append_frame(dialer, Flag::close_receiver, 0);
  append(dialer, Bytes{3, 3, 7, 7, 6, 249});
  corpus.save("dialer", dialer);
  Bytes unread;
  append_frame(unread, Flag::new_stream, 1);
  for (int i = 0; i < 9; ++i) append_frame(unread, Flag::message_initiator, 1, data);
  corpus.save("unread", unread);
  corpus.save_scripts({200, 800});
}

}  // namespace libp2p::fuzzing
