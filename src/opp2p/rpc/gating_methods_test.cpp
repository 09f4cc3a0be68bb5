// The methods that block and list, against op-node's answers (op-node surface, sections 10 and 14).
#include "opp2p/rpc/gate_arguments.hpp"
#include "opp2p/rpc/method_test_support.hpp"

namespace opp2p::sim {
namespace {

using GatingMethods = MethodTest;

TEST_F(GatingMethods, a_blocked_peer_is_listed_until_it_is_unblocked_and_its_ban_ends_with_it) {
  EXPECT_EQ(result("opp2p_listBlockedPeers"), "[]");
  EXPECT_EQ(result("opp2p_blockPeer", {peer_}), "null");
  EXPECT_EQ(result("opp2p_blockPeer", {peer_}), "null") << "twice is once";
  EXPECT_EQ(result("opp2p_listBlockedPeers"), "[\"" + peer_ + "\"]");
  EXPECT_EQ(call("opp2p_peerStats").at("result").at("banned"), 1);
  EXPECT_EQ(result("opp2p_ban", {peer_, 60}), "null");
  EXPECT_EQ(result("opp2p_unblockPeer", {peer_}), "null");
  EXPECT_EQ(result("opp2p_listBlockedPeers"), "[]");
  EXPECT_TRUE(reputation_.list.peers.empty());
}

TEST_F(GatingMethods, an_address_is_blocked_in_every_spelling) {
  for (const char* method : {"opp2p_blockAddr", "opp2p_blocAddr"}) {
    EXPECT_EQ(result(method, {"::ffff:10.1.2.3"}), "null");
    EXPECT_EQ(result("opp2p_listBlockedAddrs"), R"(["10.1.2.3"])");
    EXPECT_EQ(result("opp2p_unblockAddr", {"10.1.2.3"}), "null");
    EXPECT_EQ(result("opp2p_listBlockedAddrs"), "[]");
  }
  EXPECT_EQ(result("opp2p_blockAddr", {"2001:DB8:0:0::1"}), "null");
  EXPECT_EQ(result("opp2p_listBlockedAddrs"), R"(["2001:db8::1"])");
}

TEST_F(GatingMethods, a_subnet_is_blocked_as_an_object_and_as_text_and_listed_as_gos_object) {
  const json::object ten{{"IP", "10.0.0.0"}, {"Mask", "/wAAAA=="}};
  EXPECT_EQ(result("opp2p_blockSubnet", {ten}), "null");
  EXPECT_EQ(result("opp2p_listBlockedSubnets"), R"([{"IP":"10.0.0.0","Mask":"/wAAAA=="}])");
  EXPECT_EQ(result("opp2p_unblockSubnet", {"10.0.0.0/8"}), "null");
  EXPECT_EQ(result("opp2p_listBlockedSubnets"), "[]");
  EXPECT_EQ(result("opp2p_blockSubnet", {"2001:db8::/33"}), "null");
  EXPECT_EQ(result("opp2p_listBlockedSubnets"), R"([{"IP":"2001:db8::","Mask":"/////4AAAAAAAAAAAAAAAA=="}])");
  EXPECT_EQ(result("opp2p_unblockSubnet", {json::object{{"IP", "2001:db8::"}, {"Mask", "/////4AAAAAAAAAAAAAAAA=="}}}),
            "null");
  // A mask of 16 bytes for an IPv4 address, and bits behind the prefix.
  const json::object mapped{{"IP", "10.1.2.3"}, {"Mask", "//////////////////8AAA=="}};
  EXPECT_EQ(result("opp2p_blockSubnet", {mapped}), "null");
  EXPECT_EQ(result("opp2p_listBlockedSubnets"), R"([{"IP":"10.1.0.0","Mask":"//8AAA=="}])");
}

TEST_F(GatingMethods, errors_are_op_nodes) {
  EXPECT_EQ(error("opp2p_discoveryTable"), "-32000 discovery disabled");
  EXPECT_EQ(error("opp2p_blockAddr", {""}), "-32000 invalid request");
  EXPECT_EQ(error("opp2p_blockAddr", {"10.0.0.256"}), "-32602 invalid argument 0: invalid IP address: 10.0.0.256");
  EXPECT_EQ(error("opp2p_blockAddr"), "-32602 missing value for required argument 0");
  EXPECT_EQ(error("opp2p_blockSubnet"), "-32000 invalid request");
  EXPECT_EQ(error("opp2p_blockSubnet", {nullptr}), "-32000 invalid request");
  EXPECT_EQ(error("opp2p_blockSubnet", {json::object()}), "-32000 invalid request");
  for (const auto* method : {"opp2p_blockPeer", "opp2p_unblockPeer", "opp2p_protectPeer", "opp2p_disconnectPeer"}) {
    EXPECT_TRUE(error(method, {""}).starts_with("-32602 invalid argument 0: failed to parse peer ID: ")) << last_;
    EXPECT_TRUE(error(method, {7}).starts_with("-32602 invalid argument 0: failed to parse peer ID: ")) << last_;
    EXPECT_EQ(error(method), "-32602 missing value for required argument 0");
    EXPECT_EQ(error(method, {peer_, 1}), "-32602 too many arguments, want at most 1");
  }
}

TEST_F(GatingMethods, wrong_types_and_huge_parameters_are_refused_and_never_echoed_whole) {
  const std::string huge(200'000, 'x');
  const json::array wrong = {7,
                             true,
                             json::array{1},
                             huge,
                             json::object{{"IP", huge}, {"Mask", huge}},
                             json::object{{"IP", "10.0.0.0"}},
                             json::object{{"IP", "10.0.0.0"}, {"Mask", 8}},
                             json::object{{"IP", "10.0.0.0"}, {"Mask", "AP8AAA=="}},
                             json::object{{"IP", "10.0.0.0"}, {"Mask", "!!"}},
                             json::object{{"IP", "10.0.0.0"}, {"Mask", "/w=="}},
                             json::object{{"IP", "2001:db8::"}, {"Mask", "/wAAAA=="}},
                             "10.0.0.0",
                             "10.0.0.0/33",
                             "10.0.0.0/-1",
                             "\x1b[2J/8"};
  for (const auto& value : wrong) {
    for (const char* method : {"opp2p_blockSubnet", "opp2p_unblockSubnet"}) {
      EXPECT_TRUE(error(method, {value}).starts_with("-32602 ")) << last_.substr(0, 200);
      EXPECT_LT(last_.size(), 400u);
      EXPECT_EQ(last_.find('\x1b'), std::string::npos);
    }
  }
  for (const json::value& value : {json::value(huge), json::value(7), json::value(json::object())})
    for (const char* method : {"opp2p_blockAddr", "opp2p_blockPeer", "opp2p_unban", "opp2p_peerScore",
                               "opp2p_peerEvents", "opp2p_addStaticPeer", "opp2p_removeStaticPeer"}) {
      EXPECT_TRUE(error(method, {value}).starts_with("-32602 ")) << method << last_.substr(0, 200);
      EXPECT_LT(last_.size(), 400u);
    }
}

// op-node answers null to each of these, and after the second one it has no peers, also after a restart.
TEST_F(GatingMethods, the_own_id_and_the_subnet_of_every_address_are_not_blocked) {
  const auto own = network_.node(0).host().id().to_base58();
  EXPECT_EQ(error("opp2p_blockPeer", {own}), "-32000 this is the node's own peer id");
  EXPECT_EQ(result("opp2p_unblockPeer", {own}), "null") << "whoever blocked it in op-node can undo it";
  for (const char* all : {"0.0.0.0/0", "::/0"}) {
    EXPECT_EQ(error("opp2p_blockSubnet", {all}),
              "-32000 the subnet " + std::string(all) +
                  " has every address, so the node would lose all its peers; block smaller subnets");
    EXPECT_EQ(result("opp2p_unblockSubnet", {all}), "null");
  }
  EXPECT_EQ(error("opp2p_blockSubnet", {json::object{{"IP", "10.0.0.0"}, {"Mask", "AAAAAA=="}}}),
            "-32000 the subnet 0.0.0.0/0 has every address, so the node would lose all its peers; block smaller "
            "subnets");
  EXPECT_EQ(result("opp2p_listBlockedPeers"), "[]");
  EXPECT_EQ(result("opp2p_listBlockedSubnets"), "[]");
  EXPECT_EQ(result("opp2p_blockSubnet", {"128.0.0.0/1"}), "null");
}

TEST_F(GatingMethods, a_change_that_is_not_durable_is_an_error) {
  gating_.failure = libp2p::fail(libp2p::Errc::io, "no space left");
  EXPECT_EQ(error("opp2p_blockPeer", {peer_}),
            "-32000 the change holds until the node ends, but is not on disk: no space left");
  EXPECT_EQ(error("opp2p_disconnectPeer", {peer_}), "-32000 closed peer but failed to unblock: no space left");
  gating_.failure.reset();
  reputation_.failure = libp2p::fail(libp2p::Errc::io, "no space left");
  EXPECT_EQ(error("opp2p_unblockPeer", {peer_}),
            "-32000 the change holds until the node ends, but is not on disk: no space left");
}

TEST_F(GatingMethods, without_a_gater_the_error_is_op_nodes_and_the_lists_of_a_dump_are_null) {
  snapshots_->stop();
  listen({});
  EXPECT_EQ(error("opp2p_blockPeer", {peer_}), "-32000 no connection gater");
  EXPECT_EQ(error("opp2p_listBlockedSubnets"), "-32000 no connection gater");
  EXPECT_EQ(result("opp2p_peers", {true}),
            R"({"totalConnected":0,"peers":{},"bannedPeers":null,"bannedIPS":null,"bannedSubnets":null})");
  EXPECT_EQ(result("opp2p_disconnectPeer", {peer_}), "null");
}

TEST_F(GatingMethods, a_dump_has_the_lists_of_what_is_blocked) {
  result("opp2p_blockPeer", {peer_});
  result("opp2p_blockAddr", {"10.1.2.3"});
  result("opp2p_blockSubnet", {"10.0.0.0/8"});
  result("opp2p_ban", {"QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N", 60});
  EXPECT_EQ(result("opp2p_peers", {true}), R"({"totalConnected":0,"peers":{},"bannedPeers":[")" + peer_ +
                                               R"("],"bannedIPS":["10.1.2.3"],"bannedSubnets":)"
                                               R"([{"IP":"10.0.0.0","Mask":"/wAAAA=="}]})")
      << "bans that end by themselves are in opp2p_bans";
}

TEST_F(GatingMethods, a_peer_is_protected_and_its_snapshot_says_so) {
  auto& host = network_.node(0).host();
  const auto peer = libp2p::PeerId::from_text(peer_).value();
  EXPECT_EQ(result("opp2p_protectPeer", {peer_}), "null");
  EXPECT_TRUE(host.is_protected(peer));
  EXPECT_EQ(result("opp2p_unprotectPeer", {peer_}), "null");
  EXPECT_FALSE(host.is_protected(peer));
}

TEST_F(GatingMethods, everything_that_blocks_bans_or_disconnects_wants_the_token) {
  rpc_->protect("secret");
  for (const char* method :
       {"opp2p_blockPeer", "opp2p_unblockPeer", "opp2p_blockAddr", "opp2p_blocAddr", "opp2p_unblockAddr",
        "opp2p_blockSubnet", "opp2p_unblockSubnet", "opp2p_protectPeer", "opp2p_unprotectPeer", "opp2p_disconnectPeer",
        "opp2p_ban", "opp2p_unban", "opp2p_addStaticPeer", "opp2p_removeStaticPeer"}) {
    EXPECT_TRUE(error(method, {peer_}).starts_with("-32001 ")) << method << last_;
  }
  EXPECT_TRUE(gating_.blocked().peers.empty());
  EXPECT_TRUE(call("opp2p_blockPeer", {peer_}, "secret").at("result").is_null()) << last_;
  EXPECT_EQ(gating_.blocked().peers.size(), 1u);
}

TEST(SubnetJson, is_null_for_what_is_no_subnet) {
  for (const char* text : {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/8x", "x/8"})
    EXPECT_TRUE(subnet_json(text).is_null()) << text;
  EXPECT_EQ(json::serialize(subnet_json("0.0.0.0/0")), R"({"IP":"0.0.0.0","Mask":"AAAAAA=="})");
  EXPECT_EQ(json::serialize(subnet_json("10.128.0.0/9")), R"({"IP":"10.128.0.0","Mask":"/4AAAA=="})");
}

}  // namespace
}  // namespace opp2p::sim
