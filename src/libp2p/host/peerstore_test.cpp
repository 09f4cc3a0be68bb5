#include "libp2p/host/peerstore.hpp"

#include <gtest/gtest.h>

#include "libp2p/base/rng.hpp"
#include "libp2p/host/host_test_support.hpp"

namespace libp2p {
namespace {

using testing_host::kStart;

crypto::PublicKey key_of(std::uint64_t seed) {
  SeededRng rng(seed);
  return crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng).value().public_key();
}
PeerId peer_of(std::uint64_t seed) { return PeerId::from_public_key(key_of(seed)); }
Multiaddr at_port(int port) { return Multiaddr::from_text("/ip4/10.0.0.1/tcp/" + std::to_string(port)).value(); }

TEST(Peerstore, an_address_that_was_dialled_and_has_expired_is_like_any_other_when_it_comes_again) {
  Peerstore store;
  const PeerId peer = peer_of(1);
  store.add_dialled(peer, at_port(1), kStart);
  const MonoTime end = kStart + kConnectedAddress;
  store.add_address(peer, at_port(1), Seconds(10), end);
  store.add_address(peer, at_port(2), Seconds(20), end);
  EXPECT_EQ(store.addresses(peer, end), (std::vector<Multiaddr>{at_port(2), at_port(1)}));
}

TEST(Peerstore, addresses_expire_and_the_longest_lived_come_first) {
  Peerstore store;
  const auto peer = peer_of(1);
  store.add_address(peer, at_port(1), Seconds(10), kStart);
  store.add_address(peer, at_port(2), Seconds(30), kStart);
  store.add_address(peer, at_port(3), kPermanentAddress, kStart);
  EXPECT_EQ(store.addresses(peer, kStart), (std::vector<Multiaddr>{at_port(3), at_port(2), at_port(1)}));
  EXPECT_EQ(store.addresses(peer, kStart + Seconds(10)), (std::vector<Multiaddr>{at_port(3), at_port(2)}));
  EXPECT_EQ(store.addresses(peer, kStart + std::chrono::hours(24 * 3650)), std::vector<Multiaddr>{at_port(3)});
}

TEST(Peerstore, addresses_of_a_connected_peer_are_kept_and_expired_ones_are_not_brought_back) {
  Peerstore store;
  const auto peer = peer_of(1);
  store.add_dialled(peer, at_port(1), kStart);
  store.add_address(peer, at_port(2), std::chrono::minutes(20), kStart);
  store.add_address(peer, at_port(3), kPermanentAddress, kStart);
  store.keep_addresses(peer, kStart + std::chrono::minutes(20));
  const MonoTime end = kStart + std::chrono::minutes(20) + kConnectedAddress;
  EXPECT_EQ(store.addresses(peer, end - Seconds(1)), (std::vector<Multiaddr>{at_port(1), at_port(3)}));
  EXPECT_EQ(store.addresses(peer, end), std::vector<Multiaddr>{at_port(3)});
  store.keep_addresses(peer_of(2), kStart);
  store.check();
}

TEST(Peerstore, an_address_keeps_the_later_expiry) {
  Peerstore store;
  const auto peer = peer_of(1);
  store.add_address(peer, at_port(1), Seconds(60), kStart);
  store.add_address(peer, at_port(1), Seconds(10), kStart);
  EXPECT_EQ(store.addresses(peer, kStart + Seconds(59)).size(), 1u);
}

TEST(Peerstore, a_peer_id_in_an_address_is_cut_off_or_contradicts) {
  Peerstore store;
  store.add_address(peer_of(1), at_port(1).with_peer_id(peer_of(1)), Seconds(60), kStart);
  store.add_address(peer_of(1), at_port(2).with_peer_id(peer_of(2)), Seconds(60), kStart);
  EXPECT_EQ(store.addresses(peer_of(1), kStart), std::vector<Multiaddr>{at_port(1)});
}

TEST(Peerstore, addresses_of_a_peer_are_bounded_and_the_first_to_expire_goes) {
  Peerstore store({.addresses_per_peer = 3});
  const auto peer = peer_of(1);
  for (int i = 1; i <= 4; ++i) store.add_address(peer, at_port(i), Seconds(10 * i), kStart);
  EXPECT_EQ(store.addresses(peer, kStart), (std::vector<Multiaddr>{at_port(4), at_port(3), at_port(2)}));
  store.add_address(peer, at_port(9), Seconds(1), kStart);
  EXPECT_EQ(store.addresses(peer, kStart).size(), 3u);
  EXPECT_EQ(store.addresses(peer, kStart).back(), at_port(2)) << "one that lives shorter than all others is not taken";
}

TEST(Peerstore, of_addresses_that_expire_together_the_one_known_longest_goes) {
  Peerstore store({.addresses_per_peer = 3});
  for (int i = 1; i <= 4; ++i) store.add_address(peer_of(1), at_port(i), Seconds(10), kStart);
  auto left = store.addresses(peer_of(1), kStart);
  std::sort(left.begin(), left.end());
  EXPECT_EQ(left, (std::vector<Multiaddr>{at_port(2), at_port(3), at_port(4)}));
}

TEST(Peerstore, counts_the_bytes_of_addresses_texts_and_values) {
  const auto bytes = [](const auto& fill) {
    Peerstore store;
    fill(store);
    return store.bytes();
  };
  const auto near = Multiaddr::from_text("/dns4/a/tcp/1").value();
  const auto far = Multiaddr::from_text("/dns4/" + std::string(51, 'a') + "/tcp/1").value();
  const auto of_address = [&](const Multiaddr& one) {
    return bytes([&](Peerstore& store) { store.add_address(peer_of(1), one, Seconds(10), kStart); });
  };
  EXPECT_EQ(of_address(far), of_address(near) + 50);
  const auto of_agent = [&](std::size_t size) {
    return bytes([&](Peerstore& store) { store.set_agent(peer_of(1), std::string(size, 'a'), ""); });
  };
  EXPECT_EQ(of_agent(60), of_agent(10) + 50);
  const auto of_value = [&](std::size_t size) {
    return bytes([&](Peerstore& store) { store.set_value(peer_of(1), "name", std::string(size, 'a')); });
  };
  EXPECT_EQ(of_value(60), of_value(10) + 50);
}

TEST(Peerstore, holds_as_many_bytes_as_it_may_and_not_one_more) {
  const auto fill = [](Peerstore& store) {
    for (std::uint64_t i = 1; i <= 3; ++i) store.set_agent(peer_of(i), "agent", "");
    return store.size();
  };
  Peerstore unbounded;
  ASSERT_EQ(fill(unbounded), 3u);
  Peerstore just({.bytes = unbounded.bytes()});
  EXPECT_EQ(fill(just), 3u);
  Peerstore less({.bytes = unbounded.bytes() - 1});
  EXPECT_EQ(fill(less), 2u);
}

TEST(Peerstore, when_it_is_full_the_least_recently_touched_goes_and_pinned_ones_stay) {
  Peerstore store({.peers = 3});
  for (std::uint64_t i = 1; i <= 3; ++i) store.set_agent(peer_of(i), "agent", "");
  store.pin(peer_of(1));
  store.set_agent(peer_of(2), "agent again", "");
  store.set_agent(peer_of(4), "agent", "");
  EXPECT_TRUE(store.contains(peer_of(1)));
  EXPECT_TRUE(store.contains(peer_of(2)));
  EXPECT_FALSE(store.contains(peer_of(3)));
  EXPECT_TRUE(store.contains(peer_of(4)));
  store.pin(peer_of(2));
  store.pin(peer_of(4));
  store.set_agent(peer_of(5), "agent", "");
  EXPECT_FALSE(store.contains(peer_of(5))) << "everything is pinned";
  store.unpin(peer_of(1));
  store.set_agent(peer_of(5), "agent", "");
  EXPECT_TRUE(store.contains(peer_of(5)));
  EXPECT_FALSE(store.contains(peer_of(1)));
  EXPECT_EQ(store.size(), 3u);
}

TEST(Peerstore, protocols_are_sorted_bounded_and_asked_for) {
  Peerstore store({.protocols_per_peer = 3, .text_bytes = 10});
  store.set_protocols(peer_of(1), {"/c/1", "/a/1", "/a/1", "/a-very-long-protocol-id"});
  EXPECT_EQ(store.protocols(peer_of(1)), (std::vector<std::string>{"/a/1", "/c/1"}));
  EXPECT_TRUE(store.supports(peer_of(1), "/c/1"));
  EXPECT_FALSE(store.supports(peer_of(1), "/b/1"));
  EXPECT_FALSE(store.supports(peer_of(2), "/b/1"));
}

TEST(Peerstore, only_the_peers_own_key_is_taken) {
  Peerstore store;
  EXPECT_FALSE(store.set_key(peer_of(1), key_of(2)));
  EXPECT_TRUE(store.set_key(peer_of(1), key_of(1)));
  EXPECT_EQ(store.key(peer_of(1)), key_of(1));
  EXPECT_EQ(store.key(peer_of(3)), key_of(3)) << "an id that holds its key whole needs no record";
}

TEST(Peerstore, latency_is_a_moving_average) {
  Peerstore store;
  store.record_latency(peer_of(1), Millis(100));
  EXPECT_EQ(store.latency(peer_of(1)), Nanos(Millis(100)));
  store.record_latency(peer_of(1), Millis(200));
  EXPECT_EQ(store.latency(peer_of(1)), Nanos(Millis(110)));
  EXPECT_EQ(store.latency(peer_of(2)), std::nullopt);
}

TEST(Peerstore, values_are_kept_by_name_and_bounded) {
  Peerstore store({.values_per_peer = 2, .value_bytes = 8, .text_bytes = 10});
  store.set_value(peer_of(1), "enr", "enr:abc");
  store.set_value(peer_of(1), "chain", "10");
  store.set_value(peer_of(1), "more", "x");
  store.set_value(peer_of(1), "chain", "8453");
  store.set_value(peer_of(1), "enr", "longer than eight");
  EXPECT_EQ(store.value(peer_of(1), "enr"), "enr:abc");
  EXPECT_EQ(store.value(peer_of(1), "chain"), "8453");
  EXPECT_EQ(store.value(peer_of(1), "more"), std::nullopt);
}

TEST(Peerstore, collecting_drops_what_expired_and_peers_of_which_nothing_is_left) {
  Peerstore store;
  store.add_address(peer_of(1), at_port(1), Seconds(10), kStart);
  store.add_address(peer_of(2), at_port(1), Seconds(10), kStart);
  store.set_agent(peer_of(2), "agent", "1.0");
  store.add_address(peer_of(3), at_port(1), Seconds(10), kStart);
  store.pin(peer_of(3));
  store.collect(kStart + Seconds(11));
  EXPECT_FALSE(store.contains(peer_of(1)));
  EXPECT_TRUE(store.contains(peer_of(2)));
  EXPECT_TRUE(store.contains(peer_of(3)));
  store.erase(peer_of(2));
  store.erase(peer_of(3));
  EXPECT_EQ(store.size(), 1u) << "the pinned one stays, with nothing known about it";
}

// What go-libp2p lets a peer say in identify: 78 KB.
std::vector<std::string> many_protocols(std::uint64_t seed) {
  std::vector<std::string> out;
  for (int i = 0; i < 160; ++i)
    out.push_back("/" + std::to_string(seed) + "/" + std::to_string(i) + std::string(480, 'x'));
  return out;
}

TEST(Peerstore, strangers_with_much_to_say_fill_no_more_than_its_bytes) {
  MemoryAccount memory(64 << 20);
  {
    Peerstore store({.bytes = 2 << 20}, &memory);
    for (std::uint64_t i = 1; i <= 800; ++i) {
      Bytes id{0x12, 0x20};  // a SHA-256 of some key
      append(id, SeededRng(i).array<32>());
      const auto peer = PeerId::from_bytes(id).value();
      store.pin(peer);
      store.set_protocols(peer, many_protocols(i));
      store.set_agent(peer, std::string(500, 'a'), std::string(500, 'b'));
      store.unpin(peer);
    }
    std::size_t kept = 0;
    for (const auto& peer : store.peers()) {
      for (const auto& protocol : store.protocols(peer)) kept += protocol.size();
    }
    EXPECT_LE(kept, 2u << 20);
    EXPECT_GT(kept, 1u << 20);
    EXPECT_LE(store.bytes(), 2u << 20);
    EXPECT_EQ(memory.used(), store.bytes());
    // With nobody connected what they told goes after half an hour, and then the records.
    store.collect(kStart);
    store.collect(kStart + kForgetIdentity);
    EXPECT_EQ(store.size(), 0u);
    EXPECT_EQ(memory.used(), 0u);
    store.set_agent(peer_of(1), "agent", "1");
    EXPECT_GT(memory.used(), 0u);
  }
  EXPECT_EQ(memory.used(), 0u);
}

TEST(Peerstore, a_full_account_keeps_newcomers_out_and_lets_the_connected_in) {
  MemoryAccount memory(8192);
  ASSERT_TRUE(memory.try_take(7500));
  Peerstore store({}, &memory);
  store.add_dialled(peer_of(1), at_port(1), kStart);
  store.set_protocols(peer_of(1), {std::string(500, 'x'), std::string(499, 'x')});
  EXPECT_EQ(store.protocols(peer_of(1)).size(), 0u);
  EXPECT_EQ(store.addresses(peer_of(1), kStart).size(), 1u);
  store.pin(peer_of(2));
  store.set_protocols(peer_of(2), {"/a/1"});
  EXPECT_TRUE(store.supports(peer_of(2), "/a/1"));
  EXPECT_GE(store.counters().refused_bytes, 1u);
  store.check();
  memory.give(7500);
}

TEST(Peerstore, newcomers_do_not_evict_peers_that_were_dialled_or_have_delivered) {
  Peerstore store({.peers = 10});
  for (std::uint64_t i = 1; i <= 3; ++i) store.add_dialled(peer_of(i), at_port(static_cast<int>(i)), kStart);
  for (std::uint64_t i = 4; i <= 5; ++i) {
    store.set_agent(peer_of(i), "agent", "");
    store.mark_proven(peer_of(i));
  }
  for (std::uint64_t i = 100; i < 200; ++i) {
    store.pin(peer_of(i));
    store.set_agent(peer_of(i), "newcomer", "");
    store.unpin(peer_of(i));
  }
  for (std::uint64_t i = 1; i <= 5; ++i) EXPECT_TRUE(store.contains(peer_of(i))) << i;
  EXPECT_EQ(store.size(), 10u);
  EXPECT_TRUE(store.contains(peer_of(199)));
  // Proof goes for proof only.
  for (std::uint64_t i = 300; i < 310; ++i) store.add_dialled(peer_of(i), at_port(9), kStart);
  EXPECT_TRUE(store.contains(peer_of(4)) && store.contains(peer_of(5)));
  EXPECT_EQ(store.addresses(peer_of(309), kStart).size(), 1u);
  for (std::uint64_t i = 400; i < 410; ++i) store.mark_proven(peer_of(i));
  store.set_agent(peer_of(500), "newcomer", "");
  EXPECT_FALSE(store.contains(peer_of(500)));
  EXPECT_EQ(store.size(), 10u);
  EXPECT_GE(store.counters().refused_peers, 1u);
}

TEST(Peerstore, connections_from_one_address_bring_no_more_than_their_share_of_newcomers) {
  Peerstore store({.peers_per_address = 4});
  const AddressBlocks crowd{Bytes{10, 0, 0, 1}, {}};
  const AddressBlocks other{Bytes{10, 0, 0, 2}, {}};
  store.pin(peer_of(1), other);
  store.unpin(peer_of(1));
  for (std::uint64_t i = 10; i < 30; ++i) {
    store.pin(peer_of(i), crowd);
    store.set_agent(peer_of(i), "x", "");
    store.unpin(peer_of(i));
  }
  EXPECT_EQ(store.size(), 5u);
  EXPECT_TRUE(store.contains(peer_of(1)));
  for (std::uint64_t i = 26; i < 30; ++i) EXPECT_TRUE(store.contains(peer_of(i)));
}

TEST(Peerstore, an_address_that_was_dialled_comes_first_and_is_not_dropped_for_told_ones) {
  Peerstore store({.addresses_per_peer = 3});
  store.add_dialled(peer_of(1), at_port(1), kStart);
  for (int i = 2; i < 20; ++i) store.add_address(peer_of(1), at_port(i), kDiscoveredAddress, kStart);
  EXPECT_EQ(store.addresses(peer_of(1), kStart).front(), at_port(1));
  EXPECT_EQ(store.addresses(peer_of(1), kStart).size(), 3u);
}

TEST(Peerstore, proof_is_remembered_for_a_day) {
  Peerstore store;
  store.mark_proven(peer_of(1));
  store.collect(kStart);
  store.collect(kStart + kForgetProof - Seconds(1));
  EXPECT_TRUE(store.is_proven(peer_of(1)));
  store.collect(kStart + kForgetProof);
  EXPECT_FALSE(store.is_proven(peer_of(1)));
}

}  // namespace
}  // namespace libp2p
