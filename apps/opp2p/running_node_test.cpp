// What the commands on a running node print, and how a peer is named by a part of its id.
#include "running_node.hpp"

#include <gtest/gtest.h>

#include "peer_texts.hpp"

namespace opp2p {
namespace {

namespace json = boost::json;

const std::vector<std::string> kIds = {"16Uiu2HAmAAAAbbbb", "16Uiu2HAmAAAAcccc", "12D3KooWdddd"};

TEST(ChoosePeer, takes_a_beginning_or_an_end_that_fits_one_peer) {
  EXPECT_EQ(choose_peer(kIds, "bbbb").value(), kIds[0]);
  EXPECT_EQ(choose_peer(kIds, "12D3").value(), kIds[2]);
  EXPECT_EQ(choose_peer({kIds[0], kIds[0]}, "16Uiu2").value(), kIds[0]) << "the same peer from two lists";
}

TEST(ChoosePeer, says_which_peers_fit_and_when_none_does) {
  const auto several = choose_peer(kIds, "16Uiu2");
  ASSERT_FALSE(several);
  EXPECT_EQ(several.error().text(), "2 peers fit '16Uiu2': 16Uiu2HAmAAAAbbbb, 16Uiu2HAmAAAAcccc; give more of the id");
  EXPECT_EQ(choose_peer(kIds, "zzzz").error().code(), libp2p::Errc::not_found);
  EXPECT_NE(choose_peer(kIds, "16U").error().text().find("too short"), std::string::npos);
  EXPECT_NE(choose_peer(kIds, "\x1b[2J" + std::string(10'000, 'x')).error().text().size(), 0u);
  EXPECT_LT(choose_peer(kIds, std::string(10'000, 'x')).error().text().size(), 300u);
}

TEST(PeerTexts, lines_are_cut_to_the_terminal_by_characters) {
  EXPECT_EQ(fitted("abcdef", 6), "abcdef");
  EXPECT_EQ(fitted("abcdef", 5), "abcd…");
  EXPECT_EQ(fitted("äöüäöü", 6), "äöüäöü");
  EXPECT_EQ(fitted("äöüäöü", 4), "äöü…");
  EXPECT_EQ(fitted("", 4), "");
  EXPECT_EQ(short_peer("16Uiu2HAmRSrRLt1WGen9X1E6RrfsyG2hjmYWrxFb8Xs9SyvEZj9t"), "16Uiu2HA…SyvEZj9t");
}

TEST(PeerTexts, a_dump_begins_with_a_sentence) {
  const auto dump = json::parse(R"({"totalConnected":1,"peers":{
      "16Uiu2HAmRSrRLt1WGen9X1E6RrfsyG2hjmYWrxFb8Xs9SyvEZj9t":{"connectedness":1,"direction":1,"protected":true,
        "latency":1500000,"gossipBlocks":true,"userAgent":"op-node","scores":{"gossip":{"total":-2.5}}},
      "12D3KooWdddd":{"connectedness":0,"direction":0,"latency":null,"scores":{"gossip":{"total":null}}}}})");
  const auto wide = peers_text(dump, kUnlimitedColumns);
  EXPECT_TRUE(
      wide.starts_with("1 peer is connected, and exchanges blocks; 1 peer has a score below zero; 1 more "
                       "is known.\n\nPEER "))
      << wide;
  EXPECT_NE(wide.find("\n16Uiu2HAmRSrRLt1WGen9X1E6RrfsyG2hjmYWrxFb8Xs9SyvEZj9t in       -2.5       1.5 ms "),
            std::string::npos)
      << wide;
  const auto small = json::parse(R"({"peers":{"12D3KooWdddd":{"connectedness":1,"latency":null,
      "scores":{"gossip":{"total":-0.00012347}}}}})");
  EXPECT_NE(peers_text(small, 80).find("-0.0001235 - "), std::string::npos) << "the columns stay apart";
  EXPECT_NE(peers_text(dump, 80).find("\n16Uiu2HA…SyvEZj9t "), std::string::npos) << peers_text(dump, 80);
  EXPECT_EQ(peers_text(json::parse(R"({"peers":{}})"), 80), "No peer is connected.");
}

TEST(PeerTexts, marks_who_is_kept_out) {
  const auto dump = json::parse(R"({"peers":{"16Uiu2HAmaaaa":{"connectedness":1,"userAgent":"one"},
      "16Uiu2HAmbbbb":{"userAgent":"two"},"16Uiu2HAmcccc":{"userAgent":"three"}},"bannedPeers":["16Uiu2HAmcccc"]})");
  const auto bans = json::parse(R"([{"peer":"16Uiu2HAmbbbb"},{"peer":"16Uiu2HAmdddd"},{"ip":"10.0.0.1"}])");
  const auto text = peers_text(dump, kUnlimitedColumns, bans);
  EXPECT_TRUE(
      text.starts_with("1 peer is connected, and exchanges no blocks; 2 more are known; 2 of them are banned or "
                       "blocked.\n"))
      << text;
  EXPECT_NE(text.find(" one\n"), std::string::npos) << text;
  EXPECT_NE(text.find(" banned   -          -          no      no         two\n"), std::string::npos) << text;
  EXPECT_NE(text.find(" blocked  -          -          no      no         three"), std::string::npos) << text;
  EXPECT_EQ(peers_text(dump, kUnlimitedColumns).find(" banned  "), std::string::npos);
}

TEST(PeerTexts, nothing_that_a_server_says_reaches_the_terminal_raw) {
  const auto evil = json::parse(R"({"why":"\u001b[2J","peers":{"\u001b[3J":{"userAgent":"\u0007"}},"timeline":{
      "userAgent":"\u001b]0;","events":[{"text":"\u001b[1m"}]}})");
  const auto bans =
      json::parse(R"([{"peer":"\u001b","rule":"\u001b","text":"\u009b","evidence":[{"text":"\u001b"}]}])");
  for (const auto& text : {peers_text(evil, 200), timeline_text(evil, 200), why_text(evil), bans_text(bans, {})}) {
    EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
    EXPECT_EQ(text.find('\x07'), std::string::npos) << text;
    EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos) << text;
  }
}

