#include "opp2p/peerstore/peerstore_move.hpp"

#include <gmock/gmock.h>

#include "libp2p/storage/faulty_datastore_test.hpp"
#include "opp2p/peerstore/peerstore_test_support.hpp"
#include "opp2p/peerstore/peerstore_view.hpp"
#include "opstack/reputation/ban_json.hpp"

namespace opp2p {
namespace {

using namespace testing_peerstore;
using libp2p::Errc;
using libp2p::storage::Datastore;
using libp2p::storage::FaultyDatastore;
using libp2p::storage::MemoryDatastore;
using ::testing::HasSubstr;
namespace reputation = opstack::reputation;
namespace storage = libp2p::storage;

std::map<std::string, std::string> contents(const Datastore& store) {
  std::map<std::string, std::string> out;
  EXPECT_TRUE(store.scan("", [&](std::string_view key, libp2p::ByteView value) {
    out.emplace(key, libp2p::as_text(value));
    return true;
  }));
  return out;
}

std::string reason_key(const libp2p::PeerId& peer) { return storage::peer_key(reputation::kBanReasonBase, peer); }

TEST(PeerstoreMove, keeps_the_bytes_of_every_record_there_and_back) {
  MemoryDatastore op_node, ours, back;
  const auto node = make_key(9);
  auto records = one_of_each(1);
  ASSERT_TRUE(op_node.apply(records));
  const auto imported = import_records(gather_records(op_node).value(), ours);
  ASSERT_TRUE(imported) << imported.error().message();
  EXPECT_EQ(imported->total(), records.size());
  EXPECT_EQ(imported->skipped, 0u);
  EXPECT_EQ(contents(ours), contents(op_node));
  const auto exported = export_records(ours, back, node);
  ASSERT_TRUE(exported);
  auto expected = contents(op_node);
  const auto own = peer_of_key(node);
  expected[storage::peer_key(storage::kKeyBase, own, "priv")] = libp2p::as_text(node.to_protobuf());
  expected[storage::peer_key(storage::kKeyBase, own, "pub")] = libp2p::as_text(node.public_key().to_protobuf());
  EXPECT_EQ(contents(back), expected);
}

TEST(PeerstoreMove, leaves_private_keys_out_and_hands_them_over) {
  MemoryDatastore op_node, ours;
  const std::vector<Change> records = {private_key_of(make_key(1)), scores_of(peer_of_key(make_key(1)), 1, 1)};
  ASSERT_TRUE(op_node.apply(records));
  auto gathered = gather_records(op_node).value();
  ASSERT_EQ(gathered.private_keys.size(), 1u);
  EXPECT_EQ(gathered.private_keys[0].public_key(), make_key(1).public_key());
  ASSERT_TRUE(import_records(std::move(gathered), ours));
  EXPECT_EQ(contents(ours).size(), 1u);
}

TEST(PeerstoreMove, counts_what_it_leaves_out_and_shows_the_first) {
  MemoryDatastore op_node;
  std::vector<Change> records = one_of_each(1);
  const auto sound = records.size();
  for (int i = 0; i < 25; ++i) records.push_back({"/unknown/" + std::to_string(i), libp2p::Bytes{1}});
  records.push_back({records[4].key, libp2p::to_bytes("{broken")});  // the scores
  ASSERT_TRUE(op_node.apply(records));
  const auto gathered = gather_records(op_node).value();
  EXPECT_EQ(gathered.records.size(), sound - 1);
  EXPECT_EQ(gathered.moved.skipped, 26u);
  ASSERT_EQ(gathered.moved.first_skipped.size(), kSkippedShown);
  EXPECT_EQ(gathered.moved.first_skipped[0].key, records[4].key);
  EXPECT_THAT(gathered.moved.first_skipped[0].reason, HasSubstr("JSON"));
}

TEST(PeerstoreMove, takes_a_subnet_with_bits_of_a_host_as_its_network_and_says_so) {
  MemoryDatastore op_node, ours;
  const std::string key = std::string(libp2p::storage::kBlockedSubnetBase) + "10.1.2.3/8";
  ASSERT_TRUE(op_node.apply(std::vector<Change>{{key, libp2p::to_bytes("10.1.2.3/8")}}));
  const auto moved = import_records(gather_records(op_node).value(), ours).value();
  EXPECT_EQ(moved.total(), 1u);
  EXPECT_EQ(moved.changed, 1u);
  ASSERT_EQ(moved.first_changed.size(), 1u);
  EXPECT_EQ(moved.first_changed[0].key, key);
  const auto network = libp2p::storage::blocked_subnet_record("10.0.0.0/8").value();
  EXPECT_EQ(moved.first_changed[0].reason, network.key);
  EXPECT_EQ(ours.get(network.key).value(), network.value);
  EXPECT_FALSE(ours.get(key).value());
}

TEST(PeerstoreMove, keeps_our_record_when_it_was_changed_later) {
  const auto peer = peer_of_key(make_key(1));
  MemoryDatastore op_node, ours;
  const std::vector<Change> theirs = {scores_of(peer, 1, 50), ban_of(peer, 1000, 200)};
  const std::vector<Change> own = {
      scores_of(peer, 2, 100), ban_of(peer, 2000, 100), {reason_key(peer), libp2p::to_bytes("{}")}};
  ASSERT_TRUE(op_node.apply(theirs));
  ASSERT_TRUE(ours.apply(own));
  const auto moved = import_records(gather_records(op_node).value(), ours).value();
  EXPECT_EQ(moved.kept, 1u);
  const auto view = view_peerstore(ours).value();
  EXPECT_EQ(view.peers.at(peer).scores->scores.gossip.total, 2);
  EXPECT_EQ(view.peers.at(peer).ban->expiry, libp2p::from_unix_seconds(1000));
  EXPECT_FALSE(view.peers.at(peer).ban_reason) << "the reason of the ban that was replaced";
}

TEST(PeerstoreMove, imports_everything_or_nothing) {
  MemoryDatastore op_node;
  FaultyDatastore ours;
  ASSERT_TRUE(op_node.apply(one_of_each(1)));
  ours.failures = 1;
  EXPECT_EQ(import_records(gather_records(op_node).value(), ours).error(), Errc::io);
  EXPECT_EQ(ours.store.entries(), 0u);
  EXPECT_EQ(ours.batches.size(), 1u);
  ours.reads_fail = true;
  EXPECT_EQ(import_records(gather_records(op_node).value(), ours).error(), Errc::io);
  EXPECT_EQ(gather_records(ours).error(), Errc::io);
}

TEST(PeerstoreMove, exports_only_what_op_node_knows) {
  MemoryDatastore ours, op_node;
  const auto peer = peer_of_key(make_key(1));
  const std::vector<Change> own = {
      ban_of(peer, 5, 5), {reason_key(peer), libp2p::to_bytes("{}")}, {"/opp2p/other", libp2p::to_bytes("x")}};
  ASSERT_TRUE(ours.apply(own));
  ASSERT_TRUE(export_records(ours, op_node, make_key(9)));
  EXPECT_EQ(contents(op_node).size(), 3u);  // the ban and both keys
}

TEST(PeerstoreKey, is_taken_over_when_there_is_none) {
  const auto decision = decide_key({make_key(1)}, {}).value();
  ASSERT_TRUE(decision.to_write);
  EXPECT_EQ(decision.to_write->public_key(), make_key(1).public_key());
  EXPECT_EQ(decision.peer, peer_of_key(make_key(1)));
}

TEST(PeerstoreKey, that_is_ours_already_is_not_written) {
  const auto decision = decide_key({make_key(2), make_key(1)}, peer_of_key(make_key(1))).value();
  EXPECT_FALSE(decision.to_write);
  EXPECT_EQ(decision.peer, peer_of_key(make_key(1)));
  EXPECT_FALSE(decide_key({}, peer_of_key(make_key(1)))->peer);
  EXPECT_FALSE(decide_key({}, {})->to_write);
}

TEST(PeerstoreKey, of_another_node_is_refused_with_what_to_do) {
  const auto refused = decide_key({make_key(2)}, peer_of_key(make_key(1))).error();
  EXPECT_EQ(refused, Errc::mismatch);
  EXPECT_THAT(refused.text(), HasSubstr(peer_of_key(make_key(1)).to_base58()));
  EXPECT_THAT(refused.text(), HasSubstr(peer_of_key(make_key(2)).to_base58()));
  EXPECT_THAT(refused.text(), HasSubstr("--keep-key"));
  EXPECT_EQ(decide_key({make_key(1), make_key(2)}, {}).error(), Errc::mismatch);
  EXPECT_EQ(decide_key({make_key(1, libp2p::crypto::KeyType::ed25519)}, {}).error(), Errc::unsupported);
}

TEST(PeerstoreView, has_every_record_at_its_peer) {
  MemoryDatastore store;
  auto records = one_of_each(1);
  const auto peer = peer_of_key(make_key(1));
  records.push_back({reason_key(peer), libp2p::to_bytes("{\"rule\":\"score_threshold\"}")});
  records.push_back({storage::peer_key(reputation::kStaticPeerBase, peer), libp2p::Bytes{1}});
  records.push_back({storage::peer_key(reputation::kScoreBase, peer_of_key(make_key(2))), libp2p::to_bytes("no")});
  ASSERT_TRUE(store.apply(records));
  const auto view = view_peerstore(store).value();
  ASSERT_EQ(view.peers.size(), 2u) << "the second has scores that cannot be read";
  const auto& one = view.peers.at(peer);
  EXPECT_EQ(one.addresses->addresses.size(), 1u);
  EXPECT_EQ(one.agent, "optimism");
  EXPECT_EQ(one.protocols, std::vector<std::string>{"/meshsub/1.3.0"});
  EXPECT_EQ(one.scores->scores.gossip.total, -5);
  EXPECT_EQ(one.metadata->metadata.op_stack_id, 10u);
  EXPECT_TRUE(one.has_key && one.is_blocked && one.is_static && one.ban_reason);
  EXPECT_TRUE(one.is_banned(libp2p::from_unix_seconds(1'999'999'999)));
  EXPECT_FALSE(one.is_banned(libp2p::from_unix_seconds(2'000'000'000)));
  EXPECT_EQ(view.ip_bans.size(), 1u);
  EXPECT_EQ(view.blocked_ips, std::vector<std::string>{"192.0.2.8"});
  EXPECT_EQ(view.blocked_subnets, std::vector<std::string>{"10.0.0.0/8"});
  EXPECT_EQ(view.unread, 1u);
  EXPECT_FALSE(one.has_unreadable_ban);
}

TEST(PeerstoreView, a_ban_that_cannot_be_read_is_one) {
  MemoryDatastore store;
  const auto peer = peer_of_key(make_key(1));
  const storage::Change damaged[] = {{storage::peer_key(reputation::kPeerBanBase, peer), libp2p::to_bytes("no")},
                                     {std::string(reputation::kIpBanBase) + "192.0.2.7", libp2p::to_bytes("no")}};
  ASSERT_TRUE(store.apply(damaged));
  const auto view = view_peerstore(store).value();
  EXPECT_TRUE(view.peers.at(peer).is_banned(libp2p::from_unix_seconds(2'000'000'000)));
  EXPECT_EQ(view.unreadable_ip_bans, std::vector<std::string>{"192.0.2.7"});
  EXPECT_EQ(view.unread, 2u);
}

TEST(PeerstoreView, a_ban_that_cannot_be_read_ends_when_its_reason_says) {
  MemoryDatastore store;
  const auto peer = peer_of_key(make_key(1));
  reputation::Ban ban;
  ban.since = libp2p::from_unix_seconds(1'000);
  ban.until = libp2p::from_unix_seconds(2'000);
  const storage::Change damaged[] = {
      {storage::peer_key(reputation::kPeerBanBase, peer), libp2p::to_bytes("no")},
      {reason_key(peer), reputation::encode_ban_reason(ban)},
      {std::string(reputation::kIpBanBase) + "192.0.2.7", libp2p::to_bytes("no")},
      {std::string(reputation::kIpBanReasonBase) + "192.0.2.7", reputation::encode_ban_reason(ban)}};
  ASSERT_TRUE(store.apply(damaged));
  const auto view = view_peerstore(store).value();
  EXPECT_TRUE(view.peers.at(peer).is_banned(libp2p::from_unix_seconds(1'999)));
  EXPECT_FALSE(view.peers.at(peer).is_banned(libp2p::from_unix_seconds(2'000)));
  EXPECT_TRUE(view.unreadable_ip_bans.empty());
  EXPECT_EQ(view.ip_bans.at("192.0.2.7").expiry, ban.until);
}

TEST(PeerstoreView, what_is_blocked_stays_so_when_its_record_cannot_be_read) {
  MemoryDatastore store;
  const auto peer = peer_of_key(make_key(1));
  const storage::Change damaged[] = {
      {std::string(storage::kBlockedPeerBase) + peer.to_base58(), libp2p::to_bytes("no")},
      {std::string(storage::kBlockedIpBase) + "192.0.2.8", libp2p::to_bytes("no")},
      {std::string(storage::kBlockedSubnetBase) + "10.0.0.0/8", libp2p::to_bytes("no")},
      {storage::peer_key(reputation::kScoreBase, peer_of_key(make_key(2))), libp2p::to_bytes("no")}};
  ASSERT_TRUE(store.apply(damaged));
  const auto view = view_peerstore(store).value();
  EXPECT_TRUE(view.peers.at(peer).is_blocked);
  EXPECT_EQ(view.blocked_ips, std::vector<std::string>{"192.0.2.8"});
  EXPECT_EQ(view.blocked_subnets, std::vector<std::string>{"10.0.0.0/8"});
  EXPECT_TRUE(view.peers.at(peer_of_key(make_key(2))).has_unreadable_scores);
}

}  // namespace
}  // namespace opp2p
