#include "opp2p/node/score_watch.hpp"

#include <gmock/gmock.h>

#include "libp2p/crypto/keys.hpp"

namespace opp2p {
namespace {

using libp2p::gossipsub::ScoreSnapshot;

constexpr libp2p::gossipsub::ScoreThresholds kFour = {.gossip = -10, .publish = -20, .graylist = -40};

libp2p::PeerId scored_peer(std::uint8_t number) {
  libp2p::ByteArray<32> secret{};
  secret[31] = number;
  using libp2p::crypto::KeyType;
  return libp2p::PeerId::from_public_key(
      libp2p::crypto::PrivateKey::from_raw(KeyType::secp256k1, secret).value().public_key());
}

ScoreSnapshot scores(std::initializer_list<std::pair<std::uint8_t, double>> peers) {
  ScoreSnapshot out;
  for (const auto& [number, score] : peers) {
    out.peers.emplace_back();
    out.peers.back().peer = scored_peer(number);
    out.peers.back().score = score;
  }
  return out;
}

// "1:0>3": peer 1 was good and is below the graylist threshold.
std::string told(ScoreWatch& watch, const ScoreSnapshot& snapshot) {
  std::string out;
  for (const auto& crossing : watch.on_scores(snapshot)) {
    std::size_t number = 1;
    while (scored_peer(static_cast<std::uint8_t>(number)) != crossing.score->peer) ++number;
    out += (out.empty() ? "" : " ") + std::to_string(number) + ":" + std::to_string(static_cast<int>(crossing.before)) +
           ">" + std::to_string(static_cast<int>(crossing.now));
  }
  watch.check();
  return out;
}

TEST(ScoreWatch, a_score_is_below_a_threshold_only_when_it_is_less) {
  const ScoreWatch watch(kFour);
  EXPECT_EQ(watch.standing_of(0), ScoreStanding::good);
  EXPECT_EQ(watch.standing_of(-10), ScoreStanding::good);
  EXPECT_EQ(watch.standing_of(-10.001), ScoreStanding::below_gossip);
  EXPECT_EQ(watch.standing_of(-20), ScoreStanding::below_gossip);
  EXPECT_EQ(watch.standing_of(-40), ScoreStanding::below_publish);
  EXPECT_EQ(watch.standing_of(-40.001), ScoreStanding::below_graylist);
  EXPECT_EQ(watch.threshold_of(ScoreStanding::below_gossip), -10);
  EXPECT_EQ(watch.threshold_of(ScoreStanding::below_publish), -20);
  EXPECT_EQ(watch.threshold_of(ScoreStanding::below_graylist), -40);
}

TEST(ScoreWatch, with_op_nodes_thresholds_nobody_is_between_publish_and_graylist) {
  const ScoreWatch watch(libp2p::gossipsub::ScoreThresholds{});
  EXPECT_EQ(watch.standing_of(-40), ScoreStanding::below_gossip);
  EXPECT_EQ(watch.standing_of(-40.5), ScoreStanding::below_graylist);
}

TEST(ScoreWatch, tells_a_crossing_once_in_each_direction) {
  ScoreWatch watch(kFour);
  EXPECT_EQ(told(watch, scores({{1, 0}, {2, -9}})), "");
  EXPECT_EQ(told(watch, scores({{1, -15}, {2, -9}})), "1:0>1");
  EXPECT_EQ(told(watch, scores({{1, -19}, {2, -9}})), "");
  EXPECT_EQ(told(watch, scores({{1, -100}, {2, -25}})), "1:1>3 2:0>2");
  EXPECT_EQ(told(watch, scores({{1, -30}, {2, -25}})), "1:3>2");
  EXPECT_EQ(told(watch, scores({{1, 0}, {2, -5}})), "1:2>0 2:2>0");
  EXPECT_EQ(watch.low_peers(), 0U);
}

TEST(ScoreWatch, forgets_who_disconnects_and_tells_of_it_again_when_it_returns_with_its_score) {
  ScoreWatch watch(kFour);
  EXPECT_EQ(told(watch, scores({{1, -50}})), "1:0>3");
  EXPECT_EQ(told(watch, scores({})), "");
  EXPECT_EQ(watch.low_peers(), 0U);
  EXPECT_EQ(told(watch, scores({{1, -50}})), "1:0>3");
}

}  // namespace
}  // namespace opp2p
