// Two connection engines that are connected to each other, for tests. The wire splits the bytes as the test decides.
// The users record all events. Virtual time, no sockets.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/muxers/yamux/muxer.hpp"
#include "libp2p/security/noise/security.hpp"
#include "libp2p/upgrade/connection_engine.hpp"

namespace libp2p::testing_pair {

// A protocol that both sides accept.
inline constexpr char kEcho[] = "/echo/1.0.0";

inline crypto::PrivateKey make_key(std::uint64_t seed, crypto::KeyType type = crypto::KeyType::ed25519) {
  SeededRng rng(seed);
  return crypto::PrivateKey::generate(type, rng).value();
}

inline std::shared_ptr<const ConnectionKinds> make_kinds(const crypto::PrivateKey& key, std::uint64_t seed = 1,
                                                         std::vector<SecurityFactory> securities = {noise::security()},
                                                         std::vector<MuxerKind> muxers = {yamux::muxer()}) {
  SeededRng rng(seed);
  return ConnectionKinds::make(securities, std::move(muxers), key, rng).value();
}

// Records the events of one side. `on_data` and the other hooks run inside the events.
class Recorder : public ConnectionEvents {
 public:
  struct Seen {
    std::string protocol;
    bool inbound = false;
    bool opened = false;
    Bytes data;
    int ends = 0;
    int closed = 0;
    int resets = 0;
    int writable = 0;
    Error error;
  };

  void on_ready() override {
    ++ready;
    if (ready_hook) ready_hook();
  }
  void on_stream_opened(StreamId id, const std::string& protocol, bool inbound) override {
    auto& stream = streams[id];
    EXPECT_FALSE(stream.opened);
    EXPECT_EQ(terminal(stream), 0);
    stream.opened = true;
    stream.protocol = protocol;
    stream.inbound = inbound;
    if (inbound) last_inbound = id;
    if (opened_hook) opened_hook(id);
  }
  void on_stream_data(StreamId id, ByteView data) override {
    auto& stream = streams[id];
    EXPECT_TRUE(stream.opened);
    EXPECT_EQ(stream.ends, 0);
    EXPECT_EQ(terminal(stream), 0);
    EXPECT_FALSE(data.empty());
    append(stream.data, data);
    if (data_hook) {
      data_hook(id, data);
    } else if (consume_at_once) {
      engine->consume(id, data.size());
    }
  }
  void on_stream_end(StreamId id) override {
    EXPECT_TRUE(streams[id].opened);
    EXPECT_EQ(terminal(streams[id]), 0);
    ++streams[id].ends;
    if (end_hook) end_hook(id);
  }
  void on_stream_reset(StreamId id, const Error& error) override {
    EXPECT_EQ(terminal(streams[id]), 0);
    ++streams[id].resets;
    streams[id].error = error;
    if (reset_hook) reset_hook(id);
  }
  void on_stream_writable(StreamId id) override {
    EXPECT_EQ(terminal(streams[id]), 0);
    ++streams[id].writable;
    if (writable_hook) writable_hook(id);
  }
  void on_stream_closed(StreamId id) override {
    EXPECT_EQ(terminal(streams[id]), 0);
    ++streams[id].closed;
    if (closed_hook) closed_hook(id);
  }

  static int terminal(const Seen& seen) { return seen.closed + seen.resets; }

