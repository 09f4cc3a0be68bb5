#include <gtest/gtest.h>

#include "libp2p/security/plaintext/security.hpp"

namespace libp2p::plaintext {
namespace {

crypto::PrivateKey identity(std::uint64_t seed) {
  SeededRng rng(seed);
  return crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng).value();
}

class PlaintextSecurity : public testing::Test {
 protected:
  std::unique_ptr<SecureChannel> begin(const crypto::PrivateKey& key, Role role, std::optional<PeerId> expected = {}) {
    const auto factory = security();
    EXPECT_EQ(factory.id, "/plaintext/2.0.0");
    const auto kind = factory.make(key, rng).value();
    EXPECT_EQ(kind.id, factory.id);
    // The kind may go before its channels do.
    return kind.begin({role, std::move(expected), {"/yamux/1.0.0"}, {}}, rng).value();
  }

  SeededRng rng{1};
  crypto::PrivateKey one = identity(1), two = identity(2);
};

TEST_F(PlaintextSecurity, lets_both_sides_speak_first_and_leaves_the_muxer_to_be_negotiated) {
  const auto dialer = begin(one, Role::dialer, PeerId::from_public_key(two.public_key()));
  const auto listener = begin(two, Role::listener);
  const Bytes from_dialer = dialer->take_handshake_output(), from_listener = listener->take_handshake_output();
  EXPECT_FALSE(dialer->established());
  EXPECT_EQ(dialer->on_handshake(from_listener).value(), from_listener.size());
  EXPECT_EQ(listener->on_handshake(from_dialer).value(), from_dialer.size());
  ASSERT_TRUE(dialer->established());
  ASSERT_TRUE(listener->established());
  EXPECT_EQ(dialer->remote_key(), two.public_key());
  EXPECT_EQ(listener->remote_key(), one.public_key());
  EXPECT_EQ(dialer->early_muxer(), "");
  EXPECT_EQ(dialer->protocol(), "/plaintext/2.0.0");
  EXPECT_EQ(dialer->on_handshake(from_listener).value(), 0U);
}

TEST_F(PlaintextSecurity, refuses_another_peer_than_the_expected_one) {
  const auto dialer = begin(one, Role::dialer, PeerId::from_public_key(identity(3).public_key()));
  const auto refused = dialer->on_handshake(begin(two, Role::listener)->take_handshake_output());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::mismatch);
  EXPECT_FALSE(dialer->established());
}

TEST_F(PlaintextSecurity, sends_bytes_as_they_are_and_hands_on_all_that_is_there) {
  const auto channel = begin(one, Role::dialer);
  ASSERT_TRUE(channel->on_handshake(begin(two, Role::listener)->take_handshake_output()));
  EXPECT_EQ(channel->header_size() + channel->overhead(), 0U);
  Bytes data = to_bytes("as it is, \0 and all");
  const Bytes before = data;
  EXPECT_EQ(channel->seal(data, data.size()).value(), data.size());
  EXPECT_EQ(channel->seal(data, 3).value(), 3U);
  EXPECT_EQ(data, before);
  for (const std::size_t size : {data.size(), std::size_t{1}, std::size_t{0}}) {
    const auto opened = channel->open(MutableBytes(data).first(size));
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->taken, size);
    EXPECT_EQ(opened->plain.data(), data.data());
    EXPECT_EQ(opened->plain.size(), size);
    EXPECT_FALSE(opened->ended);
  }
  EXPECT_EQ(data, before);
  EXPECT_FALSE(channel->wants_output());
}

TEST_F(PlaintextSecurity, takes_a_megabyte_at_once_and_gives_messages_of_a_bounded_size) {
  const auto channel = begin(one, Role::dialer);
  Bytes much(1 << 20);
  EXPECT_EQ(channel->open(much).value().taken, much.size());
  EXPECT_EQ(channel->seal(much, channel->max_plain()).value(), channel->max_plain());
  EXPECT_FALSE(channel->seal(much, channel->max_plain() + 1));
  EXPECT_FALSE(channel->seal(MutableBytes(much).first(4), 5));
}

}  // namespace
}  // namespace libp2p::plaintext
