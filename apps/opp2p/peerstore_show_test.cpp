#include "peerstore_show.hpp"

#include <gmock/gmock.h>

#include "libp2p/multiformats/peer_id.hpp"

namespace opp2p {
namespace {

using libp2p::from_unix_seconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPeer = "16Uiu2HAkzh4QdxB7ijzVnwd6JFNNe4bcr1JBwYUypXe3pX5BRpqK";
const auto kNow = from_unix_seconds(1'796'102'941);

libp2p::PeerId some_peer() { return libp2p::PeerId::from_text(kPeer).value(); }

PeerView banned_peer() {
  PeerView out;
  out.ban = opstack::reputation::BanEntry{from_unix_seconds(1'796'106'541), kNow};
  out.ban_reason = R"({"rule":"score_threshold"})";
  out.scores.emplace();
  out.scores->scores.gossip.total = -123.5;
  out.agent = "opti\x1bmism";
  return out;
}

TEST(PeerstoreShow, begins_with_a_sentence_about_the_whole) {
  PeerstoreView view;
  view.peers.emplace(some_peer(), banned_peer());
  view.blocked_subnets = {"10.0.0.0/8"};
  view.ip_bans["192.0.2.7"].expiry = from_unix_seconds(1'796'106'541);
  const auto lines = peerstore_lines(view, "/data/peerstore", kNow);
  EXPECT_EQ(lines[0], "The peerstore in /data/peerstore knows 1 peer (1 banned, 0 blocked).");
  EXPECT_THAT(lines[1],
              AllOf(HasSubstr(kPeer), HasSubstr("banned until 2026-12-01 06:29:01 UTC"), HasSubstr("-123.50")));
  EXPECT_THAT(lines[1], Not(HasSubstr("\x1b")));
  EXPECT_THAT(lines, Contains(HasSubstr("192.0.2.7")));
  EXPECT_THAT(lines, Contains("Blocked subnets: 10.0.0.0/8"));
}

TEST(PeerstoreShow, says_of_a_peer_first_whether_it_is_banned) {
  auto peer = banned_peer();
  EXPECT_EQ(peer_lines(some_peer(), peer, kNow)[0], std::string(kPeer) + " is banned until 2026-12-01 06:29:01 UTC.");
  EXPECT_THAT(peer_lines(some_peer(), peer, kNow), Contains(HasSubstr("score_threshold")));
  const auto later = from_unix_seconds(1'796'106'541);
  EXPECT_EQ(peer_lines(some_peer(), peer, later)[0], std::string(kPeer) + " is neither banned nor blocked.");
  EXPECT_THAT(peer_lines(some_peer(), peer, later), Contains(HasSubstr("A ban ended at")));
  peer.ban->expiry = libp2p::UnixTime::max();
  EXPECT_THAT(peer_lines(some_peer(), peer, kNow)[0], HasSubstr("is banned for ever"));
  peer.ban.reset();
  peer.is_blocked = true;
  EXPECT_THAT(peer_lines(some_peer(), peer, kNow)[0], HasSubstr("is blocked"));
}

TEST(PeerstoreShow, says_of_a_ban_that_cannot_be_read_that_it_is_in_force) {
  PeerstoreView view;
  view.peers[some_peer()].has_unreadable_ban = true;
  view.unreadable_ip_bans = {"192.0.2.7"};
  const auto lines = peerstore_lines(view, "/data/peerstore", kNow);
  EXPECT_THAT(lines[0], HasSubstr("1 banned"));
  EXPECT_THAT(lines[1], AllOf(HasSubstr(kPeer), HasSubstr("banned for 7 days from the start of a node")));
  EXPECT_THAT(lines[2], AllOf(HasSubstr("192.0.2.7"), HasSubstr("cannot be read")));
  EXPECT_THAT(peer_lines(some_peer(), view.peers.at(some_peer()), kNow)[0], HasSubstr("is banned for 7 days"));
}

TEST(PeerstoreShow, has_the_scores_in_op_nodes_structure) {
  const auto json = peer_json(some_peer(), banned_peer(), kNow);
  EXPECT_EQ(json.at("scores").at("gossip").at("total"), -123.5);
  EXPECT_TRUE(json.at("scores").at("gossip").at("blocks").as_object().contains("timeInMesh"));
  EXPECT_TRUE(json.at("scores").at("reqResp").as_object().contains("rejectedPayloads"));
  EXPECT_EQ(json.at("ban").at("active"), true);
  EXPECT_EQ(json.at("ban").at("expiry"), 1'796'106'541);
  EXPECT_EQ(json.at("banReason").at("rule"), "score_threshold");
  EXPECT_EQ(json.at("agent"), "opti\\u001bmism");
}

TEST(PeerstoreShow, has_every_list_also_of_an_empty_peerstore) {
  const auto json = peerstore_json({}, kNow);
  for (const auto* list : {"peers", "ipBans", "blockedAddresses", "blockedSubnets"})
    EXPECT_TRUE(json.at(list).as_array().empty()) << list;
}

}  // namespace
}  // namespace opp2p
