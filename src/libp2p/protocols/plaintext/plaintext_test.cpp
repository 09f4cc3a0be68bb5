#include <gtest/gtest.h>

#include "libp2p/multiformats/varint.hpp"
#include "libp2p/protocols/plaintext/handshake.hpp"

namespace libp2p::plaintext {
namespace {

crypto::PrivateKey identity(std::uint64_t seed, crypto::KeyType type = crypto::KeyType::ed25519) {
  SeededRng rng(seed);
  return crypto::PrivateKey::generate(type, rng).value();
}

Exchange exchange_of(const crypto::PublicKey& key) {
  return {to_bytes(PeerId::from_public_key(key).bytes()), key.to_protobuf()};
}

Bytes framed(ByteView message) {
  Bytes out;
  multiformats::append_varint(out, message.size());
  append(out, message);
  return out;
}

Handshake handshake(std::optional<PeerId> expected = std::nullopt) {
  return {framed_exchange(identity(1).public_key()), std::move(expected)};
}

// What a fresh handshake says to bytes that it must refuse.
Error refusal(ByteView bytes, std::optional<PeerId> expected = std::nullopt) {
  Handshake side = handshake(std::move(expected));
  const auto taken = side.on_bytes(bytes);
  EXPECT_FALSE(taken);
  EXPECT_FALSE(side.finished());
  return taken ? Error() : taken.error();
}

// A field of bytes in protobuf.
Bytes field(std::uint8_t number, ByteView value) {
  Bytes out{static_cast<std::uint8_t>(number << 3 | 2)};
  append(out, framed(value));
  return out;
}

Bytes joined(ByteView a, ByteView b) {
  Bytes out = to_bytes(a);
  append(out, b);
  return out;
}

testing::AssertionResult says(const Error& error, Errc code, std::string_view text) {
  if (error.code() == code && error.text().find(text) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << error.message();
}

TEST(PlaintextHandshake, tells_each_side_the_key_and_the_id_of_the_other_in_one_message_each) {
  const auto dialer_key = identity(10, crypto::KeyType::secp256k1), listener_key = identity(11);
  Handshake dialer(framed_exchange(dialer_key.public_key()), PeerId::from_public_key(listener_key.public_key()));
  Handshake listener(framed_exchange(listener_key.public_key()), std::nullopt);
  // Both speak at once: neither needs the other's message for its own.
  const Bytes from_dialer = dialer.take_output(), from_listener = listener.take_output();
  EXPECT_EQ(listener.on_bytes(from_dialer).value(), from_dialer.size());
  EXPECT_EQ(dialer.on_bytes(from_listener).value(), from_listener.size());
  ASSERT_TRUE(dialer.finished());
  ASSERT_TRUE(listener.finished());
  EXPECT_EQ(dialer.remote_key(), listener_key.public_key());
  EXPECT_EQ(listener.remote_key(), dialer_key.public_key());
  EXPECT_EQ(listener.remote_peer(), PeerId::from_public_key(dialer_key.public_key()));
  EXPECT_TRUE(dialer.take_output().empty());
  EXPECT_TRUE(listener.take_output().empty());
}

TEST(PlaintextHandshake, waits_for_the_whole_message_and_takes_no_byte_behind_it) {
  Bytes more = framed_exchange(identity(2).public_key());
  const std::size_t size = more.size();
  append(more, as_bytes("data at once"));
  Handshake side = handshake();
  for (std::size_t n = 0; n < size; ++n) EXPECT_EQ(side.on_bytes(ByteView(more).first(n)).value(), 0U) << n;
  EXPECT_EQ(side.on_bytes(more).value(), size);
  EXPECT_TRUE(side.finished());
  EXPECT_EQ(side.on_bytes(ByteView(more).subspan(size)).value(), 0U);
}

TEST(PlaintextHandshake, refuses_another_peer_than_the_expected_one_and_names_both) {
  const auto other = PeerId::from_public_key(identity(3).public_key());
  const auto error = refusal(framed_exchange(identity(2).public_key()), other);
  EXPECT_TRUE(says(error, Errc::mismatch, other.to_base58()));
  EXPECT_TRUE(says(error, Errc::mismatch, PeerId::from_public_key(identity(2).public_key()).to_base58()));
}

TEST(PlaintextHandshake, refuses_an_id_that_is_not_the_keys) {
  Exchange exchange = exchange_of(identity(2).public_key());
  exchange.id = exchange_of(identity(3).public_key()).id;
  // Also when it is the id that was expected.
  const auto expected = PeerId::from_bytes(exchange.id).value();
  EXPECT_TRUE(says(refusal(framed(encode_exchange(exchange)), expected), Errc::mismatch, "its key is that of"));
}

TEST(PlaintextHandshake, refuses_each_field_that_is_missing_or_malformed_with_a_reason) {
  const Exchange good = exchange_of(identity(2).public_key());
  const auto with = [&](Bytes id, Bytes key) { return framed(encode_exchange({std::move(id), std::move(key)})); };
  EXPECT_TRUE(says(refusal(framed({})), Errc::malformed, "no peer id"));
  EXPECT_TRUE(says(refusal(framed(field(1, good.id))), Errc::malformed, "no public key"));
  EXPECT_TRUE(says(refusal(framed(field(2, good.public_key))), Errc::malformed, "no peer id"));
  EXPECT_TRUE(says(refusal(with({}, good.public_key)), Errc::malformed, "no peer id"));
  EXPECT_TRUE(says(refusal(with(good.id, {})), Errc::malformed, "no public key"));
  EXPECT_TRUE(says(refusal(with(Bytes(34, 9), good.public_key)), Errc::malformed, "the peer's id"));
  EXPECT_TRUE(
      says(refusal(with(good.id, Bytes{8, 1})), Errc::malformed, "the peer's public key: key message has no data"));
  EXPECT_TRUE(says(refusal(with(good.id, Bytes{8, 9, 18, 1, 1})), Errc::unsupported, "key type 9"));
  EXPECT_TRUE(says(refusal(framed(Bytes{0x0a, 5, 1})), Errc::malformed, "a field goes past the end"));
  // Numbers where bytes are wanted are fields that are not known, so the id and the key are missing.
  EXPECT_TRUE(says(refusal(framed(Bytes{0x08, 1, 0x10, 1})), Errc::malformed, "no peer id"));
}

TEST(PlaintextHandshake, refuses_a_length_above_the_bound_before_the_message_is_there) {
  EXPECT_TRUE(says(refusal(Bytes{0x81, 0x40}), Errc::too_large, "8193 bytes, at most 8192 are taken"));
  EXPECT_TRUE(says(refusal(Bytes{0xff, 0xff}), Errc::too_large, "more than 8192 bytes"));
  EXPECT_TRUE(says(refusal(Bytes{0xff, 0xff, 0x03}), Errc::too_large, "65535 bytes"));
  EXPECT_TRUE(says(refusal(Bytes(10, 0x80)), Errc::malformed, "longer than nine bytes"));
  EXPECT_TRUE(says(refusal(Bytes{0x80, 0x00}), Errc::malformed, "not in its shortest form"));
}

TEST(PlaintextHandshake, leaves_no_more_unread_than_it_says) {
  // The longest message: a good one, filled up with a field that is not known.
  Bytes message = encode_exchange(exchange_of(identity(2).public_key()));
  append(message, field(15, Bytes(kMaxExchange - message.size() - 3)));
  ASSERT_EQ(message.size(), kMaxExchange);
  const Bytes whole = framed(message);
  ASSERT_EQ(whole.size(), kMaxUnread + 1);
  Handshake side = handshake();
  EXPECT_EQ(side.on_bytes(ByteView(whole).first(kMaxUnread)).value(), 0U);
  EXPECT_EQ(side.on_bytes(whole).value(), whole.size());
  EXPECT_TRUE(side.finished());
}

TEST(PlaintextHandshake, stays_failed) {
  Handshake side = handshake();
  ASSERT_FALSE(side.on_bytes(framed({})));
  const auto again = side.on_bytes(framed_exchange(identity(2).public_key()));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Errc::closed);
  EXPECT_FALSE(side.finished());
}

TEST(PlaintextExchange, round_trips_and_skips_what_it_does_not_know) {
  const Exchange exchange = exchange_of(identity(2).public_key());
  const Bytes encoded = encode_exchange(exchange);
  EXPECT_EQ(decode_exchange(encoded).value(), exchange);
  EXPECT_EQ(decode_exchange(joined(field(9, as_bytes("new")), encoded)).value(), exchange);
  EXPECT_EQ(decode_exchange({}).value(), Exchange{});
}

TEST(PlaintextExchange, takes_the_last_id_and_merges_keys_as_protobuf_does) {
  const Exchange exchange = exchange_of(identity(2).public_key());
  const Exchange earlier = exchange_of(identity(3).public_key());
  const auto merged = decode_exchange(joined(encode_exchange(earlier), encode_exchange(exchange)));
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->id, exchange.id);
  EXPECT_EQ(crypto::PublicKey::from_protobuf(merged->public_key).value(), identity(2).public_key());
  // A key that is cut in two parts, neither of which is a message.
  const ByteView key(exchange.public_key);
  Bytes cut = field(1, exchange.id);
  append(cut, field(2, key.first(7)));
  append(cut, field(2, key.subspan(7)));
  EXPECT_FALSE(decode_exchange(cut));
}

// DER: a tag, its length and what it holds.
Bytes der(std::uint8_t tag, ByteView value) {
  Bytes out{tag, 0x82, static_cast<std::uint8_t>(value.size() >> 8), static_cast<std::uint8_t>(value.size())};
  if (value.size() < 128) out = {tag, static_cast<std::uint8_t>(value.size())};
  append(out, value);
  return out;
}

TEST(PlaintextExchange, has_room_for_the_longest_key_that_is_read) {
  Bytes modulus(1025, 0xc1);  // 8,192 bits, and the zero that makes it positive
  modulus[0] = 0;
  const Bytes numbers = der(0x30, joined(der(0x02, modulus), der(0x02, Bytes{1, 0, 1})));
  const Bytes algorithm = joined(der(0x06, Bytes{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1}), Bytes{0x05, 0x00});
  const Bytes pkix = der(0x30, joined(der(0x30, algorithm), der(0x03, joined(Bytes{0}, numbers))));
  const auto key = crypto::PublicKey::from_raw(crypto::KeyType::rsa, pkix);
  ASSERT_TRUE(key) << key.error().message();
  Handshake side = handshake();
  EXPECT_TRUE(side.on_bytes(framed_exchange(*key)));
  EXPECT_TRUE(side.finished());
}

}  // namespace
}  // namespace libp2p::plaintext
