// The methods that tell of bans, scores, timelines and static peers.
#include "opp2p/rpc/method_test_support.hpp"

namespace opp2p::sim {
namespace {

using ReputationMethods = MethodTest;

opstack::reputation::Ban a_ban() {
  opstack::reputation::Ban ban;
  ban.since = libp2p::from_unix_seconds(1'760'000'000);
  ban.until = libp2p::from_unix_seconds(1'760'003'600);
  ban.rule = opstack::reputation::BanRule::blamed_messages;
  ban.score = -38.5;
  ban.text = "8 blamed messages within ten minutes";
  opstack::reputation::Fault fault;
  fault.at = libp2p::from_unix_seconds(1'759'999'999) + libp2p::Millis(5);
  fault.kind = opstack::reputation::FaultKind::bad_block_hash;
  fault.reason_id = "bad_block_hash";
  fault.message_id = "ab01";
  fault.block_number = 7;
  fault.block_hash.emplace().fill(0x11);
  fault.text = "payload has bad block hash";
  ban.evidence.push_back(fault);
  return ban;
}

TEST_F(ReputationMethods, bans_are_told_with_rule_reason_evidence_and_end) {
  EXPECT_EQ(result("opp2p_bans"), "[]");
  reputation_.list.peers.push_back({libp2p::PeerId::from_text(peer_).value(), a_ban()});
  const std::string hash = "0x" + std::string(64, '1');
  EXPECT_EQ(result("opp2p_bans"),
            R"([{"peer":")" + peer_ +
                R"(","ip":null,"since":1760000000,"until":1760003600,"rule":"blamed_messages",)"
                R"("text":"8 blamed messages within ten minutes","score":-38.5,"scores":{"gossip":{"total":0,)"
                R"("blocks":{"timeInMesh":0,"firstMessageDeliveries":0,"meshMessageDeliveries":0,)"
                R"("invalidMessageDeliveries":0},"IPColocationFactor":0,"behavioralPenalty":0},"reqResp":)"
                R"({"validResponses":0,"errorResponses":0,"rejectedPayloads":0}},"evidence":[{"time":1759999999,)"
                R"("kind":"bad_block_hash","text":"payload has bad block hash","messageID":"ab01","blockNumber":7,)"
                R"("blockHash":")" +
                hash + R"("}]}])");
}

TEST_F(ReputationMethods, a_ban_by_the_operator_can_be_undone_once) {
  EXPECT_EQ(result("opp2p_ban", {"10.1.2.3", 60, "scans"}), "null");
  const auto bans = call("opp2p_bans").at("result").as_array();
  ASSERT_EQ(bans.size(), 1u);
  EXPECT_EQ(bans[0].at("ip"), "10.1.2.3");
  EXPECT_EQ(bans[0].at("text"), "scans");
  EXPECT_TRUE(bans[0].at("peer").is_null());
  EXPECT_EQ(result("opp2p_unban", {"10.1.2.3"}), "true");
  EXPECT_EQ(result("opp2p_unban", {"10.1.2.3"}), "false");
  EXPECT_EQ(result("opp2p_ban", {"10.1.2.3", 60, "\x1b[2J\n"}), "null");
  EXPECT_EQ(call("opp2p_bans").at("result").at(0).at("text"), "\\u001b[2J\\u000a");
  EXPECT_EQ(result("opp2p_unban", {"10.1.2.3"}), "true");
  for (const json::array& wrong :
       {json::array{peer_, 0}, json::array{peer_, 604801}, json::array{peer_, "60"}, json::array{peer_, -1},
        json::array{peer_, 60, std::string(201, 'x')}, json::array{peer_, 60, 7}, json::array{"x", 60}})
    EXPECT_TRUE(error("opp2p_ban", wrong).starts_with("-32602 ")) << last_;
}

