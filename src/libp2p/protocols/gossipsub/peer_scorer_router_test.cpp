// The router and the score function together.
#include <gmock/gmock.h>

#include "libp2p/protocols/gossipsub/peer_scorer_test_support.hpp"

namespace libp2p::gossipsub {
namespace {

using test::peer_id;
using testing::ElementsAre;
using testing::IsEmpty;

// A router that has joined the scored topic, with peers that are in it.
class ScoredRouter {
 public:
  explicit ScoredRouter(std::uint32_t peers) {
    EXPECT_TRUE(router.subscribe("t", now));
    for (std::uint32_t n = 1; n <= peers; ++n) {
      router.add_peer(peer_id(n), ProtocolVersion::v1_2, Direction::inbound, now);
      send(n, test::subscription_rpc("t"));
    }
  }
  ~ScoredRouter() {
    router.check();
    scorer.check();
  }

  void send(std::uint32_t n, const Rpc& rpc) { EXPECT_TRUE(router.on_frame(peer_id(n), encode_frame(rpc), now)); }
  void send_message(std::uint32_t n, std::string_view data, ValidationResult verdict) {
    send(n, test::message_rpc("t", as_bytes(data)));
    std::vector<RequestId> open;
    while (const auto action = router.poll_action()) {
      if (const auto* validate = std::get_if<Validate>(&*action)) open.push_back(validate->request);
    }
    for (const RequestId request : open) router.on_validation(request, verdict, now);
  }
  // Both timers, each when it is due.
  void pass(Nanos time) {
    const MonoTime end = now.mono + time;
    for (;;) {
      const MonoTime next = std::min(router.next_deadline().value(), scorer.next_deadline().value());
      if (next > end) break;
      now = now + (next - now.mono);
      router.on_timeout(now);
      scorer.on_timeout(now);
    }
    now = now + (end - now.mono);
  }
  double score(std::uint32_t n) const { return scorer.score(peer_id(n)); }

  Now now = test::at(Seconds(100));
  SeededRng rng{1};
  PeerScorer scorer{test::scored_params(), 7, now};
  Router router{{Params{}, test::id_of, {}}, rng, scorer, now};
};

TEST(GossipsubScoredRouter, does_not_listen_to_who_sent_an_invalid_message_until_that_has_decayed) {
  ScoredRouter bench(1);
  bench.send_message(1, "bad", ValidationResult::reject);
  EXPECT_EQ(bench.score(1), -1000);
  bench.send_message(1, "good", ValidationResult::accept);
  EXPECT_EQ(bench.router.counters().rpcs_graylisted, 1U);
  bench.pass(Seconds(3));
  EXPECT_EQ(bench.score(1), -1000.0 / 64) << "above the threshold again";
  bench.send_message(1, "good", ValidationResult::accept);
  EXPECT_EQ(bench.router.counters().delivered, 1U);
  EXPECT_EQ(bench.score(1), 1 - 1000.0 / 64);
}

TEST(GossipsubScoredRouter, keeps_those_in_the_mesh_that_bring_messages_first_or_as_copies) {
  ScoredRouter bench(3);
  bench.pass(Seconds(1));
  EXPECT_THAT(bench.router.mesh("t"), testing::SizeIs(3));
  for (int second = 0; second < 8; ++second) {
    for (int message = 0; message < 4; ++message) {
      const std::string data = std::to_string(second) + "-" + std::to_string(message);
      bench.send_message(1, data, ValidationResult::accept);
      bench.send_message(2, data, ValidationResult::accept);
    }
    bench.pass(Seconds(1));
  }
  EXPECT_THAT(bench.router.mesh("t"), ElementsAre(peer_id(1), peer_id(2)));
  EXPECT_GT(bench.score(1), bench.score(2));
  EXPECT_GT(bench.score(2), 0);
  EXPECT_LT(bench.score(3), 0);
}

TEST(GossipsubScoredRouter, knows_a_peer_again_that_left_with_a_bad_score) {
  ScoredRouter bench(1);
  bench.send_message(1, "bad", ValidationResult::reject);
  bench.router.remove_peer(peer_id(1), bench.now);
  bench.pass(Seconds(30));
  bench.router.add_peer(peer_id(1), ProtocolVersion::v1_2, Direction::inbound, bench.now);
  EXPECT_EQ(bench.score(1), -1000);
  bench.send(1, test::graft_rpc("t"));
  EXPECT_THAT(bench.router.mesh("t"), IsEmpty());
}

}  // namespace
}  // namespace libp2p::gossipsub
