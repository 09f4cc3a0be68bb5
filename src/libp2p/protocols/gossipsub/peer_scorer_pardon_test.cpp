// Counts of P4 that are heard of and taken back, and peers whose scores are cleared.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libp2p/protocols/gossipsub/peer_scorer_test_support.hpp"

namespace libp2p::gossipsub::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Told {
  PeerId peer;
  MessageId id;
  bool valid;
  friend bool operator==(const Told&, const Told&) = default;
};

class Ear final : public DeliveryObserver {
 public:
  explicit Ear(PeerScorer& scorer) : scorer_(scorer) { scorer.set_observer(this); }
  ~Ear() override { scorer_.set_observer(nullptr); }
  void on_valid(const PeerId& peer, std::string_view, const MessageId& id, Now) override {
    told.push_back({peer, id, true});
  }
  void on_invalid(const PeerId& peer, std::string_view topic, const MessageId& id, RejectCause cause,
                  const InvalidCount& count, Now) override {
    told.push_back({peer, id, false});
    EXPECT_EQ(topic, "t");
    causes.push_back(cause);
    counts.push_back(count);
    if (takes_back) scorer_.take_back(count);
  }

  std::vector<Told> told;
  std::vector<RejectCause> causes;
  std::vector<InvalidCount> counts;
  bool takes_back = false;

 private:
  PeerScorer& scorer_;
};

Told valid(std::uint32_t n, std::uint8_t message) { return {peer_id(n), ScorerBench::id(message), true}; }
Told invalid(std::uint32_t n, std::uint8_t message) { return {peer_id(n), ScorerBench::id(message), false}; }

TEST(DeliveryObserver, hears_of_all_who_bring_a_valid_message) {
  ScorerBench bench;
  Ear ear(bench.scorer);
  for (std::uint32_t n = 1; n <= 3; ++n) bench.add(n);
  bench.begin(1, 1);
  bench.copy(2, 1);
  EXPECT_THAT(ear.told, IsEmpty()) << "nobody knows yet whether it is valid";
  bench.deliver(1, 1);
  EXPECT_THAT(ear.told, ElementsAre(valid(1, 1), valid(2, 1)));
  bench.decay_after(Seconds(1));
  bench.copy(3, 1);
  EXPECT_EQ(ear.told.back(), valid(3, 1)) << "also when it is too late for P3";
}

TEST(DeliveryObserver, hears_of_each_count_of_P4) {
  ScorerBench bench;
  Ear ear(bench.scorer);
  for (std::uint32_t n = 1; n <= 3; ++n) bench.add(n);
  bench.begin(1, 1);
  bench.copy(2, 1);
  bench.reject(1, 1, RejectCause::invalid);
  bench.copy(3, 1);
  EXPECT_THAT(ear.told, ElementsAre(invalid(1, 1), invalid(2, 1), invalid(3, 1)));
  bench.scorer.on_rejected(peer_id(2), "t", {}, RejectCause::unexpected_author, bench.now);
  EXPECT_EQ(ear.told.back(), (Told{peer_id(2), {}, false}));
  EXPECT_EQ(ear.causes.back(), RejectCause::unexpected_author);
}

TEST(DeliveryObserver, hears_nothing_of_what_nobody_is_blamed_for) {
  ScorerBench bench;
  Ear ear(bench.scorer);
  bench.add(1);
  for (const auto cause : {RejectCause::ignored, RejectCause::throttled, RejectCause::not_to_blame,
                           RejectCause::invalid_unblamed, RejectCause::queue_full}) {
    bench.reject(1, static_cast<std::uint8_t>(cause), cause);
    bench.copy(1, static_cast<std::uint8_t>(cause));
  }
  bench.scorer.on_rejected(PeerId(), "t", ScorerBench::id(99), RejectCause::invalid, bench.now);
  bench.scorer.on_delivered(PeerId(), "t", ScorerBench::id(98), bench.now);
  bench.scorer.on_rejected(peer_id(1), "other", ScorerBench::id(97), RejectCause::invalid, bench.now);
  EXPECT_THAT(ear.told, IsEmpty());
  EXPECT_EQ(bench.score(1), 0);
}

