#include "opstack/reputation/score_keeper.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libp2p/runtime/sim/sim_world.hpp"
#include "libp2p/storage/faulty_datastore_test.hpp"
#include "libp2p/storage/records/peer_keys.hpp"
#include "opstack/reputation/records.hpp"
#include "opstack/reputation/reputation_test_support.hpp"

namespace opstack::reputation {
namespace {

using libp2p::Errc;
using libp2p::Seconds;
using libp2p::gossipsub::PeerAddress;
using libp2p::gossipsub::RejectCause;
using libp2p::storage::BatchWriter;
using libp2p::storage::peer_key;
using sync::PeerMerit;
using test::peer;

class ScoreKeeperTest : public ::testing::Test {
 protected:
  void begin(std::string_view profile) {
    const ScoredChain chain{Seconds(2), {"t"}};
    keeper_ = std::make_unique<ScoreKeeper>(make_scoring_profile(profile, chain, ProfileUse::node).value(), runtime_,
                                            writer_);
  }
  ~ScoreKeeperTest() override {
    if (keeper_) keeper_->check();
    keeper_.reset();
  }
  libp2p::Now now() const { return runtime_.now(); }
  void add(std::uint8_t n, const char* address = "/ip4/198.51.100.1/tcp/1") {
    keeper_->scores().on_peer_added(peer(n), now());
    const std::vector<PeerAddress> places{{libp2p::Multiaddr::from_text(address).value()}};
    keeper_->scores().on_addresses(peer(n), places, now());
    keeper_->on_connected(peer(n));
  }
  void report(std::uint8_t n, PeerMerit merit, int times) {
    for (int i = 0; i < times; ++i) keeper_->on_report({peer(n), merit});
  }
  std::optional<PeerScoreRecord> written(std::uint8_t n) {
    const auto bytes = writer_.get(peer_key(kScoreBase, peer(n))).value();
    if (!bytes) return std::nullopt;
    return decode_scores(*bytes).value().scores;
  }

