// The whole of it on simulated hosts: blocks are gossiped, peers are blamed, banned, kept out, and let back.
#include "opstack/reputation/reputation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libp2p/storage/faulty_datastore_test.hpp"
#include "libp2p/storage/records/peer_keys.hpp"
#include "libp2p/testing/sim_hosts.hpp"
#include "opstack/reputation/records.hpp"
#include "opstack/rules/topics.hpp"
#include "testing/blocks.hpp"

namespace opstack::reputation {
namespace {

using gossip::BlockGossip;
using libp2p::GossipsubService;
using libp2p::Multiaddr;
using libp2p::Seconds;
using libp2p::storage::FaultyDatastore;
using rules::Version;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint64_t kChain = 901;
constexpr Version kVersion = Version::v3;

ScoringProfile profile_named(std::string_view name) {
  const auto topics = rules::blocks_topics(kChain);
  const ScoredChain chain{Seconds(2), {topics.begin(), topics.end()}};
  return make_scoring_profile(name, chain, ProfileUse::node).value();
}

gossip::BlockGossipConfig block_gossip_config() {
  gossip::BlockGossipConfig out;
  out.chain_id = kChain;
  out.version_at = [](std::uint64_t) { return kVersion; };
  return out;
}

// Sends what it likes to everybody, whatever the mesh is, and judges nobody.
struct Peer {
  explicit Peer(libp2p::Host& host) : host(host), gossip(host, config(), scores) {
    const auto accept = [](const libp2p::gossipsub::Validate&, const GossipsubService::Done& done) {
      done(libp2p::gossipsub::ValidationResult::accept);
    };
    for (const auto& topic : rules::blocks_topics(kChain)) gossip.join(topic, accept, nullptr).value();
  }
  static libp2p::GossipsubConfig config() {
    libp2p::gossipsub::Params params;
    params.mesh.flood_publish = true;
    return gossip::block_gossip_config(kChain, params);
  }
  void send(libp2p::ByteView message) {
    const auto topic = rules::blocks_topic(kChain, kVersion);
    gossip.publish(topic, message, libp2p::gossipsub::LocalCheck::already_valid).value();
  }
  libp2p::Host& host;
  libp2p::gossipsub::NeutralScores scores;
  GossipsubService gossip;
};

struct Told {
  std::vector<std::pair<PeerId, Ban>> banned;
  std::vector<std::pair<PeerId, BanEnd>> unbanned;
  std::vector<std::string> common;
  std::vector<GateRule> refused;
  std::size_t blamed = 0;
  std::size_t store_failed = 0;

  void on(const PeerBanned& event) { banned.emplace_back(event.peer, event.ban); }
  void on(const PeerUnbanned& event) { unbanned.emplace_back(event.peer, event.end); }
  void on(const IpBanned&) {}
  void on(const IpUnbanned&) {}
  void on(const PeerBlamed&) { ++blamed; }
  void on(const CommonFaultFound& event) { common.push_back(event.text); }
  void on(const CommonFaultEnded&) {}
  void on(const GateRefused& event) { refused.push_back(event.rule); }
  void on(const ReputationStoreFailed&) { ++store_failed; }
};

// The node that judges: a host with its reputation system and block gossip.
class JudgingNode {
 public:
  JudgingNode(const libp2p::runtime::SimNode& node, std::shared_ptr<libp2p::storage::Datastore> store,
              ReputationConfig config, const std::set<PeerId>& statics)
      : reputation(node.runtime(), config, std::move(store), nullptr),
        events_(reputation.subscribe(
            [this](const ReputationEvent& event) { std::visit([this](const auto& kind) { told.on(kind); }, event); })),
        loaded(reputation.load()),
        host(node.runtime(), host_config()),
        gossip(host, gossip_service_config(config), reputation.scores()),
        blocks(node.runtime(), gossip, block_gossip_config(), nullptr) {
    reputation.attach(host, [statics](const PeerId& peer) { return statics.contains(peer); });
    reputation.listen_to(blocks);
    blocks.rotate_signer(libp2p::crypto::secp256k1::address_of(testing_blocks::sequencer_key()));
    blocks.join().value();
    host.listen(Multiaddr::from_text("/ip4/" + node.ip4() + "/tcp/9222").value()).value();
    reputation.start();
  }
  ~JudgingNode() { reputation.check(); }

  Told told;
  Reputation reputation;

