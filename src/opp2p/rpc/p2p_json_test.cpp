#include "opp2p/rpc/p2p_json.hpp"

#include <gtest/gtest.h>

#include "libp2p/base/rng.hpp"

namespace opp2p {
namespace {

namespace json = boost::json;

libp2p::PeerId some_peer() {
  libp2p::SeededRng rng(7);
  namespace crypto = libp2p::crypto;
  return libp2p::PeerId::from_public_key(
      crypto::PrivateKey::from_raw(crypto::KeyType::secp256k1, crypto::secp256k1::generate(rng)).value().public_key());
}

TEST(PeerJson, has_op_nodes_keys_in_op_nodes_order) {
  PeerSnapshot peer;
  peer.id = some_peer();
  peer.key = peer.id.public_key();
  std::string keys;
  for (const auto& item : peer_json(peer)) keys += std::string(item.key()) + " ";
  EXPECT_EQ(keys,
            "peerID nodeID userAgent protocolVersion ENR addresses protocols connectedness direction protected chainID "
            "latency gossipBlocks scores ");
}

TEST(PeerJson, whatever_a_peer_says_of_itself_its_part_of_a_dump_is_json_and_bounded) {
  PeerSnapshot peer;
  peer.id = some_peer();
  peer.user_agent = "caf\xe9/1\x1b\x9b" + std::string(100'000, '\xe9');
  peer.protocols = {"\xed\xa0\x80", "op-node/\xc3\xa4", "\"\\\n"};
  const auto parsed = json::parse("{" + peer_dump_item(peer) + "}").as_object();  // strict: no invalid UTF-8
  const auto& told = parsed.begin()->value();
  EXPECT_TRUE(told.at("userAgent").as_string().starts_with("caf\xef\xbf\xbd/1\\u001b\xef\xbf\xbd"));
  EXPECT_LT(told.at("userAgent").as_string().size(), kMaxPeerText + 40);
  EXPECT_EQ(told.at("protocols").at(0), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(told.at("protocols").at(1), "op-node/\xc3\xa4");
  EXPECT_EQ(told.at("protocols").at(2), "\"\\\\u000a");
}

}  // namespace
}  // namespace opp2p