TEST_F(ReputationMethods, a_score_is_told_in_all_its_parts_with_thresholds_faults_and_what_spares_the_peer) {
  auto& standing = reputation_.standing;
  standing.is_scored = true;
  standing.live.emplace();
  standing.live->score = -45;
  standing.live->application = {-1, -1};
  standing.live->ip_colocation = {4, -140};
  standing.live->behaviour = {7, -16};
  standing.live->topics.emplace_back().invalid_deliveries = {2, -20};
  standing.topics = {"/optimism/10/3/blocks"};
  standing.ban_threshold = -100;
  reputation_.faults = a_ban().evidence;
  result("opp2p_protectPeer", {peer_});
  const auto told = call("opp2p_peerScore", {peer_}).at("result").as_object();
  EXPECT_EQ(told.at("peer"), json::value(peer_));
  EXPECT_EQ(told.at("standing"), "below_graylist");
  EXPECT_EQ(told.at("live").at("total"), -45);
  EXPECT_EQ(told.at("live").at("P6").at("weighted"), -140);
  EXPECT_EQ(told.at("live").at("topics").at(0).at("topic"), "/optimism/10/3/blocks");
  EXPECT_EQ(told.at("live").at("topics").at(0).at("P4").at("weighted"), -20);
  for (const char* part : {"P1", "P2", "P3", "P3b", "P4"})
    EXPECT_TRUE(told.at("live").at("topics").at(0).as_object().contains(part)) << part;
  EXPECT_EQ(told.at("thresholds").at("ban"), -100);
  EXPECT_TRUE(told.at("thresholds").at("gater").is_null());
  EXPECT_EQ(told.at("spared"), (json::array{"protected"}));
  EXPECT_EQ(told.at("faults").as_array().size(), 1u);
  EXPECT_EQ(told.at("faults").at(0).at("timeMs"), 1'759'999'999'005) << "a fault that the node remembers has its time";
  EXPECT_TRUE(told.at("ban").is_null());
  EXPECT_TRUE(told.at("why").is_string());
}

TEST_F(ReputationMethods, the_books_give_the_scores_of_answers_the_chain_and_the_record_of_a_peer_in_a_dump) {
  SimMemberOptions member;
  member.dials = {0};
  ASSERT_TRUE(network_.add(member));
  network_.world().run_for(libp2p::Seconds(3));
  reputation_.scores.emplace().req_resp.error_responses = 2.5;
  reputation_.metadata = opstack::reputation::PeerMetadata{"enr:-abc", 901};
  const auto id = network_.node(1).host().id().to_base58();
  const auto peer = call("opp2p_peers", {true}).at("result").at("peers").at(id).as_object();
  EXPECT_EQ(json::serialize(peer.at("scores").at("reqResp")),
            R"({"validResponses":0,"errorResponses":2.5E0,"rejectedPayloads":0})")
      << json::serialize(peer);
  EXPECT_EQ(peer.at("ENR"), "enr:-abc");
  EXPECT_EQ(peer.at("chainID"), 901);
}

TEST_F(ReputationMethods, a_timeline_is_told_with_a_sentence_also_of_a_peer_that_is_not_known) {
  auto told = call("opp2p_peerEvents", {peer_}).at("result").as_object();
  EXPECT_TRUE(told.at("timeline").is_null());
  EXPECT_NE(told.at("why").as_string().find("is not known"), std::string::npos);
  const auto peer = libp2p::PeerId::from_text(peer_).value();
  for (int i = 0; i < 5; ++i)
    peer_history_->note(peer, PeerEventKind::refused_block, "block " + std::to_string(i) + " was rejected",
                        libp2p::from_unix_seconds(kGenesisTime + i));
  told = call("opp2p_peerEvents", {peer_, 2}).at("result").as_object();
  EXPECT_EQ(json::serialize(told.at("timeline").at("events")),
            R"([{"timeMs":1760000003000,"event":"refused_block","text":"block 3 was rejected","count":1,)"
            R"("lastTimeMs":1760000003000,"score":null},{"timeMs":1760000004000,"event":"refused_block",)"
            R"("text":"block 4 was rejected","count":1,"lastTimeMs":1760000004000,"score":null}])");
  for (const json::value& wrong : {json::value(-1), json::value(1001), json::value("2"), json::value(1.5)})
    EXPECT_TRUE(error("opp2p_peerEvents", {peer_, wrong}).starts_with("-32602 invalid argument 1")) << last_;
}

