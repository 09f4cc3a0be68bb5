// For the tests of sybils: one sybil whose peers exist only as numbers. What it sends is taken through the codec and
// kept, as an honest node would read it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "libp2p/crypto/hash.hpp"
#include "sim/attacks/behaviours.hpp"

namespace opp2p::sim::attacks::test {

using libp2p::Bytes;
using libp2p::Nanos;
using libp2p::Now;
using libp2p::Seconds;
using libp2p::gossipsub::MessageId;
using libp2p::gossipsub::Rpc;

inline const std::string kTopic = "/optimism/10/3/blocks";
inline constexpr auto kAttack = Seconds(30);
inline constexpr auto kEnd = Seconds(90);

inline Now at(Nanos time) { return {libp2p::MonoTime(time), libp2p::UnixTime(time)}; }
inline MessageId id_of(libp2p::ByteView data) {
  return *MessageId::from(libp2p::ByteView(libp2p::crypto::sha256(data)).first(20));
}

// What one peer was sent.
struct Received {
  unsigned subscriptions = 0;
  unsigned grafts = 0;
  std::vector<Bytes> ihave, iwant;
  std::vector<std::string> blocks;
  std::vector<Nanos> times;  // of every RPC
};

class SybilBench final : public SybilWire {
 public:
  explicit SybilBench(Sybil::Behaviours behaviours, Nanos now = kAttack)
      : plot_({kTopic,
               {libp2p::MonoTime(kAttack), libp2p::MonoTime(kEnd)},
               id_of,
               [this](libp2p::Rng&, Now) { return libp2p::to_bytes("bad " + std::to_string(++bad_blocks_)); },
               [](libp2p::ByteView data) { return libp2p::as_text(data).starts_with("victim"); }}),
        rng_(1),
        sybil(plot_, *this, rng_, std::move(behaviours)),
        now_(now) {}

  void connect(Member peer) { sybil.on_connected(peer, at(now_)); }
  void deliver(Member from, const Rpc& rpc) {
    const auto frame = libp2p::gossipsub::encode_frame(rpc);
    const auto decoded = libp2p::gossipsub::decode_frame(frame, {});
    ASSERT_TRUE(decoded) << decoded.error().message();
    sybil.on_rpc(from, *decoded, at(now_));
    sybil.check();
  }
  // Connected, and in the topic.
  void add(Member peer) {
    connect(peer);
    Rpc rpc;
    rpc.subscriptions.push_back({true, kTopic, {}, {}});
    deliver(peer, rpc);
  }
  void graft(Member from) {
    Rpc rpc;
    rpc.control.emplace().graft.push_back({kTopic});
    deliver(from, rpc);
  }
  void prune(Member from) {
    Rpc rpc;
    rpc.control.emplace().prune.push_back({kTopic, {}, 60});
    deliver(from, rpc);
  }
  void block(Member from, const std::string& data) {
    Rpc rpc;
    rpc.publish.push_back(libp2p::gossipsub::anonymous_message(kTopic, libp2p::as_bytes(data)));
    deliver(from, rpc);
  }
  void iwant(Member from, const std::string& data) {
    const auto id = id_of(libp2p::as_bytes(data));
    Rpc rpc;
    rpc.control.emplace().iwant.push_back({{id.bytes()}});
    deliver(from, rpc);
  }
  // Time passes, with every deadline on its way.
  void pass(Nanos time) {
    const Nanos until = now_ + time;
    for (auto due = sybil.next_deadline(); due && *due <= libp2p::MonoTime(until); due = sybil.next_deadline()) {
      now_ = std::max(now_, due->time_since_epoch());
      sybil.on_timeout(at(now_));
    }
    now_ = until;
  }
  Nanos now() const { return now_; }
  Received& to(Member peer) { return received_[peer]; }
  Plot& plot() { return plot_; }

  void send(Member peer, libp2p::SharedBytes frame) override { read(peer, std::move(frame)); }

 private:
  void read(Member peer, libp2p::SharedBytes frame) {
    const auto rpc = libp2p::gossipsub::decode_frame(std::move(frame), {});
    ASSERT_TRUE(rpc) << rpc.error().message();
    Received& into = received_[peer];
    into.times.push_back(now_);
    into.subscriptions += static_cast<unsigned>(rpc->subscriptions.size());
    for (const auto& message : rpc->publish) {
      EXPECT_EQ(message.topic, kTopic);
      into.blocks.emplace_back(libp2p::as_text(*message.data));
    }
    if (!rpc->control) return;
    into.grafts += static_cast<unsigned>(rpc->control->graft.size());
    for (const auto& ihave : rpc->control->ihave)
      for (const auto& id : ihave.ids) into.ihave.push_back(libp2p::to_bytes(id));
    for (const auto& iwant : rpc->control->iwant)
      for (const auto& id : iwant.ids) into.iwant.push_back(libp2p::to_bytes(id));
  }

  unsigned bad_blocks_ = 0;
  Plot plot_;
  libp2p::SeededRng rng_;

 public:
  Sybil sybil;

 private:
  Nanos now_;
  std::map<Member, Received> received_;
};

template <class B, class... Arguments>
Sybil::Behaviours only(Arguments&&... arguments) {
  Sybil::Behaviours out;
  out.push_back(std::make_unique<B>(std::forward<Arguments>(arguments)...));
  return out;
}

}  // namespace opp2p::sim::attacks::test