  ConnectionEngine* engine = nullptr;
  bool consume_at_once = true;
  int ready = 0;
  StreamId last_inbound = 0;
  std::map<StreamId, Seen> streams;
  std::function<void()> ready_hook;
  std::function<void(StreamId)> opened_hook, end_hook, reset_hook, writable_hook, closed_hook;
  std::function<void(StreamId, ByteView)> data_hook;
};

inline Now start_time() { return {MonoTime(Seconds(1000)), from_unix_seconds(1'700'000'000)}; }

struct Options {
  ConnectionConfig dialer = {};
  ConnectionConfig listener = {};
  std::uint64_t seed = 1;
  crypto::KeyType dialer_key = crypto::KeyType::secp256k1;
  crypto::KeyType listener_key = crypto::KeyType::ed25519;
};

// One end of a pair: the engine, its user, and the bytes that wait for it.
struct End {
  End(Role role, ConnectionConfig config, const crypto::PrivateKey& key, std::uint64_t seed) : rng(seed) {
    if (!config.kinds) config.kinds = make_kinds(key, seed);
    engine.emplace(role, std::move(config), user, start_time(), rng);
    user.engine = &*engine;
  }

  SeededRng rng;
  Recorder user;
  std::optional<ConnectionEngine> engine;
  Bytes wire;                    // on its way to this end
  std::optional<Error> failure;  // what on_bytes answered
};

class Pair {
 public:
  explicit Pair(Options options = {})
      : dialer_key(make_key(options.seed * 2, options.dialer_key)),
        listener_key(make_key(options.seed * 2 + 1, options.listener_key)),
        dialer(Role::dialer, fill(std::move(options.dialer)), dialer_key, options.seed * 3),
        listener(Role::listener, fill(std::move(options.listener)), listener_key, options.seed * 3 + 1) {}

  // Bytes that one write takes and one read brings; by default as much as there is.
  std::function<std::size_t(std::size_t)> cut = [](std::size_t n) { return n; };
  std::function<void(Bytes&)> tamper_to_listener, tamper_to_dialer;

  void transmit(End& from, End& to, const std::function<void(Bytes&)>& tamper) {
    Bytes out(std::max<std::size_t>(ConnectionEngine::kMinTransmit, cut(room)));
    const std::size_t n = from.engine->poll_transmit(out, now);
    EXPECT_LE(n, out.size());
    out.resize(n);
    if (tamper) tamper(out);
    append(to.wire, out);
  }

  // Presents a part of what waits, and keeps what the engine leaves.
  void receive(End& end) {
    if (end.wire.empty() || end.failure) return;
    std::size_t part = std::clamp<std::size_t>(cut(end.wire.size()), 1, end.wire.size());
    while (true) {
      auto taken = end.engine->on_bytes(MutableBytes(end.wire).first(part), now);
      if (!taken) {
        end.failure = taken.error();
        end.wire.clear();
        return;
      }
      EXPECT_LE(*taken, part);
      EXPECT_LE(part - *taken, end.engine->max_unconsumed());
      end.wire.erase(end.wire.begin(), end.wire.begin() + static_cast<std::ptrdiff_t>(*taken));
      if (*taken > 0 || part == end.wire.size()) return;
      part = std::min(end.wire.size(), part * 2);
    }
  }

  // Moves bytes until nothing moves any more. Bounded.
  void run(int rounds = 100'000) {
    for (int i = 0; i < rounds; ++i) {
      const std::size_t before = dialer.wire.size() + listener.wire.size();
      transmit(dialer, listener, tamper_to_listener);
      transmit(listener, dialer, tamper_to_dialer);
      const bool idle = dialer.wire.size() + listener.wire.size() == before;
      const std::size_t waiting = dialer.wire.size() + listener.wire.size();
      receive(listener);
      receive(dialer);
      const bool stuck = waiting == dialer.wire.size() + listener.wire.size();
      if (idle && stuck && !wants(dialer) && !wants(listener)) return;
    }
    ADD_FAILURE() << "the pair does not come to rest";
  }

  // Lets time pass and both deadlines fire.
  void advance(Nanos by) {
    now = now + by;
    for (End* end : {&dialer, &listener}) {
      const auto deadline = end->engine->next_deadline();
      if (!deadline || *deadline > now.mono) continue;
      if (auto alive = end->engine->on_timeout(now); !alive) end->failure = alive.error();
    }
  }

  static ConnectionConfig fill(ConnectionConfig config) {
    if (!config.accepts_protocol)
      config.accepts_protocol = [](std::string_view protocol) { return protocol == kEcho || protocol == "/b"; };
    return config;
  }

  bool wants(const End& end) const { return end.engine->wants_transmit(); }

  Now now = start_time();
  std::size_t room = 256 * 1024 + 64;
  crypto::PrivateKey dialer_key;
  crypto::PrivateKey listener_key;
  End dialer;
  End listener;
};

inline Bytes pattern(std::size_t n, std::uint64_t seed = 7) {
  SeededRng rng(seed);
  Bytes out(n);
  rng.fill(out);
  return out;
}

}  // namespace libp2p::testing_pair