 private:
  libp2p::HostConfig host_config() {
    libp2p::SeededRng rng(5);  // the same node each time
    libp2p::HostConfig out(libp2p::crypto::PrivateKey::generate(libp2p::crypto::KeyType::ed25519, rng).value());
    out.gater = reputation.gater();
    return out;
  }
  static libp2p::GossipsubConfig gossip_service_config(const ReputationConfig& config) {
    libp2p::gossipsub::Params params;
    params.thresholds = config.scoring.thresholds;
    return gossip::block_gossip_config(kChain, params);
  }
  libp2p::Subscription events_;

 public:
  Result<void> loaded;
  libp2p::Host host;
  GossipsubService gossip;
  BlockGossip blocks;
};

class ReputationTest : public ::testing::Test {
 protected:
  void use(std::string_view profile) { config_.scoring = profile_named(profile); }
  void begin(std::size_t peers, const std::set<std::size_t>& statics = {}) {
    for (std::size_t n = 0; n < peers; ++n) peers_.push_back(std::make_unique<Peer>(net_.add()));
    for (const auto n : statics) statics_.insert(id(n));
    start();
    for (std::size_t n = 0; n < peers; ++n) ASSERT_TRUE(connect(n));
    net_.run_for(Seconds(3));
  }
  void start() { judge_.emplace(node_, store_, config_, statics_); }
  // The process ends without a word, and begins anew with what the store has.
  void kill_and_restart() {
    judge_.reset();
    net_.run_for(Seconds(2));
    start();
  }
  bool connect(std::size_t n) {
    const auto there = judge_->host.listen_addresses().front().with_peer_id(judge_->host.id());
    const auto peer = net_.run(n, net_.host(n).connect(there));
    net_.run_for(Seconds(2));  // the far end may still refuse
    return peer && peer->has_value() && connected(n);
  }
  Reputation& reputation() { return judge_->reputation; }
  Told& told() { return judge_->told; }
  Peer& peer(std::size_t n) { return *peers_.at(n); }
  const PeerId& id(std::size_t n) { return net_.host(n).id(); }
  bool connected(std::size_t n) { return judge_->host.connected(id(n)); }
  std::uint64_t now() { return static_cast<std::uint64_t>(libp2p::unix_seconds(node_.runtime().now().wall)); }

  libp2p::Bytes valid_block() { return message(testing_blocks::block(kVersion, ++number_, now())); }
  libp2p::Bytes old_block() { return message(testing_blocks::block(kVersion, ++number_, now() - 100)); }
  libp2p::Bytes bad_hash() {
    auto envelope = testing_blocks::block(kVersion, ++number_, now());
    envelope.payload.gas_used += 1;
    return message(envelope);
  }
  libp2p::Bytes signed_by_another() {
    return testing_blocks::message(kChain, kVersion, testing_blocks::block(kVersion, ++number_, now()),
                                   testing_blocks::other_key());
  }
  static libp2p::Bytes message(const payload::Envelope& envelope) {
    return testing_blocks::message(kChain, kVersion, envelope);
  }
  // How many it took until the peer was banned; 0: it was not.
  std::size_t send_bad_until_banned(std::size_t n, std::size_t most = 20) {
    for (std::size_t sent = 1; sent <= most && connected(n); ++sent) {
      peer(n).send(bad_hash());
      net_.run_for(Seconds(1));
      if (reputation().ban_of(id(n))) return sent;
    }
    return 0;
  }
  // "changed", "unchanged", or the code of the error.
  std::string wait_for(const std::function<void(Reputation::Done)>& call) {
    std::optional<Result<bool>> answer;
    call([&answer](Result<bool> result) { answer = std::move(result); });
    net_.world().run_until([&answer] { return answer.has_value(); }, Seconds(60));
    if (!answer) return "no answer";
    if (!*answer) return std::string(libp2p::to_string(answer->error().code()));
    return **answer ? "changed" : "unchanged";
  }
  std::string undo(std::size_t n) {
    return wait_for([this, n](Reputation::Done done) { reputation().unban(id(n), std::move(done)); });
  }
  std::string ban(std::size_t n, Nanos duration = Seconds(600)) {
    return wait_for(
        [&](Reputation::Done done) { reputation().ban(id(n), duration, "the operator says so", std::move(done)); });
  }

