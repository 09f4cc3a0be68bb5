// Random use of the host's pure tables, which are checked after each step: every count, order and bound holds whatever
// is asked in which order.
#include <gtest/gtest.h>

#include <algorithm>

#include "libp2p/host/connection_manager.hpp"
#include "libp2p/host/connection_rates.hpp"
#include "libp2p/host/peerstore.hpp"

namespace libp2p {
namespace {

PeerId numbered_peer(std::uint64_t n) {
  return PeerId::from_bytes(Bytes{0x00, 0x01, static_cast<std::uint8_t>(n)}).value();
}
Multiaddr numbered_address(std::uint64_t n) {
  return Multiaddr::from_text("/ip4/10.0.0." + std::to_string(n) + "/tcp/9222").value();
}
AddressBlocks blocks(std::uint64_t n) {
  if (n % 3 == 0) return {};
  return {Bytes{10, static_cast<std::uint8_t>(n % 4)}, n % 3 == 1 ? Bytes{10} : Bytes{}};
}
std::string text(Rng& rng) { return std::string(rng.below(60), 'x'); }

class PeerstoreUse {
 public:
  explicit PeerstoreUse(std::uint64_t seed) : rng_(seed), memory_(seed % 2 == 0 ? 6000 : 1 << 20) {}

  void step() {
    const PeerId peer = numbered_peer(rng_.below(16));
    switch (rng_.below(14)) {
      case 0: {
        const Seconds life(1 + rng_.below(4000));
        return store_.add_address(peer, numbered_address(rng_.below(6)), life, now_);
      }
      case 1: return store_.add_dialled(peer, numbered_address(rng_.below(6)), now_);
      case 2: return store_.remove_address(peer, numbered_address(rng_.below(6)));
      case 3: return store_.set_protocols(peer, {text(rng_), text(rng_), "/a", "/a", "/b"});
      case 4: return store_.set_agent(peer, text(rng_), text(rng_));
      case 5: return store_.record_latency(peer, Millis(5));
      case 6: return store_.set_value(peer, "name" + std::to_string(rng_.below(4)), text(rng_));
      case 7: return pin(peer);
      case 8: return unpin(peer);
      case 9: return store_.mark_proven(peer);
      case 10: return store_.erase(peer);
      case 11: now_ += Seconds(rng_.below(40'000)); return store_.collect(now_);
      case 12: return store_.add_address(peer, numbered_address(7).with_peer_id(peer), kPermanentAddress, now_);
      default: now_ += Seconds(rng_.below(100));
    }
  }
  void check() const {
    store_.check();
    EXPECT_EQ(memory_.used(), store_.bytes());
  }

 private:
  static PeerstoreLimits limits() {
    PeerstoreLimits out;
    out.peers = 8;
    out.bytes = 9000;
    out.record_bytes = 1500;
    out.peers_per_address = 2;
    out.peers_per_ip6_48 = 3;
    out.addresses_per_peer = 3;
    out.protocols_per_peer = 3;
    out.values_per_peer = 2;
    out.text_bytes = 50;
    return out;
  }
  void pin(const PeerId& peer) {
    if (pinned_.size() >= 5) return;
    store_.pin(peer, blocks(peer.bytes().back()));
    pinned_.push_back(peer);
  }
  void unpin(const PeerId& peer) {
    const auto at = std::find(pinned_.begin(), pinned_.end(), peer);
    if (at == pinned_.end()) return;
    pinned_.erase(at);
    store_.unpin(peer);
  }

  SeededRng rng_;
  MonoTime now_{Seconds(1000)};
  MemoryAccount memory_;
  Peerstore store_{limits(), &memory_};
  std::vector<PeerId> pinned_;
};

TEST(Check, the_peerstore_agrees_with_itself_whatever_is_asked_of_it) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    PeerstoreUse use(seed);
    for (int i = 0; i < 400; ++i) {
      use.step();
      use.check();
    }
  }
}

TEST(Check, the_rates_of_connections_keep_one_bucket_for_each_block) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRng rng(seed);
    ConnectionRates rates({2, 3}, {4, 5}, 3);
    MonoTime now(Seconds(1));
    for (int i = 0; i < 300; ++i) {
      (void)rates.try_take(blocks(rng.below(12)), now);
      rates.check();
      EXPECT_LE(rates.size(), 3U);
      now += Millis(static_cast<std::int64_t>(rng.below(900)));
    }
  }
}

TEST(Check, the_connection_manager_keeps_no_tag_without_a_reason) {
  SeededRng rng(3);
  ConnectionManager manager({});
  std::set<PeerId> connected;
  for (int i = 0; i < 2000; ++i) {
    const PeerId peer = numbered_peer(rng.below(6));
    const std::string tag = rng.below(2) == 0 ? "a" : "b";
    switch (rng.below(7)) {
      case 0: manager.protect(peer, tag); break;
      case 1: (void)manager.unprotect(peer, tag); break;
      case 2: manager.spare(peer, tag); break;
      case 3: manager.stop_sparing(peer, tag); break;
      case 4: manager.set_value(peer, tag, 1); break;
      case 5:
        connected.insert(peer);
        manager.mark_proven(peer);
        break;
      default: connected.erase(peer); manager.on_peer_gone(peer);
    }
    manager.check([&connected](const PeerId& proven) { return connected.contains(proven); });
  }
}

}  // namespace
}  // namespace libp2p
