#include "libp2p/protocols/gossipsub/signatures.hpp"

#include <gmock/gmock.h>

#include "libp2p/base/rng.hpp"
#include "libp2p/protocols/gossipsub/go_messages_test.hpp"
#include "libp2p/protocols/gossipsub/signing_test_support.hpp"

namespace libp2p::gossipsub::test {
namespace {

class GossipsubSignatures : public testing::TestWithParam<crypto::KeyType> {
 protected:
  crypto::PrivateKey key = signing_key(1, GetParam());
  KeySignatures signatures{key, 41};
};

TEST_P(GossipsubSignatures, are_over_the_prefix_and_the_message_without_signature_and_key) {
  const Bytes data = to_bytes("data");
  const Authorship author = signatures.sign("topic", data).value();
  EXPECT_TRUE(equal(author.from, signatures.self().bytes()));
  EXPECT_EQ(author.seqno, (Bytes{0, 0, 0, 0, 0, 0, 0, 42}));
  EXPECT_TRUE(author.key.empty()) << "the id holds the key";
  Bytes expected = to_bytes("libp2p-pubsub:");
  const auto field = [&](std::uint8_t tag, ByteView value) {
    expected.push_back(tag);
    expected.push_back(static_cast<std::uint8_t>(value.size()));
    append(expected, value);
  };
  field(0x0a, author.from);
  field(0x12, data);
  field(0x1a, author.seqno);
  field(0x22, as_bytes("topic"));
  EXPECT_TRUE(key.public_key().verify(expected, author.signature));
  EXPECT_EQ(signatures.sign("topic", data).value().seqno.back(), 43) << "numbers grow";
}

TEST_P(GossipsubSignatures, verify_and_a_change_of_anything_breaks_them) {
  const OwnedMessage good = signed_message(signatures, "topic", "data");
  EXPECT_TRUE(signatures.verify(good.view()));
  const auto broken = [&](auto change) {
    OwnedMessage bad = good;
    change(bad);
    return !signatures.verify(bad.view());
  };
  EXPECT_TRUE(broken([](OwnedMessage& m) { m.data.push_back('x'); }));
  EXPECT_TRUE(broken([](OwnedMessage& m) { m.topic += "x"; }));
  EXPECT_TRUE(broken([](OwnedMessage& m) { m.author.seqno.back() ^= 1; }));
  EXPECT_TRUE(broken([](OwnedMessage& m) { m.author.signature.back() ^= 1; }));
  EXPECT_TRUE(broken([](OwnedMessage& m) { m.author.signature.clear(); }));
  EXPECT_TRUE(broken([](OwnedMessage& m) { m.author.from.clear(); }));
  const crypto::PrivateKey other = signing_key(2, GetParam());
  EXPECT_TRUE(
      broken([&](OwnedMessage& m) { m.author.from = to_bytes(PeerId::from_public_key(other.public_key()).bytes()); }));
  EXPECT_TRUE(broken([&](OwnedMessage& m) { m.author.key = other.public_key().to_protobuf(); }));
  EXPECT_TRUE(broken([&](OwnedMessage& m) { m.author.key = to_bytes("junk"); }));
  EXPECT_FALSE(broken([&](OwnedMessage& m) { m.author.key = key.public_key().to_protobuf(); }))
      << "a key that the id holds may be there";
}

INSTANTIATE_TEST_SUITE_P(Keys, GossipsubSignatures,
                         testing::Values(crypto::KeyType::ed25519, crypto::KeyType::secp256k1),
                         [](const auto& key) { return std::string(crypto::to_string(key.param)); });

TEST(GossipsubSignaturesOfGo, verify_for_every_type_of_key_and_name_messages_as_go_does) {
  const KeySignatures anybody(signing_key(1), 0);
  for (const GoMessage& go : kGoMessages) {
    const Bytes bytes = from_hex(go.message).value();
    const Message message = decode_message(bytes).value();
    EXPECT_EQ(encode_message(message), bytes) << go.name;
    const auto verified = anybody.verify(message);
    EXPECT_TRUE(verified) << go.name << ": " << (verified ? "" : verified.error().message());
    EXPECT_EQ(author_fault(SignaturePolicy::strict_sign, message), std::nullopt) << go.name;
    Bytes id = to_bytes(*message.from);
    append(id, *message.seqno);
    EXPECT_EQ(id, from_hex(go.id).value()) << go.name;
    EXPECT_TRUE(MessageId::from(id)) << go.name;
    Bytes broken = bytes;
    broken[broken.size() / 2] ^= 1;
    const auto changed = decode_message(broken);
    EXPECT_FALSE(changed && anybody.verify(*changed)) << go.name;
  }
}

TEST(GossipsubSignaturePolicies, are_by_topic) {
  SignaturePolicies policies;
  EXPECT_FALSE(policies.need_keys());
  policies.topics["a"] = SignaturePolicy::lax_no_sign;
  EXPECT_TRUE(policies.need_keys()) << "to verify what is signed";
  EXPECT_EQ(policies.of("a"), SignaturePolicy::lax_no_sign);
  EXPECT_EQ(policies.of("b"), SignaturePolicy::strict_no_sign);
}

TEST(GossipsubSignaturePolicies, say_what_a_message_must_have) {
  const Bytes some(8, 1);
  const auto fault = [](SignaturePolicy policy, const Message& message) { return author_fault(policy, message); };
  Message whole;
  whole.from = whole.seqno = whole.signature = ByteView(some);
  Message bare;
  EXPECT_EQ(fault(SignaturePolicy::strict_sign, whole), std::nullopt);
  EXPECT_EQ(fault(SignaturePolicy::strict_no_sign, bare), std::nullopt);
  EXPECT_EQ(fault(SignaturePolicy::strict_no_sign, whole), RejectCause::unexpected_author);
  for (const int missing : {0, 1, 2}) {
    Message message = whole;
    (missing == 0 ? message.from : missing == 1 ? message.seqno : message.signature).reset();
    EXPECT_EQ(fault(SignaturePolicy::strict_sign, message), RejectCause::missing_signature) << missing;
  }
  Message short_number = whole;
  short_number.seqno = ByteView(some).first(7);
  EXPECT_EQ(fault(SignaturePolicy::strict_sign, short_number), RejectCause::missing_signature);
  for (const auto lax : {SignaturePolicy::lax_sign, SignaturePolicy::lax_no_sign}) {
    EXPECT_EQ(fault(lax, whole), std::nullopt);
    EXPECT_EQ(fault(lax, bare), std::nullopt);
  }
}

}  // namespace
}  // namespace libp2p::gossipsub::test