TEST_F(ReputationMethods, a_block_is_asked_for_by_hash_or_number_in_any_spelling) {
  auto envelope = std::make_shared<opstack::payload::Envelope>(chain_.next());
  const auto version = network_.node(0).config().rollup.payload_version(envelope->payload.timestamp);
  const auto block = opstack::payload::encode_block(version, envelope);
  store_.keep(StoredBlock(block), std::nullopt, true, nullptr);
  block_history_.on(opstack::sync::BlockStored{network_.node(0).host().id(), block, true, true, true},
                    network_.place(0).runtime().now());
  const auto hash = libp2p::to_hex0x(block.hash());
  for (const json::value& query : {json::value(1), json::value("1"), json::value("0x1"), json::value(hash)}) {
    const auto told = call("opp2p_blockEvents", {query}).at("result").as_object();
    ASSERT_EQ(told.at("records").as_array().size(), 1u) << last_;
    EXPECT_EQ(told.at("records").at(0).at("hash"), json::value(hash));
    EXPECT_TRUE(told.at("records").at(0).at("storedMs").is_int64()) << last_;
    EXPECT_TRUE(told.at("records").at(0).at("firstSeenMs").is_int64()) << last_;
    EXPECT_EQ(told.at("stored"), true);
    EXPECT_EQ(told.at("canonical"), true);
  }
  const auto unknown = call("opp2p_blockEvents", {"0x" + std::string(64, 'e')}).at("result").as_object();
  EXPECT_TRUE(unknown.at("records").as_array().empty());
  EXPECT_EQ(unknown.at("stored"), false);
  EXPECT_NE(unknown.at("why").as_string().find("knows nothing"), std::string::npos);
  for (const json::value& wrong :
       {json::value(-1), json::value("x"), json::value(""), json::value("0x"), json::value(std::string(100'000, '1')),
        json::value(nullptr), json::value("99999999999999999999")})
    EXPECT_TRUE(error("opp2p_blockEvents", {wrong}).starts_with("-32602 ")) << last_.substr(0, 200);
}

TEST_F(ReputationMethods, static_peers_are_added_told_and_removed_but_for_those_of_the_flags) {
  const std::string address = "/ip4/10.0.0.1/tcp/9222/p2p/" + peer_;
  EXPECT_EQ(result("opp2p_addStaticPeer", {address}), "true");
  EXPECT_EQ(result("opp2p_staticPeers"),
            R"([{"peer":")" + peer_ + R"(","addresses":[")" + address +
                R"("],"source":"stored","connected":false,"dialling":false,"nextAttemptMs":null,"failures":0,)"
                R"("lastError":null}])");
  EXPECT_EQ(result("opp2p_removeStaticPeer", {peer_}), "true");
  EXPECT_EQ(result("opp2p_removeStaticPeer", {peer_}), "false");
  result("opp2p_addStaticPeer", {address});
  static_peers_.peers[0].by_flag = true;
  EXPECT_EQ(error("opp2p_removeStaticPeer", {peer_}), "-32000 the peer is one of --p2p.static");
  EXPECT_EQ(error("opp2p_addStaticPeer", {"/ip4/10.0.0.1/tcp/9222"}),
            "-32602 invalid argument 0: bad peer address: it does not end with /p2p/ID");
}

TEST_F(ReputationMethods, a_node_without_these_parts_says_so) {
  snapshots_->stop();
  listen({});
  EXPECT_EQ(error("opp2p_bans"), "-32000 no reputation system");
  EXPECT_EQ(error("opp2p_unban", {peer_}), "-32000 no reputation system");
  EXPECT_TRUE(error("opp2p_staticPeers").starts_with("-32000 no static peers")) << last_;
  EXPECT_TRUE(call("opp2p_peerEvents", {peer_}).at("result").at("timeline").is_null());
  EXPECT_EQ(call("opp2p_peerScore", {peer_}).at("result").at("scored"), false);
  EXPECT_TRUE(call("opp2p_blockEvents", {1}).at("result").at("records").as_array().empty());
}

}  // namespace
}  // namespace opp2p::sim
