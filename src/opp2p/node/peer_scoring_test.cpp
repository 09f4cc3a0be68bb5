// The node's scores in virtual time: who crosses a threshold is told within a second, and once.
#include "opp2p/node/peer_scoring.hpp"

#include <gtest/gtest.h>

#include "libp2p/crypto/keys.hpp"
#include "libp2p/runtime/sim/sim_world.hpp"

namespace opp2p {
namespace {

namespace reputation = opstack::reputation;
using libp2p::Millis;
using libp2p::Seconds;

class PeerScoringTest : public testing::Test {
 protected:
  PeerScoringTest() : profile_(reputation::make_scoring_profile("light", {}, reputation::ProfileUse::node).value()) {}
  libp2p::Now now() { return place_.runtime().now(); }
  void watch(PeerScoring& scoring) {
    scoring.watch([this](const ScoreCrossing& crossing, double threshold) {
      told_.push_back({static_cast<int>(crossing.before), static_cast<int>(crossing.now), threshold});
    });
  }
  void run_for(libp2p::Nanos time, const PeerScoring& scoring) {
    for (const auto end = now().mono + time; now().mono < end;) {
      world_.run_for(Millis(250));
      scorer_.on_timeout(now());  // the GossipSub service's timer
      scoring.check();
    }
  }

  struct Told {
    int before;
    int now;
    double threshold;
    friend bool operator==(const Told&, const Told&) = default;
  };
  libp2p::runtime::SimWorld world_{3, {}, std::make_unique<libp2p::runtime::UniformLinks>()};
  libp2p::runtime::SimNode place_ = world_.add_node();
  reputation::ScoringProfile profile_;
  libp2p::gossipsub::PeerScorer scorer_{*profile_.params, 3, place_.runtime().now()};
  libp2p::SeededRng rng_{3};
  libp2p::PeerId peer_ = libp2p::PeerId::from_public_key(
      libp2p::crypto::PrivateKey::generate(libp2p::crypto::KeyType::ed25519, rng_).value().public_key());
  std::vector<Told> told_;
};

TEST_F(PeerScoringTest, tells_each_crossing_once_with_its_threshold_until_the_penalty_has_decayed) {
  PeerScoring scoring(place_.runtime(), &scorer_, profile_.thresholds);
  watch(scoring);
  scorer_.on_peer_added(peer_, now());
  run_for(Seconds(3), scoring);
  EXPECT_TRUE(told_.empty());
  scorer_.on_penalty(peer_, 9, now());
  run_for(Seconds(1), scoring);
  EXPECT_EQ(told_, (std::vector<Told>{{0, 3, -40}}));
  EXPECT_LT(scoring.score_of(peer_)->score, -40);
  run_for(Seconds(30), scoring);
  EXPECT_EQ(told_, (std::vector<Told>{{0, 3, -40}, {3, 1, -40}, {1, 0, -10}}));
}

TEST_F(PeerScoringTest, tells_nothing_after_it_was_stopped) {
  PeerScoring scoring(place_.runtime(), &scorer_, profile_.thresholds);
  watch(scoring);
  scorer_.on_peer_added(peer_, now());
  scoring.stop();
  scorer_.on_penalty(peer_, 9, now());
  run_for(Seconds(3), scoring);
  EXPECT_TRUE(told_.empty());
}

TEST_F(PeerScoringTest, without_a_scorer_no_score_is_known_and_nothing_is_told) {
  PeerScoring scoring(place_.runtime(), nullptr, profile_.thresholds);
  watch(scoring);
  scorer_.on_peer_added(peer_, now());
  scorer_.on_penalty(peer_, 1000, now());
  EXPECT_FALSE(scoring.score_of(peer_));
  EXPECT_FALSE(scoring.is_on());
  run_for(Seconds(3), scoring);
  EXPECT_TRUE(told_.empty());
}

}  // namespace
}  // namespace opp2p
