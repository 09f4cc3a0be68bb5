#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>
#include <vector>

#include "libp2p/muxers/yamux/muxer.hpp"
#include "libp2p/security/noise/security.hpp"
#include "libp2p/upgrade/connection_engine.hpp"

namespace {

using namespace libp2p;

class User : public ConnectionEvents {
 public:
  void on_ready() override {
    if (++ready > 1) std::abort();
  }
  void on_stream_opened(StreamId id, const std::string&, bool inbound) override {
    if (inbound && !known.insert(id).second) std::abort();
  }
  void on_stream_data(StreamId id, ByteView data) override {
    if (!known.contains(id) || data.empty()) std::abort();
    engine->consume(id, data.size());
    if (data[0] % 16 == 1) {
      engine->reset(id);
      known.erase(id);
    } else {
      engine->send(id, data);
    }
  }
  void on_stream_end(StreamId id) override {
    if (!known.contains(id)) std::abort();
    engine->close_write(id);
  }
  void on_stream_reset(StreamId id, const Error&) override {
    if (known.erase(id) != 1) std::abort();
  }
  void on_stream_writable(StreamId id) override {
    if (!known.contains(id)) std::abort();
  }
  void on_stream_closed(StreamId id) override {
    if (known.erase(id) != 1) std::abort();
  }

  std::optional<ConnectionEngine> engine;
  std::set<StreamId> known;
  int ready = 0;
};

const Now kStart{MonoTime(Seconds(1)), UnixTime(Seconds(1))};

struct End {
  End(Role role, const crypto::PrivateKey& key, std::uint64_t seed, bool several = false) : rng(seed) {
    ConnectionConfig config;
    std::vector<SecurityFactory> securities = {noise::security()};
    std::vector<MuxerKind> muxers = {yamux::muxer()};
    if (several) {
      securities.push_back(noise::security());
      securities.back().id = "/other";
      muxers.push_back(yamux::muxer());
      muxers.back().id = "/other";
    }
    config.kinds = ConnectionKinds::make(securities, muxers, key, rng).value();
    config.accepts_protocol = [](std::string_view protocol) { return protocol == "/echo"; };
    user.engine.emplace(role, std::move(config), user, kStart, rng);
  }
  SeededRng rng;
  User user;
  Bytes wire;
};

// Moves at most `room` bytes and lets the receiver see at most `part` of what waits.
bool move(End& from, End& to, std::size_t room, std::size_t part) {
  Bytes out(std::max(room, ConnectionEngine::kMinTransmit));
  out.resize(from.user.engine->poll_transmit(out, kStart));
  append(to.wire, out);
  const auto taken = to.user.engine->on_bytes(MutableBytes(to.wire).first(std::min(part, to.wire.size())), kStart);
  if (!taken) return false;
  to.wire.erase(to.wire.begin(), to.wire.begin() + static_cast<std::ptrdiff_t>(*taken));
  return true;
}

void act(End& end, std::uint8_t what, std::uint8_t argument) {
  auto& engine = *end.user.engine;
  auto& known = end.user.known;
  if (what % 4 == 0) {
    const auto opened = engine.open_stream(
        argument % 2 == 0 ? std::vector<std::string>{"/echo"} : std::vector<std::string>{"/no", "/echo"}, kStart);
    if (opened) known.insert(*opened);
    return;
  }
  if (known.empty()) return;
  const StreamId id = *std::next(known.begin(), argument % static_cast<std::ptrdiff_t>(known.size()));
  if (what % 4 == 1) {
    engine.send(id, Bytes(argument * 40U, argument));
  } else if (what % 4 == 2) {
    engine.close_write(id);
  } else {
    engine.reset(id);
    known.erase(id);
  }
}

// Raw bytes of a peer that never proves anything.
void attack(Role role, const crypto::PrivateKey& key, ByteView in, bool several) {
  End end(role, key, 3, several);
  Bytes copy(in.begin(), in.end());
  std::size_t at = 0;
  while (at < copy.size()) {
    const auto taken = end.user.engine->on_bytes(MutableBytes(copy).subspan(at), kStart);
    end.user.engine->check();
    if (!taken || *taken == 0) break;
    at += *taken;
  }
  if (end.user.ready != 0) std::abort();
}

}  // namespace

// The first half of the purpose: raw bytes to each role. The second: a script for two engines back to back, in which a
// byte cuts the wire, acts on a stream or flips a bit on the way.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  SeededRng keys(1);
  const auto one = crypto::PrivateKey::generate(crypto::KeyType::ed25519, keys).value();
  const auto two = crypto::PrivateKey::generate(crypto::KeyType::ed25519, keys).value();
  for (const bool several : {false, true}) {
    attack(Role::dialer, one, ByteView(data, size), several);
    attack(Role::listener, one, ByteView(data, size), several);
  }

  End dialer(Role::dialer, one, 1), listener(Role::listener, two, 2);
  for (int i = 0; i < 4; ++i) {
    move(dialer, listener, 4096, 65600);
    move(listener, dialer, 4096, 65600);
  }
  if (dialer.user.ready != 1 || listener.user.ready != 1) std::abort();
  for (std::size_t at = 0; at + 2 < size; at += 3) {
    auto& end = data[at] % 2 == 0 ? dialer : listener;
    auto& other = data[at] % 2 == 0 ? listener : dialer;
    const std::uint8_t what = data[at] / 2;
    if (what < 60) {
      act(end, what, data[at + 1]);
    } else if (what == 127 && !end.wire.empty()) {
      end.wire[data[at + 1] % end.wire.size()] ^= static_cast<std::uint8_t>(1 << data[at + 2] % 8);
    } else if (!move(end, other, data[at + 1] * 64U, 1 + data[at + 2] * 300U)) {
      break;
    }
    for (const End* each : {&dialer, &listener}) each->user.engine->check();
  }
  for (End* end : {&dialer, &listener}) {
    end->user.engine->abort(Error(Errc::closed, "end"));
    end->user.engine->check();
    if (!end->user.known.empty() || end->user.engine->stream_count() != 0) std::abort();
  }
  return 0;
}