  ReputationConfig config_ = [] {
    ReputationConfig out;
    out.scoring = profile_named("opp2p");
    return out;
  }();
  std::shared_ptr<FaultyDatastore> store_ = std::make_shared<FaultyDatastore>();
  libp2p::SimHosts net_{47};
  libp2p::runtime::SimNode node_ = net_.world().add_node();
  std::set<PeerId> statics_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::optional<JudgingNode> judge_;
  std::uint64_t number_ = 100;
};

TEST_F(ReputationTest, bans_a_peer_of_invalid_blocks_within_ten_of_them_and_says_why) {
  begin(2);
  for (int n = 0; n < 3; ++n) {
    peer(1).send(valid_block());
    net_.run_for(Seconds(1));
  }
  const auto sent = send_bad_until_banned(0);
  EXPECT_EQ(sent, 8U);
  net_.run_for(Seconds(1));
  EXPECT_FALSE(connected(0));
  EXPECT_TRUE(connected(1));
  const auto list = reputation().bans();
  ASSERT_THAT(list.peers, SizeIs(1));
  EXPECT_THAT(list.ips, IsEmpty()) << "no rule bans an address";
  EXPECT_EQ(list.peers[0].peer, id(0));
  const Ban& ban = list.peers[0].ban;
  EXPECT_EQ(ban.rule, BanRule::blamed_messages);
  EXPECT_EQ(ban.until - ban.since, Seconds(3600));
  EXPECT_GT(ban.score, -40) << "eight faults keep it above the graylist";
  EXPECT_LT(ban.score, 0);
  EXPECT_GT(ban.scores.gossip.invalid_message_deliveries, 7);
  ASSERT_THAT(ban.evidence, SizeIs(8));
  EXPECT_EQ(ban.evidence[7].kind, FaultKind::bad_block_hash);
  EXPECT_EQ(ban.evidence[7].block_number, number_);
  EXPECT_TRUE(ban.evidence[7].block_hash.has_value());
  EXPECT_EQ(ban.evidence[7].message_id.size(), 40U);
  EXPECT_THAT(ban.evidence[7].text, HasSubstr("payload has bad block hash"));
  EXPECT_THAT(ban.text, HasSubstr("8 different invalid messages"));
  EXPECT_THAT(told().banned, SizeIs(1));
  EXPECT_EQ(told().blamed, 8U);
  EXPECT_THAT(told().common, IsEmpty());
}

TEST_F(ReputationTest, keeps_a_ban_over_a_kill_and_a_restart_until_it_expires) {
  begin(1);
  ASSERT_GT(send_bad_until_banned(0), 0U);
  net_.run_for(Seconds(1));
  const auto before = reputation().ban_of(id(0));
  kill_and_restart();
  ASSERT_TRUE(judge_->loaded.has_value());
  const auto after = reputation().ban_of(id(0));
  ASSERT_TRUE(before && after);
  EXPECT_EQ(*after, *before) << "with its reason, scores and evidence";
  EXPECT_FALSE(connect(0));
  EXPECT_THAT(told().refused, Not(IsEmpty()));
  net_.run_for(before->until - node_.runtime().now().wall + Seconds(1));
  EXPECT_TRUE(connect(0));
  ASSERT_THAT(told().unbanned, SizeIs(1));
  EXPECT_EQ(told().unbanned[0], std::pair(id(0), BanEnd::expired));
  net_.run_for(Seconds(10));
  EXPECT_TRUE(connected(0)) << "its scores ended with the ban";
  EXPECT_THAT(reputation().faults_of(id(0)), IsEmpty());
  for (const auto base : {kPeerBanBase, kBanReasonBase})
    ASSERT_TRUE(store_->scan(base, [](std::string_view key, libp2p::ByteView) {
      ADD_FAILURE() << key;
      return true;
    }));
}

TEST_F(ReputationTest, lets_a_peer_back_whose_ban_is_undone_and_does_not_ban_it_again_at_once) {
  begin(1);
  ASSERT_GT(send_bad_until_banned(0), 0U);
  net_.run_for(Seconds(1));
  EXPECT_EQ(undo(0), "changed");
  EXPECT_EQ(undo(0), "unchanged") << "there is none any more";
  ASSERT_TRUE(connect(0));
  net_.run_for(Seconds(30));
  EXPECT_TRUE(connected(0));
  EXPECT_GE(reputation().scores_of(id(0)).value().gossip.total, 0);
  for (int n = 0; n < 7; ++n) {
    peer(0).send(bad_hash());
    net_.run_for(Seconds(1));
  }
  EXPECT_TRUE(connected(0)) << "it begins anew";
  EXPECT_EQ(send_bad_until_banned(0), 1U);
}

TEST_F(ReputationTest, keeps_an_undo_over_a_kill_and_a_restart) {
  begin(1);
  ASSERT_GT(send_bad_until_banned(0), 0U);
  net_.run_for(Seconds(20));
  ASSERT_EQ(undo(0), "changed");
  kill_and_restart();
  EXPECT_TRUE(connect(0));
  net_.run_for(Seconds(10));
  EXPECT_TRUE(connected(0));
}

TEST_F(ReputationTest, blames_nobody_for_blocks_that_an_honest_peer_may_pass_on) {
  begin(2);
  peer(1).send(valid_block());
  for (int n = 0; n < 40; ++n) {
    peer(0).send(old_block());
    net_.run_for(Seconds(1));
  }
  EXPECT_TRUE(connected(0));
  EXPECT_THAT(reputation().faults_of(id(0)), IsEmpty());
  EXPECT_GE(reputation().scores_of(id(0)).value().gossip.total, 0);
  EXPECT_EQ(told().blamed, 0U);
}

TEST_F(ReputationTest, never_bans_a_static_peer_by_a_rule) {
  begin(2, {0});
  peer(1).send(valid_block());
  EXPECT_EQ(send_bad_until_banned(0, 30), 0U);
  EXPECT_TRUE(connected(0));
  EXPECT_EQ(ban(0), "changed") << "the operator may";
  net_.run_for(Seconds(1));
  EXPECT_FALSE(connected(0));
}

TEST_F(ReputationTest, bans_nobody_without_ban_peers) {
  config_.ban_peers = false;
  begin(2);
  peer(1).send(valid_block());
  EXPECT_EQ(send_bad_until_banned(0, 12), 0U);
  EXPECT_GE(reputation().faults_of(id(0)).size(), 8U);
}

TEST_F(ReputationTest, under_light_an_invalid_block_costs_nothing_as_in_op_node_and_is_on_record) {
  use("light");
  begin(2);
  EXPECT_EQ(send_bad_until_banned(0, 12), 0U);
  EXPECT_TRUE(connected(0));
  EXPECT_EQ(reputation().scores_of(id(0)).value().gossip.total, 0);
  EXPECT_EQ(reputation().faults_of(id(0)).size(), 12U);
}

TEST_F(ReputationTest, takes_a_fault_of_most_peers_for_its_own_and_gives_back_what_it_cost) {
  begin(5);
  for (std::size_t n = 0; n < 5; ++n) {
    peer(n).send(valid_block());
    net_.run_for(Seconds(1));
  }
  for (int round = 0; round < 20; ++round) {
    for (std::size_t n = 0; n < 3; ++n) peer(n).send(signed_by_another());
    net_.run_for(Seconds(2));
  }
  for (std::size_t n = 0; n < 5; ++n) {
    EXPECT_TRUE(connected(n)) << n;
    EXPECT_THAT(reputation().faults_of(id(n)), IsEmpty()) << n;
    EXPECT_GE(reputation().scores_of(id(n)).value().gossip.total, 0) << n;
  }
  ASSERT_THAT(told().common, SizeIs(1)) << "it is told once";
  EXPECT_THAT(told().common[0], HasSubstr("signer"));
  EXPECT_EQ(send_bad_until_banned(4), 8U) << "a fault of another kind is the peer's";
}

TEST_F(ReputationTest, refuses_whom_it_cannot_look_up) {
  store_->reads_fail = true;
  peers_.push_back(std::make_unique<Peer>(net_.add()));
  start();
  EXPECT_FALSE(judge_->loaded.has_value());
  EXPECT_FALSE(connect(0));
  ASSERT_THAT(told().refused, Not(IsEmpty()));
  EXPECT_EQ(told().refused[0], GateRule::unreadable);
}

TEST_F(ReputationTest, answers_a_ban_of_the_operator_when_it_is_durable) {
  begin(1);
  std::optional<Result<bool>> answer;
  reputation().ban(id(0), Seconds(600), "it is rude", [&answer](Result<bool> result) { answer = result; });
  EXPECT_FALSE(answer.has_value());
  net_.world().run_until([&answer] { return answer.has_value(); }, Seconds(5));
  ASSERT_TRUE(answer && answer->has_value());
  judge_.reset();  // at this moment
  net_.run_for(Seconds(2));
  start();
  const auto ban = reputation().ban_of(id(0));
  ASSERT_TRUE(ban);
  EXPECT_EQ(ban->rule, BanRule::operator_request);
  EXPECT_EQ(ban->text, "it is rude");
  EXPECT_FALSE(connect(0));
}

TEST_F(ReputationTest, says_that_a_ban_is_not_durable_and_keeps_it_all_the_same) {
  begin(1);
  store_->failures = 1;
  EXPECT_EQ(ban(0), "input/output");
  EXPECT_EQ(told().store_failed, 1U);
  EXPECT_TRUE(reputation().ban_of(id(0)));
  net_.run_for(Seconds(10));
  kill_and_restart();
  EXPECT_TRUE(reputation().ban_of(id(0))) << "it was written later";
}

TEST_F(ReputationTest, bans_an_address_and_closes_what_comes_from_there) {
  begin(2);
  const std::string ip = net_.node(0).ip4();
  const auto mapped = "::ffff:" + ip;
  EXPECT_EQ(wait_for([&](Reputation::Done done) { reputation().ban_ip(mapped, Seconds(600), "spam", done); }),
            "changed");
  net_.run_for(Seconds(1));
  EXPECT_FALSE(connected(0));
  EXPECT_TRUE(connected(1));
  EXPECT_FALSE(connect(0));
  ASSERT_THAT(reputation().bans().ips, SizeIs(1));
  EXPECT_EQ(reputation().bans().ips[0].ip, ip);
  kill_and_restart();
  EXPECT_TRUE(reputation().ban_of_ip(ip));
  EXPECT_EQ(wait_for([&](Reputation::Done done) { reputation().unban_ip(ip, done); }), "changed");
  EXPECT_TRUE(connect(0));
}

TEST_F(ReputationTest, refuses_bans_that_make_no_sense) {
  begin(1);
  EXPECT_EQ(ban(0, Nanos(0)), "invalid argument");
  EXPECT_EQ(wait_for([&](Reputation::Done done) { reputation().ban(judge_->host.id(), Seconds(60), "", done); }),
            "invalid argument");
  EXPECT_EQ(wait_for([&](Reputation::Done done) { reputation().ban_ip("10.0.0.0/8", Seconds(60), "", done); }),
            "malformed");
  EXPECT_EQ(wait_for([&](Reputation::Done done) { reputation().unban_ip("nowhere", done); }), "malformed");
  ASSERT_EQ(ban(0, Seconds(30 * 86400)), "changed");
  EXPECT_EQ(reputation().ban_of(id(0))->until - reputation().ban_of(id(0))->since, kLongestBan);
}

TEST_F(ReputationTest, reads_the_ban_of_another_program_and_leaves_a_record_that_it_cannot_read) {
  peers_.push_back(std::make_unique<Peer>(net_.add()));
  const auto key = libp2p::storage::peer_key(kPeerBanBase, id(0));
  const UnixTime start_time = node_.runtime().now().wall;
  const std::vector<libp2p::storage::Change> changes = {
      {key, encode_ban({start_time + Seconds(500), start_time})},
      {libp2p::storage::peer_key(kBanReasonBase, id(0)), libp2p::to_bytes("{")},
      {"/ips/ban_expiration/nonsense", libp2p::to_bytes("{}")}};
  ASSERT_TRUE(store_->store.apply(changes).has_value());
  start();
  EXPECT_TRUE(judge_->loaded.has_value());
  EXPECT_EQ(told().store_failed, 2U);
  const auto ban = reputation().ban_of(id(0));
  ASSERT_TRUE(ban);
  EXPECT_EQ(ban->rule, BanRule::unknown);
  EXPECT_FALSE(connect(0));
}

TEST_F(ReputationTest, writes_scores_into_the_book_and_what_did_not_change_not_again) {
  begin(1);
  peer(0).send(bad_hash());
  net_.run_for(Seconds(60));  // the fault is held back for half a minute
  const auto key = libp2p::storage::peer_key(kScoreBase, id(0));
  const auto bytes = store_->get(key).value();
  ASSERT_TRUE(bytes);
  EXPECT_LT(decode_scores(*bytes).value().scores.gossip.total, 0);
  net_.run_for(Seconds(3 * 3600));  // it has decayed, and the garbage was collected
  EXPECT_FALSE(store_->batches.empty());
}

}  // namespace
}  // namespace opstack::reputation