TEST(PeerScorerPardon, takes_back_what_has_not_decayed_yet) {
  ScorerBench bench;
  Ear ear(bench.scorer);
  bench.add(1);
  bench.reject(1, 1, RejectCause::invalid);
  bench.decay_after(Seconds(1));
  bench.reject(1, 2, RejectCause::invalid);
  EXPECT_EQ(bench.topic(1).invalid_deliveries.value, 1.5);
  bench.scorer.take_back(ear.counts[0]);
  EXPECT_EQ(bench.topic(1).invalid_deliveries.value, 1);
  EXPECT_EQ(bench.score(1), -1000);
  bench.scorer.take_back(ear.counts[1]);
  EXPECT_EQ(bench.score(1), 0);
  bench.scorer.take_back(ear.counts[1]);
  EXPECT_EQ(bench.score(1), 0) << "it is not turned into a merit";
}

TEST(PeerScorerPardon, can_take_a_count_back_while_it_is_told) {
  ScorerBench bench;
  Ear ear(bench.scorer);
  ear.takes_back = true;
  for (std::uint32_t n = 1; n <= 3; ++n) bench.add(n);
  bench.begin(1, 1);
  bench.copy(2, 1);
  bench.reject(1, 1, RejectCause::invalid);
  bench.copy(3, 1);
  EXPECT_EQ(ear.told.size(), 3U);
  for (std::uint32_t n = 1; n <= 3; ++n) EXPECT_EQ(bench.score(n), 0);
}

TEST(PeerScorerPardon, takes_back_nothing_from_a_peer_that_was_forgotten_since) {
  ScorerBench bench;
  Ear ear(bench.scorer);
  bench.add(1);
  bench.reject(1, 1, RejectCause::invalid);
  bench.remove(1);
  bench.decay_after(Seconds(61));
  bench.add(1);
  bench.reject(1, 2, RejectCause::invalid);
  bench.scorer.take_back(ear.counts[0]);
  EXPECT_EQ(bench.score(1), -1000);
}

TEST(PeerScorerPardon, knows_a_count_by_its_topic_when_topics_are_added) {
  ScorerBench bench;
  Ear ear(bench.scorer);
  bench.add(1);
  bench.reject(1, 1, RejectCause::invalid);
  ASSERT_TRUE(bench.scorer.set_topic_params("a", scored_params().topics["t"]).has_value());
  bench.scorer.take_back(ear.counts[0]);
  EXPECT_EQ(bench.score(1), 0);
}

TEST(PeerScorerPardon, clears_everything_that_a_peer_did_and_not_where_it_is) {
  ScorerBench bench;
  for (std::uint32_t n = 1; n <= 2; ++n) {
    bench.add(n);
    bench.place(n, {"/ip4/198.51.100.1/tcp/1"});
  }
  bench.graft(1);
  bench.deliver(1, 1);
  bench.reject(1, 2, RejectCause::invalid);
  bench.penalise(1, 5);
  bench.scorer.set_application_score(peer_id(1), -7);
  bench.decay_after(Seconds(10));
  bench.scorer.clear(peer_id(1));
  EXPECT_EQ(bench.shown(1).ip_colocation.weighted, -1);
  EXPECT_EQ(bench.topic(1).time_in_mesh_weighted, 0.1) << "it is still in the mesh";
  EXPECT_EQ(bench.score(1), -0.9);
  bench.scorer.clear(peer_id(3));
}

TEST(PeerScorerPardon, forgets_a_peer_that_is_away) {
  ScorerBench bench;
  bench.add(1);
  bench.reject(1, 1, RejectCause::invalid);
  bench.remove(1);
  EXPECT_EQ(bench.score(1), -1000);
  bench.scorer.clear(peer_id(1));
  EXPECT_EQ(bench.score(1), 0);
  EXPECT_EQ(bench.scorer.sizes().retained, 0U);
}

}  // namespace
}  // namespace libp2p::gossipsub::test
