// Attacks on the router: what strangers send at rates that no validator keeps up with, beside honest peers.
#include <gmock/gmock.h>

#include "libp2p/protocols/gossipsub/router_test_support.hpp"

namespace libp2p::gossipsub::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// A router with a validator that judges 10 messages a millisecond: what begins with "block" is right. Flooders together
// send 50 small messages a millisecond, the honest peer a block every 100 ms.
class Flood {
 public:
  explicit Flood(std::size_t flooders, Params params = {}) : bench(params), flooders_(flooders) {
    EXPECT_TRUE(bench.router.subscribe(kTopic, bench.now));
    bench.add_subscriber(kHonest);
    for (std::uint32_t n = 0; n < flooders_; ++n) bench.add_subscriber(kFlooder + n);
    bench.drain();
    bench.actions.clear();
  }

  // Answers how many of the honest blocks were accepted.
  std::size_t run(std::size_t blocks) {
    for (std::size_t n = 0; n < blocks; ++n) {
      for (int ms = 0; ms < 100; ++ms) {
        flood(50);
        // In the middle of what the flooders send.
        if (ms == 50) bench.send_message(kHonest, "block " + std::to_string(next_++));
        flood(50);
        judge(10);
        bench.pass(Millis(1));
      }
    }
    return accepted_;
  }
  void flood(std::size_t messages) {
    for (std::size_t i = 0; i < messages / 2; ++i) {
      bench.send_message(kFlooder + static_cast<std::uint32_t>(next_ % flooders_), "junk " + std::to_string(next_));
      ++next_;
    }
  }
  void judge(std::size_t messages) {
    bench.drain();
    for (auto& action : bench.actions) {
      if (const auto* validate = std::get_if<Validate>(&action)) waiting_.push_back(*validate);
    }
    bench.actions.clear();
    for (; messages > 0 && !waiting_.empty(); --messages) {
      const bool block = as_text(waiting_.front().data.view()).starts_with("block");
      accepted_ += block ? 1 : 0;
      ++judged_;
      bench.router.on_validation(waiting_.front().request, block ? ValidationResult::accept : ValidationResult::reject,
                                 bench.now);
      waiting_.pop_front();
    }
  }
  std::size_t judged() const { return judged_; }

  static constexpr std::uint32_t kHonest = 1;
  static constexpr std::uint32_t kFlooder = 100;
  Bench bench;

 private:
  std::size_t flooders_;
  std::size_t next_ = 0;
  std::size_t accepted_ = 0;
  std::size_t judged_ = 0;
  std::deque<Validate> waiting_;
};

TEST(GossipsubFlood, of_two_peers_keeps_no_block_of_a_third_out) { EXPECT_EQ(Flood(2).run(25), 25U); }
TEST(GossipsubFlood, of_four_peers_keeps_no_block_of_a_fifth_out) { EXPECT_EQ(Flood(4).run(25), 25U); }
TEST(GossipsubFlood, of_forty_peers_keeps_no_block_of_another_out) { EXPECT_EQ(Flood(40).run(25), 25U); }

// Attackers who send the same 40 messages in a circle, each of which was refused once and unpacks to 64 KiB: a copy is
// no refusal, so only the naming of it costs them something. The honest peer has delivered nothing yet; its blocks of
// 100 KiB come once a second. Answers how many of ten are accepted.
std::size_t blocks_beside_copies(std::size_t attackers, std::size_t addresses, bool proven = false) {
  Now now = at(Seconds(1000));
  SeededRng rng(1);
  FakeScores scores;
  std::size_t accepted = 0;
  const auto is_block = [](ByteView data) { return as_text(data).starts_with("block"); };
  Router router({Params(),
                 id_of,
                 {},
                 [&](std::string_view, ByteView data) -> std::size_t { return (is_block(data) ? 100U : 64U) << 10; }},
                rng, scores, now);
  EXPECT_TRUE(router.subscribe(kTopic, now));
  const auto send = [&](std::uint32_t peer, const std::string& text) {
    EXPECT_TRUE(router.on_frame(peer_id(peer), encode_frame(message_rpc(kTopic, as_bytes(text))), now));
  };
  const auto judge = [&] {
    while (auto action = router.poll_action()) {
      const auto* validate = std::get_if<Validate>(&*action);
      if (validate == nullptr) continue;
      if (as_text(validate->data.view()) == "proof") {
        router.on_validation(validate->request, ValidationResult::accept, now);
        continue;
      }
      accepted += is_block(validate->data.view()) ? 1 : 0;
      router.on_validation(validate->request, ValidationResult::ignore, now);  // who sends blocks stays a stranger
    }
  };
  for (std::uint32_t n = 0; n < attackers; ++n) {
    const AddressBlocks from{{10, 0, 0, static_cast<std::uint8_t>(n % addresses)}, {}};
    router.add_peer(peer_id(100 + n), ProtocolVersion::v1_2, Direction::inbound, now, from);
  }
  router.add_peer(peer_id(1), ProtocolVersion::v1_2, Direction::inbound, now, {{10, 9, 9, 9}, {}});
  if (proven) {  // with one block that all of them bring at once, and the honest peer too
    for (std::uint32_t n = 0; n < attackers; ++n) send(100 + n, "proof");
    send(1, "proof");
    judge();
    EXPECT_TRUE(router.is_proven(peer_id(1), now.mono));
    EXPECT_TRUE(router.is_proven(peer_id(99 + static_cast<std::uint32_t>(attackers)), now.mono));
  }
  std::size_t next = 0;
  for (int step = 0; step < 1000; ++step) {
    for (std::size_t i = 0; i < 128; ++i)
      send(100 + static_cast<std::uint32_t>(i % attackers), "junk " + std::to_string(next++ % 40));
    if (step % 100 == 50) send(1, "block " + std::to_string(step));
    judge();
    now = now + Millis(10);
    if (step % 50 == 0) router.on_timeout(now);
  }
  return accepted;
}

TEST(GossipsubFlood, of_copies_from_two_addresses_keeps_no_block_of_a_newcomer_out) {
  EXPECT_EQ(blocks_beside_copies(16, 2), 10U);
}
TEST(GossipsubFlood, of_copies_from_250_peers_keeps_no_block_of_a_newcomer_out) {
  EXPECT_EQ(blocks_beside_copies(250, 32), 10U);
}
TEST(GossipsubFlood, of_copies_from_peers_that_delivered_once_keeps_no_block_out) {
  EXPECT_EQ(blocks_beside_copies(40, 5, true), 10U);
}

}  // namespace
}  // namespace libp2p::gossipsub::test
