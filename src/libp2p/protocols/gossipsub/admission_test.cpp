// What strangers may cost the router before anything of theirs was accepted.
#include "libp2p/protocols/gossipsub/admission.hpp"

#include <gmock/gmock.h>

#include "libp2p/protocols/gossipsub/router_test_support.hpp"

namespace libp2p::gossipsub::test {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

const AddressBlocks kFirst{{10, 0, 0, 1}, {}};
const AddressBlocks kSecond{{10, 0, 0, 2}, {}};

class AdmissionTest : public testing::Test {
 protected:
  // As many messages as the peer is let in with, at most `most`.
  std::size_t fill(PeerKey key, std::size_t most, std::size_t bytes, const AddressBlocks& blocks = {},
                   bool proven = false) {
    std::size_t done = 0;
    for (; done < most && room_.has_room(key, blocks, proven, bytes); ++done) room_.begin(key, blocks, bytes);
    return done;
  }
  void add(PeerKey key, const AddressBlocks& blocks = {}) { room_.add_peer(key, blocks); }

  Admission room_{AdmissionParams{}, ValidationParams{}, MonoTime(Seconds(1))};
};

TEST_F(AdmissionTest, gives_one_peer_a_third_of_the_room_and_a_dozen_that_come_later_some_each) {
  add(1);
  EXPECT_EQ(fill(1, 1000, 100), 150U);
  for (PeerKey key = 2; key <= 12; ++key) {
    add(key);
    EXPECT_GT(fill(key, 1000, 100), 0U) << key;
  }
  EXPECT_LE(room_.items(), 448U);
}

TEST_F(AdmissionTest, lets_a_burst_of_64_in_beside_two_peers_that_fill_the_room) {
  for (PeerKey key = 1; key <= 3; ++key) add(key);
  for (int turn = 0; turn < 1000; ++turn) {
    fill(1, 1, 100);
    fill(2, 1, 100);
  }
  EXPECT_EQ(fill(3, 64, 1024), 64U);
}

TEST_F(AdmissionTest, keeps_an_eighth_for_peers_that_have_delivered) {
  for (PeerKey key = 1; key <= 200; ++key) {
    add(key);
    fill(key, 1000, 100);
  }
  EXPECT_LE(room_.items(), 448U);
  add(201);
  EXPECT_GE(fill(201, 1000, 100, {}, true), 31U);
}

TEST_F(AdmissionTest, leaves_bytes_for_others_beside_peers_with_bombs) {
  for (PeerKey key = 1; key <= 8; ++key) {
    add(key);
    fill(key, 10, 10U << 20);
  }
  add(9);
  EXPECT_EQ(fill(9, 1, 1U << 20), 1U) << room_.bytes();
}

TEST_F(AdmissionTest, counts_all_peers_of_an_address_together) {
  for (PeerKey key = 1; key <= 8; ++key) {
    add(key, kFirst);
    fill(key, 1000, 100, kFirst);
  }
  EXPECT_LE(room_.items(), 448U / 2 + 8);
  add(9, kSecond);
  EXPECT_GE(fill(9, 1000, 100, kSecond), 64U);
}

// 298 are with the validator: 150 of 448 places are free, and the five peers count as one message each.
TEST_F(AdmissionTest, gives_all_addresses_of_a_wide_block_together_twice_what_is_free) {
  const auto blocks = [](PeerKey key) {
    return AddressBlocks{{0x20, 1, 0xd, 0xb8, 0, 0, static_cast<std::uint8_t>(key)}, {0x20, 1, 0xd, 0xb8, 0, 0}};
  };
  for (PeerKey key = 1; key <= 5; ++key) add(key, blocks(key));
  for (int turn = 0; turn < 1000; ++turn) {
    for (PeerKey key = 1; key <= 5; ++key) fill(key, 1, 100, blocks(key));
  }
  EXPECT_EQ(room_.items(), 298U);
  add(6, kFirst);
  EXPECT_GE(fill(6, 1000, 100, kFirst), 50U);
}

TEST_F(AdmissionTest, counts_what_a_peer_that_has_gone_left_behind) {
  add(1, kFirst);
  EXPECT_EQ(fill(1, 10, 100, kFirst), 10U);
  room_.remove_peer(1);
  EXPECT_EQ(room_.items(), 10U);
  for (int i = 0; i < 10; ++i) room_.end(1, 100);
  EXPECT_EQ(room_.items(), 0U);
  EXPECT_EQ(room_.bytes(), 0U);
}

TEST(GossipsubProof, is_worth_ten_minutes_a_message_and_lost_by_a_rejected_one) {
  Proof proof;
  const MonoTime now{Seconds(10'000)};
  EXPECT_FALSE(proof.holds(now));
  proof.debit();
  proof.credit(now);
  EXPECT_TRUE(proof.holds(now + Seconds(599)));
  EXPECT_FALSE(proof.holds(now + Seconds(600)));
  proof.debit();
  EXPECT_FALSE(proof.holds(now));
  for (int i = 0; i < 100; ++i) proof.credit(now);
  EXPECT_FALSE(proof.holds(now + Seconds(3600)));
}

TEST(GossipsubRefusals, stop_a_peer_and_its_address_until_they_are_forgotten) {
  AdmissionParams params;
  params.refusal_burst = 4;
  params.refusal_rate = 1;
  Refusals refusals(params);
  const MonoTime now{Seconds(100)};
  for (int i = 0; i < 4; ++i) refusals.add(peer_id(1), kFirst, now);
  EXPECT_FALSE(refusals.admits(peer_id(1), kFirst, true, now));
  EXPECT_TRUE(refusals.admits(peer_id(2), kFirst, false, now));
  for (int i = 0; i < 4; ++i) refusals.add(peer_id(3), kFirst, now);
  EXPECT_FALSE(refusals.admits(peer_id(2), kFirst, false, now)) << "a new name at the same address";
  EXPECT_TRUE(refusals.admits(peer_id(2), kFirst, true, now)) << "but not one that has delivered";
  EXPECT_TRUE(refusals.admits(peer_id(2), kSecond, false, now));
  EXPECT_TRUE(refusals.admits(peer_id(1), kFirst, true, now + Seconds(1)));
  refusals.forget_recovered(now + Seconds(3));
  EXPECT_EQ(refusals.size(), 3U);
  refusals.forget_recovered(now + Seconds(8));
  EXPECT_EQ(refusals.size(), 0U);
}

TEST(GossipsubRefusals, are_remembered_of_so_many_and_longest_of_the_worst) {
  AdmissionParams params;
  params.max_refusers = 3;
  Refusals refusals(params);
  const MonoTime now{Seconds(100)};
  for (int i = 0; i < 70; ++i) refusals.add(peer_id(1), {}, now);
  for (std::uint32_t n = 2; n < 50; ++n) refusals.add(peer_id(n), {}, now);
  EXPECT_EQ(refusals.size(), 3U);
  EXPECT_FALSE(refusals.admits(peer_id(1), {}, false, now));
}

// A router in whose network a message unpacks to 10 MiB when it says so; counts what it unpacks.
struct Bombed {
  Bombed()
      : rng(1),
        router({Params(),
                [this](std::string_view topic, ByteView data) {
                  ++named;
                  const bool bomb = as_text(data).starts_with("bomb");
                  return Named(id_of(topic, data), bomb ? share(Bytes(10U << 20)) : nullptr);
                },
                {},
                [](std::string_view, ByteView data) {
                  return as_text(data).starts_with("bomb") ? std::size_t{10U << 20} : std::size_t{0};
                }},
               rng, scores, now) {
    EXPECT_TRUE(router.subscribe(kTopic, now));
    for (std::uint32_t n = 1; n <= 8; ++n) router.add_peer(peer_id(n), ProtocolVersion::v1_2, Direction::inbound, now);
  }
  void send(std::uint32_t peer, const std::vector<std::string>& messages) {
    Rpc rpc;
    for (const auto& text : messages) rpc.publish.push_back(message_rpc(kTopic, as_bytes(text)).publish[0]);
    ASSERT_TRUE(router.on_frame(peer_id(peer), encode_frame(rpc), now));
  }
  std::vector<std::string> bombs(std::uint32_t peer, int count) {
    std::vector<std::string> out;
    for (int i = 0; i < count; ++i) out.push_back("bomb " + std::to_string(peer) + " " + std::to_string(i));
    return out;
  }
  Now now = at(Seconds(1000));
  SeededRng rng;
  FakeScores scores;
  std::size_t named = 0;
  Router router;
};

TEST(GossipsubNaming, unpacks_of_21_bombs_in_a_frame_no_more_than_the_budget_and_the_room_allow) {
  Bombed net;
  net.send(1, net.bombs(1, 21));
  EXPECT_EQ(net.named, 2U);
  EXPECT_EQ(net.router.sizes().validating, 2U) << "nothing is unpacked only to be thrown away";
  EXPECT_EQ(net.router.counters().dropped_validation_full + net.router.counters().dropped_naming_budget, 19U);
  net.router.check();
}

TEST(GossipsubNaming, drops_what_unpacks_to_more_than_it_said_where_there_is_no_room_for_it) {
  Params params;
  params.validation.max_bytes = 1000;
  const Now now = at(Seconds(1000));
  SeededRng rng(1);
  FakeScores scores;
  Router router({params,
                 [](std::string_view topic, ByteView data) { return Named(id_of(topic, data), share(Bytes(600))); },
                 {},
                 [](std::string_view, ByteView) { return std::size_t{100}; }},
                rng, scores, now);
  ASSERT_TRUE(router.subscribe(kTopic, now));
  router.add_peer(peer_id(1), ProtocolVersion::v1_2, Direction::inbound, now);
  for (const auto* text : {"first", "second"})
    ASSERT_TRUE(router.on_frame(peer_id(1), encode_frame(message_rpc(kTopic, as_bytes(text))), now));
  EXPECT_EQ(router.sizes().validating, 1U);
  EXPECT_EQ(router.counters().dropped_validation_full, 1U);
}

TEST(GossipsubNaming, excuses_no_promise_of_who_has_used_up_what_is_its_own) {
  Bombed net;
  ASSERT_TRUE(
      net.router.on_frame(peer_id(1), encode_frame(ihave_rpc(kTopic, {id_of(kTopic, as_bytes("none"))})), net.now));
  EXPECT_EQ(net.router.counters().iwant_sent, 1U);
  for (int i = 0; i < 20; ++i) {
    net.send(1, net.bombs(1, 4));
    net.now = net.now + Millis(500);
    net.router.on_timeout(net.now);
  }
  EXPECT_GT(net.router.counters().dropped_validation_full + net.router.counters().dropped_naming_budget, 20U);
  EXPECT_EQ(net.scores.penalties[peer_id(1)], 1U);
}

TEST(GossipsubNaming, is_not_denied_to_others_by_peers_with_bombs) {
  Bombed net;
  for (std::uint32_t peer = 1; peer <= 7; ++peer) net.send(peer, net.bombs(peer, 21));
  EXPECT_LE(net.named, 6U);
  const std::size_t before = net.router.sizes().validating;
  net.send(8, {"block"});
  EXPECT_EQ(net.router.sizes().validating, before + 1);
}

TEST(GossipsubNaming, costs_a_peer_nothing_when_its_messages_are_accepted) {
  Bombed net;
  for (int i = 0; i < 50; ++i) {
    net.send(1, {"bomb " + std::to_string(i)});
    EXPECT_TRUE(net.router.on_validation(static_cast<RequestId>(i) + 1, ValidationResult::accept, net.now));
  }
  EXPECT_EQ(net.router.counters().delivered, 50U);
}

TEST(GossipsubNaming, of_copies_of_what_was_rejected_counts_as_a_refusal) {
  Bombed net;
  constexpr int kMessages = 40;  // more than are recognised by their bytes
  for (int i = 0; i < kMessages; ++i) {
    net.send(1, {"junk " + std::to_string(i)});
    ASSERT_TRUE(net.router.on_validation(static_cast<RequestId>(i) + 1, ValidationResult::reject, net.now));
  }
  for (int i = 0; i < 10 * kMessages; ++i) net.send(1, {"junk " + std::to_string(i % kMessages)});
  EXPECT_LE(net.named, 64U) << "the burst of refusals, and no more";
  EXPECT_GT(net.router.counters().dropped_refused_often, 200U);
}

TEST(GossipsubNaming, of_junk_is_bounded_per_second) {
  Bombed net;
  for (int second = 0; second < 20; ++second) {
    net.send(1, {"bomb " + std::to_string(second)});
    net.router.on_validation(static_cast<RequestId>(net.named), ValidationResult::ignore, net.now);
    net.now = net.now + Seconds(1);
  }
  EXPECT_LE(net.named, 10U);
  EXPECT_GE(net.named, 8U);
  EXPECT_EQ(net.router.counters().dropped_naming_budget, 20U - net.named);
}

TEST(GossipsubRouter, holds_no_promise_against_a_peer_whose_messages_found_no_room) {
  Params params;
  params.validation.max_items = 1;
  Bench bench(params);
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  bench.add_subscriber(1);
  bench.add_subscriber(2);
  bench.send_message(2, "first");
  bench.send(1, ihave_rpc(kTopic, {id_of(kTopic, as_bytes("promised"))}));
  bench.pass(Seconds(1));
  bench.send_message(1, "promised");
  EXPECT_EQ(bench.router.counters().dropped_validation_full, 1U);
  bench.pass(Seconds(5));
  EXPECT_EQ(bench.scores.penalties[peer_id(1)], 0U);
}

TEST(GossipsubRouter, takes_no_proof_for_what_it_sent_to_the_peer_itself_and_keeps_proof_over_a_reconnect) {
  Bench bench;
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  for (std::uint32_t n = 1; n <= 3; ++n) bench.add_subscriber(n);
  bench.send_message(1, "block");
  bench.send_message(2, "block");
  bench.answer_all(ValidationResult::accept);
  bench.send_message(3, "block");
  EXPECT_TRUE(bench.router.is_proven(peer_id(1), bench.now.mono));
  EXPECT_TRUE(bench.router.is_proven(peer_id(2), bench.now.mono));
  EXPECT_FALSE(bench.router.is_proven(peer_id(3), bench.now.mono));
  bench.router.remove_peer(peer_id(1), bench.now);
  bench.add_subscriber(1);
  EXPECT_TRUE(bench.router.is_proven(peer_id(1), bench.now.mono));
}

TEST(GossipsubRouter, takes_proof_that_was_lost_away_for_good_whether_the_peer_comes_back_or_not) {
  Bench bench;
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  bench.add_subscriber(1);
  bench.send_message(1, "block");
  bench.answer_all(ValidationResult::accept);
  bench.router.remove_peer(peer_id(1), bench.now);
  bench.add_subscriber(1);
  ASSERT_TRUE(bench.router.is_proven(peer_id(1), bench.now.mono));
  bench.send_message(1, "junk");
  bench.answer_all(ValidationResult::reject);
  ASSERT_FALSE(bench.router.is_proven(peer_id(1), bench.now.mono));
  bench.router.remove_peer(peer_id(1), bench.now);
  bench.add_subscriber(1);
  EXPECT_FALSE(bench.router.is_proven(peer_id(1), bench.now.mono));
}

TEST(GossipsubRouter, blames_nobody_for_a_verdict_that_was_not_given) {
  Params params;
  params.admission.refusal_burst = 1;
  Bench bench(params);
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  bench.add_subscriber(1);
  bench.send_message(1, "a");
  bench.pass(Seconds(30));
  const auto late = bench.router.oldest_validation(bench.now.mono - Seconds(30));
  ASSERT_TRUE(late);
  EXPECT_FALSE(bench.router.oldest_validation(bench.now.mono - Seconds(31)));
  EXPECT_TRUE(bench.router.on_validation(*late, ValidationResult::ignore, bench.now, Router::Blame::nobody));
  bench.send_message(1, "b");
  EXPECT_EQ(bench.router.sizes().validating, 1U);
  bench.router.on_validation(2, ValidationResult::ignore, bench.now);
  bench.send_message(1, "c");
  EXPECT_EQ(bench.router.counters().dropped_refused_often, 1U);
}

TEST(GossipsubProvenMesh, is_cut_down_to_those_that_have_delivered_and_takes_them_in_when_it_is_full) {
  Params params;
  Bench bench(params);
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  for (std::uint32_t n = 1; n <= 12; ++n) {  // strangers take all places
    bench.add_subscriber(n);
    bench.send(n, graft_rpc(kTopic));
  }
  EXPECT_THAT(bench.router.mesh(kTopic), SizeIs(12));
  for (std::uint32_t n = 20; n <= 23; ++n) {  // and these bring blocks all the same
    bench.add_subscriber(n);
    bench.send_message(n, "block " + std::to_string(n));
  }
  bench.answer_all(ValidationResult::accept);
  bench.add_subscriber(30);
  bench.send(30, graft_rpc(kTopic));
  EXPECT_THAT(bench.router.mesh(kTopic), SizeIs(12)) << "a newcomer is refused as ever";
  for (std::uint32_t n = 20; n <= 22; ++n) bench.send(n, graft_rpc(kTopic));
  EXPECT_THAT(bench.router.mesh(kTopic), SizeIs(15));
  bench.heartbeat();
  const auto mesh = bench.router.mesh(kTopic);
  EXPECT_THAT(mesh, SizeIs(8));
  for (std::uint32_t n = 20; n <= 22; ++n) EXPECT_THAT(mesh, testing::Contains(peer_id(n))) << n;
}

TEST(GossipsubProvenMesh, looks_once_in_a_while_for_those_that_have_delivered) {
  Bench bench;
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  for (std::uint32_t n = 1; n <= 8; ++n) bench.add_subscriber(n);
  bench.pass(Seconds(1));
  for (std::uint32_t n = 20; n <= 22; ++n) {
    bench.add_subscriber(n);
    bench.send_message(n, "block " + std::to_string(n));
  }
  bench.answer_all(ValidationResult::accept);
  bench.pass(Seconds(31));
  std::size_t proven = 0;
  for (const PeerId& peer : bench.router.mesh(kTopic)) proven += bench.router.is_proven(peer, bench.now.mono) ? 1 : 0;
  EXPECT_EQ(proven, 2U);
}

}  // namespace
}  // namespace libp2p::gossipsub::test