  libp2p::runtime::SimWorld world_{1};
  libp2p::runtime::Runtime& runtime_ = world_.add_node().runtime();
  std::shared_ptr<libp2p::storage::FaultyDatastore> store_ = std::make_shared<libp2p::storage::FaultyDatastore>();
  BatchWriter writer_{runtime_, store_};
  std::unique_ptr<ScoreKeeper> keeper_;
};

TEST_F(ScoreKeeperTest, leaves_P6_out_of_what_bans_under_opp2p) {
  begin("opp2p");
  for (std::uint8_t n = 1; n <= 60; ++n) add(n);
  keeper_->write();
  EXPECT_LT(keeper_->scores_of(peer(1))->gossip.total, -1000) << "sixty strangers behind one address";
  EXPECT_EQ(keeper_->score_to_ban(peer(1)).value(), 0);
  EXPECT_EQ(keeper_->score_to_gate(peer(1)).value(), 0);
}

TEST_F(ScoreKeeperTest, compares_the_total_that_was_written_last_under_light) {
  begin("light");
  for (std::uint8_t n = 1; n <= 13; ++n) add(n);
  EXPECT_EQ(keeper_->score_to_ban(peer(1)).value(), 0) << "it has not been written";
  keeper_->write();
  EXPECT_EQ(keeper_->score_to_ban(peer(1)).value(), -35 * 9);
  EXPECT_EQ(keeper_->score_to_gate(peer(1)).value(), -35 * 9);
}

TEST_F(ScoreKeeperTest, makes_reports_of_sync_P5_and_writes_them) {
  for (const char* profile : {"light", "opp2p"}) {
    begin(profile);
    add(1);
    report(1, PeerMerit::rejected_payload, 6);
    EXPECT_EQ(keeper_->scores().score(peer(1)), -120) << profile;
    keeper_->write();
    EXPECT_EQ(written(1)->req_resp.rejected_payloads, 6) << profile;
    EXPECT_EQ(keeper_->score_to_ban(peer(1)).value(), -120) << profile;
    keeper_->on_slot();
    EXPECT_GT(keeper_->scores().score(peer(1)), -120) << profile;
    keeper_->clear(peer(1));
    EXPECT_EQ(keeper_->scores().score(peer(1)), 0) << profile;
    EXPECT_FALSE(written(1)) << profile;
  }
}

TEST_F(ScoreKeeperTest, knows_a_peer_again_that_comes_back) {
  begin("light");
  add(1);
  report(1, PeerMerit::error_response, 4);
  keeper_->scores().on_peer_removed(peer(1), now());
  keeper_->on_disconnected(peer(1));
  report(1, PeerMerit::error_response, 1);  // that was on its way
  add(1);
  EXPECT_EQ(keeper_->scores().score(peer(1)), -5);
}

TEST_F(ScoreKeeperTest, writes_nothing_of_peers_of_whom_there_is_nothing_to_say) {
  begin("light");
  for (std::uint8_t n = 1; n <= 5; ++n) add(n);
  keeper_->write();
  EXPECT_EQ(writer_.changes(), 0U);
}

TEST_F(ScoreKeeperTest, scores_nobody_under_none) {
  begin("none");
  keeper_->on_connected(peer(1));
  report(1, PeerMerit::rejected_payload, 20);
  keeper_->write();
  EXPECT_EQ(keeper_->scorer(), nullptr);
  EXPECT_EQ(keeper_->score_to_ban(peer(1)).value(), 0);
  EXPECT_EQ(writer_.changes(), 0U);
}

TEST_F(ScoreKeeperTest, says_that_the_store_cannot_be_read) {
  begin("opp2p");
  store_->reads_fail = true;
  EXPECT_EQ(keeper_->score_to_gate(peer(1)).error(), Errc::io);
  EXPECT_FALSE(keeper_->scores_of(peer(1)));
  add(2);
  EXPECT_EQ(keeper_->scores().score(peer(2)), 0) << "who is there already counts as unknown";
}

TEST_F(ScoreKeeperTest, collects_records_that_have_expired_and_no_others) {
  begin("light");
  const UnixTime wall = now().wall;
  const auto key = [](std::string_view base, std::uint8_t n) { return peer_key(base, peer(n)); };
  const std::vector<libp2p::storage::Change> changes = {
      {key(kScoreBase, 1), encode_scores({wall - Seconds(1201), {}})},
      {key(kScoreBase, 2), encode_scores({wall - Seconds(1199), {}})},
      {key(kPeerMetadataBase, 1), encode_metadata({wall - Seconds(7 * 86400 + 1), {}})},
      {key(kPeerMetadataBase, 2), encode_metadata({wall - Seconds(7 * 86400 - 1), {}})},
      {key(kPeerBanBase, 1), encode_ban({wall + Seconds(9), wall - Seconds(8 * 86400)})},
      {"/ips/ban_expiration/198.51.100.9", encode_ban({wall, wall - Seconds(8 * 86400)})},
      {key(kScoreBase, 3), libp2p::to_bytes("no record")}};
  ASSERT_TRUE(store_->apply(changes).has_value());
  keeper_->collect_garbage();
  world_.run_for(Seconds(10));
  std::vector<std::string> left;
  ASSERT_TRUE(store_->scan("/", [&left](std::string_view at, libp2p::ByteView) {
    left.emplace_back(at);
    return true;
  }));
  EXPECT_THAT(left, ::testing::UnorderedElementsAre(key(kScoreBase, 2), key(kPeerMetadataBase, 2), key(kScoreBase, 3)));
}

TEST_F(ScoreKeeperTest, does_not_collect_what_was_written_meanwhile) {
  begin("light");
  const auto key = peer_key(kScoreBase, peer(1));
  const std::vector<libp2p::storage::Change> old = {{key, encode_scores({now().wall - Seconds(5000), {}})}};
  ASSERT_TRUE(store_->apply(old).has_value());
  keeper_->collect_garbage();
  ASSERT_TRUE(writer_.put({key, encode_scores({now().wall, {}})}).has_value());
  world_.run_for(Seconds(10));
  EXPECT_NE(store_->text(key), "none");
}

}  // namespace
}  // namespace opstack::reputation
