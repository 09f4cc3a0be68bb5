// What the log says of a peer whose score crosses a threshold.
#include "opp2p/observe/score_log.hpp"

#include "opp2p/observe/node_log_test_support.hpp"

namespace opp2p {
namespace {

using namespace testing_log;

class LogOfScores : public LogOfANode {
 protected:
  LogOfScores() { score_.peer = peer_; }

  // A crossing as PeerScoring tells it.
  void cross(Member& member, ScoreStanding before, ScoreStanding now, double threshold) {
    member.node_log->on(PeerScoreCrossed{score_, before, now, threshold}, member.place.runtime().now());
  }

  const libp2p::PeerId peer_ = libp2p::PeerId::from_public_key(
      libp2p::crypto::PrivateKey::from_raw(libp2p::crypto::KeyType::secp256k1, secp256k1::generate(rng_))
          .value()
          .public_key());
  libp2p::gossipsub::PeerScoreParts score_;
};

TEST_F(LogOfScores, says_which_peer_fell_below_what_by_which_parts_and_what_follows) {
  Member member(world_, chain_, rng_);
  member.start();
  score_.score = -74.5;
  score_.application = {-10.5, -10.5};
  score_.behaviour = {8, -64};
  cross(member, ScoreStanding::good, ScoreStanding::below_graylist, -40);
  const auto& log = *member.kept;
  EXPECT_EQ(log.count("lvl=warn component=gossip msg=\"the score of a peer fell below a threshold\" peer=" +
                      peer_.to_base58() +
                      " score=-74.5 threshold=graylist threshold_score=-40 p5_application=-10.5 p7_behaviour=-64 "
                      "p7_penalties=8 effect=\"all that the peer sends by gossip is ignored, and no blocks go to it\""),
            1u)
      << log.text();
}

TEST_F(LogOfScores, says_when_a_peer_is_above_the_threshold_again_and_what_still_holds) {
  Member member(world_, chain_, rng_);
  member.start();
  score_.score = -20;
  score_.ip_colocation = {1, -20};
  cross(member, ScoreStanding::below_graylist, ScoreStanding::below_gossip, -40);
  score_.score = 0;
  score_.ip_colocation = {};
  cross(member, ScoreStanding::below_gossip, ScoreStanding::good, -10);
  const auto& log = *member.kept;
  const std::string begin =
      "lvl=info component=gossip msg=\"the score of a peer is above a threshold again\" peer=" + peer_.to_base58();
  EXPECT_EQ(
      log.count(begin + " score=-20 threshold=graylist threshold_score=-40 p6_ip_colocation=-20 effect=\"no gossip "
                        "goes to the peer or is taken from it\""),
      1u)
      << log.text();
  EXPECT_EQ(
      log.count(begin + " score=0 threshold=gossip threshold_score=-10 effect=\"the peer counts again as any other\""),
      1u)
      << log.text();
}

TEST_F(LogOfScores, tells_of_many_peers_at_a_bounded_rate_and_how_much_was_left_out) {
  Member member(world_, chain_, rng_);
  member.start();
  for (int i = 0; i < 1000; ++i) cross(member, ScoreStanding::good, ScoreStanding::below_gossip, -10);
  EXPECT_LE(member.kept->count("fell below a threshold"), 60u);
  member.stop();
  EXPECT_EQ(member.kept->count("lines left out", "of=\"score of a peer that fell below a threshold\""), 1u)
      << member.kept->text();
}

}  // namespace
}  // namespace opp2p
