#include <algorithm>
#include <cstdlib>
#include <vector>

#include "libp2p/protocols/yamux/session.hpp"

namespace {

using namespace libp2p;
using namespace libp2p::yamux;

// Takes notes of the streams, checks the order of events, and calls back into the session from inside them.
class User : public SessionEvents {
 public:
  void on_inbound_stream(StreamId id) override { ids.push_back(id); }
  void on_data(StreamId id, ByteView data) override {
    if (data.empty() || !session->has(id)) std::abort();
    received += data.size();
    if (received % 7 == 0) session->consume(id, data.size());
    if (received % 11 == 0) session->send(id, data);
    if (received % 13 == 0) session->reset(id);
  }
  void on_end(StreamId id) override {
    if (!session->has(id)) std::abort();
    if (id % 3 == 0) session->close_write(id);
  }
  void on_reset(StreamId id, const Error&) override {
    if (session->has(id)) std::abort();
  }
  void on_writable(StreamId id) override { session->send(id, Bytes(100)); }
  void on_closed(StreamId id) override {
    if (session->has(id)) std::abort();
  }

  Session* session = nullptr;
  std::vector<StreamId> ids;
  std::size_t received = 0;
};

// One action of ours, chosen by a byte.
void act(Session& session, User& user, std::uint8_t what, Now now) {
  const StreamId id = user.ids.empty() ? what : user.ids[what % user.ids.size()];
  switch (what % 8) {
    case 0:
      if (const auto opened = session.open(now)) user.ids.push_back(*opened);
      break;
    case 1: session.send(id, Bytes(what * 300U)); break;
    case 2: session.send(id, share(Bytes(what * 50U)), what); break;
    case 3: session.close_write(id); break;
    case 4: session.reset(id); break;
    case 5: session.consume(id, what * 100U); break;
    case 6: {
      Bytes out(13 + what * 20U);
      if (session.poll_output(out, now) > out.size()) std::abort();
      break;
    }
    default:
      if (what == 255) session.go_away();
      break;
  }
}

}  // namespace

// A script: a byte chooses an action of ours or how many of the following bytes the peer sends.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Limits limits;
  limits.max_inbound_streams = 20;
  limits.max_outbound_streams = 256;
  limits.max_receive_memory = 1 << 20;
  limits.max_control_bytes = 4096;
  User user;
  Now now{MonoTime(Seconds(1)), UnixTime(Seconds(1))};
  Session session(data[0] % 2 == 0 ? Side::server : Side::client, limits, user, now);
  user.session = &session;
  for (std::size_t at = 1; at < size;) {
    const std::uint8_t step = data[at++];
    if (step < 100) {
      act(session, user, at < size ? data[at++] : step, now);
    } else if (step < 110) {
      now = now + Seconds(step - 99);
      if (!session.on_timeout(now)) break;
    } else {
      const std::size_t n = std::min<std::size_t>(size - at, step - 110);
      const auto result = session.on_bytes(ByteView(data + at, n), now);
      at += n;
      if (!result != session.failed()) std::abort();
      if (!result) break;
    }
    session.check();
  }
  if (session.failed() && session.stream_count() != 0) std::abort();
  session.check();
  session.abort(Error(Errc::closed, "end"));
  session.check();
  if (session.stream_count() != 0 || session.unconsumed_bytes() != 0 || session.wants_output()) std::abort();
  return 0;
}