TEST(RunningNode, an_answer_of_another_kind_is_an_error) {
  EXPECT_TRUE(of_kind(json::value(json::array()), json::kind::array));
  EXPECT_TRUE(of_kind(json::value(nullptr), json::kind::null));
  const auto wrong = of_kind(json::value(json::object()), json::kind::array);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().text(), "the RPC answers with an object instead of a list; is it that of opp2p node?");
}

TEST(PeerTexts, any_answer_is_printed_somehow) {
  for (const char* text :
       {"null", "[]", "{}", R"({"peers":[]})", R"({"timeline":{"events":[1,{}]}})", R"([1,{},null])"}) {
    const auto answer = json::parse(text);
    EXPECT_FALSE(peers_text(answer, 40).empty());
    EXPECT_FALSE(timeline_text(answer, 40).empty());
    EXPECT_FALSE(bans_text(answer, {}).empty());
    EXPECT_FALSE(why_text(answer).empty());
  }
}

TEST(PeerTexts, a_ban_is_told_with_its_end_rule_and_evidence) {
  const auto bans = json::parse(R"([{"peer":"16Uiu2HAm","ip":null,"since":1760000000,"until":1760003600,
      "rule":"blamed_messages","text":"8 blamed messages","evidence":[{"time":1760000000,"text":"bad signature",
      "messageID":"ab","blockNumber":7}]}])");
  EXPECT_EQ(bans_text(bans, libp2p::from_unix_seconds(1'760'000'000)),
            "1 ban holds.\n\n16Uiu2HAm until 2025-10-09 09:53:20 UTC (1 h left), by rule blamed_messages: 8 blamed "
            "messages\n  2025-10-09 08:53:20 UTC  bad signature, block 7, message ab");
  EXPECT_EQ(bans_text(json::array(), {}), "Nobody is banned.");
}

TEST(PeerTexts, a_timeline_has_a_line_for_each_event) {
  const auto answer = json::parse(R"({"why":"It is gone.","timeline":{"firstSeenMs":1760000000000,
      "userAgent":"op-node","counts":{"blocksAccepted":1,"copies":1,"faults":2},"dropped":3,
      "events":[{"timeMs":1760000000000,
      "event":"connected","text":"connected","count":1},{"timeMs":1760000001000,"event":"pruned","text":"left the mesh",
      "count":2,"lastTimeMs":1760000002000,
      "score":-5}]}})");
  EXPECT_EQ(timeline_text(answer, kUnlimitedColumns),
            "It is gone.\n\nSince 2025-10-09 08:53:20 UTC: 1 block accepted, 0 rejected, 0 ignored, 0 fetched, 1 "
            "copy, 2 faults. Agent: op-node. 3 earlier events are not kept any more.\n\n2025-10-09 08:53:20 UTC  "
            "connected\n2025-10-09 "
            "08:53:21 UTC  left the mesh (score -5) (2 times, last 2025-10-09 08:53:22 UTC)");
}

}  // namespace
}  // namespace opp2p
