// For the tests of this folder: an actor that notes what it is told, in a world of a few members.
#pragma once

#include <gtest/gtest.h>

#include "libp2p/protocols/gossipsub/frame.hpp"
#include "sim/gossip/world.hpp"

namespace opp2p::sim::gossip::test {

namespace gs = libp2p::gossipsub;

inline const std::string kTopic = "/optimism/10/3/blocks";

// A frame of exactly this size, 100 or more, with one message of it.
inline SharedBytes frame_of_size(std::size_t size) {
  for (std::size_t data = size - 60;; ++data) {
    const std::size_t made = gs::message_frame_size(kTopic, data);
    if (made < size) continue;
    EXPECT_EQ(made, size) << "no frame has this size";
    return gs::SharedMessage::make(kTopic, Bytes(data, 7)).frame();
  }
}

class Probe final : public Actor {
 public:
  struct Receipt {
    MonoTime time{};
    Member from = 0;
    std::size_t size = 0;
  };
  struct Done {
    MonoTime time{};
    std::uint64_t ticket = 0;
    bool done = false;
  };

  explicit Probe(ActorPort& to) : port(to) {}

  bool accepts(Member) override { return lets_in; }
  void on_connected(Member peer, Direction direction) override { connected.emplace_back(peer, direction); }
  void on_dial_failed(Member peer) override { failed.emplace_back(port.now().mono, peer); }
  void on_disconnected(Member peer) override { disconnected.emplace_back(port.now().mono, peer); }
  void on_rpc(Member from, const Wire& wire) override { receipts.push_back({port.now().mono, from, wire.size}); }
  void on_work_done(std::uint64_t ticket, bool done) override { works.push_back({port.now().mono, ticket, done}); }
  std::optional<Wire> next_wire(Member) override {
    if (to_pull.empty()) return std::nullopt;
    SharedBytes frame = std::move(to_pull.back());
    to_pull.pop_back();
    pulled.push_back(port.now().mono);
    return Wire::of(std::move(frame));
  }

  ActorPort& port;
  bool lets_in = true;
  std::vector<std::pair<Member, Direction>> connected;
  std::vector<std::pair<MonoTime, Member>> failed;
  std::vector<std::pair<MonoTime, Member>> disconnected;
  std::vector<Receipt> receipts;
  std::vector<Done> works;
  std::vector<SharedBytes> to_pull;
  std::vector<MonoTime> pulled;
};

// Members that run, each with a Probe, without jitter unless a test says otherwise.
class Probes {
 public:
  explicit Probes(NetParams net = still(), std::uint64_t seed = 1) : world(params(net, seed)) {}

  static NetParams still() {
    NetParams net;
    net.jitter = 0;
    net.least_jitter = Nanos(0);
    return net;
  }
  static WorldParams params(const NetParams& net, std::uint64_t seed) {
    WorldParams out;
    out.seed = seed;
    out.net = net;
    out.check_every = 1;
    return out;
  }
  static MemberSpec spec(Region region = Region::europe_west) {
    MemberSpec out;
    out.role = "probe";
    out.region = region;
    out.cpu = std::nullopt;
    out.make = [](ActorPort& port) { return std::make_unique<Probe>(port); };
    return out;
  }

  Member add(MemberSpec member) {
    const Member index = world.add(std::move(member));
    world.start(index);
    return index;
  }
  Member add(Region region = Region::europe_west) { return add(spec(region)); }
  Probe& probe(Member member) { return static_cast<Probe&>(*world.actor(member)); }
  bool send(Member from, Member to, std::size_t size) {
    bool taken = false;
    world.act(from, [&](Actor& actor) { taken = static_cast<Probe&>(actor).port.send(to, frame_of_size(size)); });
    return taken;
  }
  void run(Nanos duration) {
    world.run_until(world.time() + duration);
    world.check();
  }

  World world;
};

inline Nanos since_start(MonoTime time) { return time.time_since_epoch(); }

}  // namespace opp2p::sim::gossip::test
