#include "opstack/reputation/application_scores.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "opstack/reputation/reputation_test_support.hpp"

namespace opstack::reputation {
namespace {

using sync::PeerMerit;
using test::peer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct MeritRow {
  PeerMerit merit;
  double ReqRespScores::* counter;
  double cap;
  double weight;
};
constexpr MeritRow kMerits[] = {
    {PeerMerit::valid_response, &ReqRespScores::valid_responses, 10, 0.5},
    {PeerMerit::error_response, &ReqRespScores::error_responses, 9, -1},
    {PeerMerit::rejected_payload, &ReqRespScores::rejected_payloads, 20, -20},
};

TEST(ApplicationScores, count_by_one_up_to_their_caps_with_their_weights) {
  for (const auto& row : kMerits) {
    ApplicationScores scores;
    scores.on_connected(peer(1), {});
    for (int n = 1; n <= 30; ++n) {
      EXPECT_TRUE(scores.on_report(peer(1), row.merit));
      const double expected = std::min<double>(n, row.cap);
      EXPECT_EQ(scores.scores_of(peer(1)).*row.counter, expected) << sync::to_string(row.merit);
      EXPECT_EQ(scores.score_of(peer(1)), expected * row.weight);
    }
    scores.check();
  }
}

TEST(ApplicationScores, decay_to_a_hundredth_in_sixty_slots_and_are_zero_below) {
  for (const auto& row : kMerits) {
    ApplicationScores scores;
    scores.on_connected(peer(1), {});
    scores.on_report(peer(1), row.merit);
    EXPECT_THAT(scores.decay(), ElementsAre(peer(1)));
    EXPECT_DOUBLE_EQ(scores.scores_of(peer(1)).*row.counter, std::pow(0.01, 1.0 / 60));
    for (int slot = 2; slot <= 59; ++slot) scores.decay();
    EXPECT_GT(scores.scores_of(peer(1)).*row.counter, 0.01);
    for (int slot = 60; slot <= 61; ++slot) scores.decay();
    EXPECT_EQ(scores.scores_of(peer(1)).*row.counter, 0);
    EXPECT_THAT(scores.decay(), IsEmpty()) << "nothing changes any more";
  }
}

TEST(ApplicationScores, begin_with_what_the_book_has_and_are_kept_for_connected_peers_only) {
  ApplicationScores scores;
  EXPECT_FALSE(scores.on_report(peer(1), PeerMerit::valid_response));
  scores.on_connected(peer(1), {4, 1, 0});
  EXPECT_EQ(scores.score_of(peer(1)), 1);
  scores.on_disconnected(peer(1));
  EXPECT_EQ(scores.score_of(peer(1)), 0);
  EXPECT_THAT(scores.decay(), IsEmpty());
  EXPECT_EQ(scores.size(), 0U);
}

TEST(ApplicationScores, are_cleared) {
  ApplicationScores scores;
  scores.on_connected(peer(1), {0, 0, 20});
  EXPECT_EQ(scores.score_of(peer(1)), -400);
  scores.clear(peer(1));
  EXPECT_EQ(scores.score_of(peer(1)), 0);
  EXPECT_TRUE(scores.is_connected(peer(1)));
  scores.clear(peer(2));
  EXPECT_FALSE(scores.is_connected(peer(2)));
}

}  // namespace
}  // namespace opstack::reputation
