// libp2p/protobuf.json, group "identify": messages decode to their fields and encode to the same bytes.
#include "libp2p/protocols/identify/identify.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "testing/vectors.hpp"

namespace identify_vectors {
namespace {

using namespace testing_vectors;
using libp2p::to_hex0x;
using libp2p::identify::Message;

std::optional<std::string> optional_text(const json::object& item, std::string_view key) {
  return has(item, key) ? std::optional(text(item, key)) : std::nullopt;
}

std::optional<libp2p::Bytes> optional_bytes(const json::object& item, std::string_view key) {
  return has(item, key) ? std::optional(bytes(item, key)) : std::nullopt;
}

Message described(const json::object& decoded) {
  static constexpr std::string_view kKnown[] = {"agentVersion", "listenAddrs", "observedAddr",    "protocolVersion",
                                                "protocols",    "publicKey",   "signedPeerRecord"};
  for (const auto& field : decoded)
    EXPECT_NE(std::find(std::begin(kKnown), std::end(kKnown), std::string_view(field.key())), std::end(kKnown))
        << field.key();
  Message message;
  message.public_key = optional_bytes(decoded, "publicKey");
  for (const auto& address : texts_or_none(decoded, "listenAddrs")) message.listen_addrs.push_back(parse_hex(address));
  message.protocols = texts_or_none(decoded, "protocols");
  message.observed_addr = optional_bytes(decoded, "observedAddr");
  message.protocol_version = optional_text(decoded, "protocolVersion");
  message.agent_version = optional_text(decoded, "agentVersion");
  message.signed_peer_record = optional_bytes(decoded, "signedPeerRecord");
  return message;
}

TEST(IdentifyVectors, messages) {
  for_each_case(
      "libp2p/protobuf", "cases",
      {"bytes", "decoded", "group", "length_prefixed", "name", "from_peer_id", "signed_bytes", "source", "kind"},
      [](const json::object& item, const std::string&) {
        if (text(item, "group") != "identify") return;
        SCOPED_TRACE(text(item, "name"));
        const auto expected = described(item.at("decoded").as_object());
        const auto decoded = libp2p::identify::decode(bytes(item, "bytes"));
        ASSERT_TRUE(decoded) << decoded.error().message();
        EXPECT_EQ(*decoded, expected);
        EXPECT_EQ(to_hex0x(libp2p::identify::encode(expected)), text(item, "bytes"));
        const auto streamed = libp2p::identify::decode_parts(bytes(item, "length_prefixed"));
        ASSERT_TRUE(streamed) << streamed.error().message();
        EXPECT_EQ(*streamed, expected);
        EXPECT_EQ(to_hex0x(libp2p::identify::encode_parts(expected)), text(item, "length_prefixed"));
      });
}

}  // namespace
}  // namespace identify_vectors
