#include <gtest/gtest.h>

#include <limits>

#include "libp2p/protocols/noise/handshake.hpp"
#include "libp2p/protocols/noise/transport.hpp"

namespace libp2p::noise {
namespace {

crypto::PrivateKey identity(std::uint64_t seed, crypto::KeyType type = crypto::KeyType::ed25519) {
  SeededRng rng(seed);
  return crypto::PrivateKey::generate(type, rng).value();
}

// Both sides of a handshake, and what each answered to the other's last message.
struct Duet {
  explicit Duet(HandshakeOptions initiator_options = {}, HandshakeOptions responder_options = {})
      : rng(1),
        initiator_key(identity(10, crypto::KeyType::secp256k1)),
        responder_key(identity(11)),
        initiator_credentials(Credentials::make(initiator_key, rng).value()),
        responder_credentials(Credentials::make(responder_key, rng).value()),
        initiator(true, initiator_credentials, std::move(initiator_options), rng),
        responder(false, responder_credentials, std::move(responder_options), rng) {}

  Result<std::size_t> step(Handshake& from, Handshake& to) { return to.on_bytes(from.take_output()); }
  bool run() { return step(initiator, responder) && step(responder, initiator) && step(initiator, responder); }

  SeededRng rng;
  crypto::PrivateKey initiator_key, responder_key;
  Credentials initiator_credentials, responder_credentials;
  Handshake initiator, responder;
};

TEST(NoiseHandshake, authenticates_both_sides_and_derives_matching_keys) {
  Duet duet;
  ASSERT_TRUE(duet.run());
  EXPECT_TRUE(duet.initiator.finished());
  EXPECT_TRUE(duet.responder.finished());
  EXPECT_EQ(duet.initiator.remote_key(), duet.responder_key.public_key());
  EXPECT_EQ(duet.responder.remote_key(), duet.initiator_key.public_key());
  EXPECT_EQ(duet.initiator.handshake_hash(), duet.responder.handshake_hash());
  EXPECT_EQ(duet.initiator.split().send, duet.responder.split().receive);
  EXPECT_EQ(duet.initiator.split().receive, duet.responder.split().send);
  EXPECT_NE(duet.initiator.split().receive, duet.initiator.split().send);
}

TEST(NoiseHandshake, waits_for_whole_messages_and_takes_no_byte_behind_them) {
  Duet duet;
  const Bytes first = duet.initiator.take_output();
  for (std::size_t n = 0; n < first.size(); ++n)
    EXPECT_EQ(duet.responder.on_bytes(ByteView(first).first(n)).value(), 0U);
  Bytes more = first;
  append(more, as_bytes("behind"));
  EXPECT_EQ(duet.responder.on_bytes(more).value(), first.size());
  ASSERT_TRUE(duet.step(duet.responder, duet.initiator));
  Bytes last = duet.initiator.take_output();
  const std::size_t size = last.size();
  append(last, as_bytes("sealed data"));
  EXPECT_EQ(duet.responder.on_bytes(last).value(), size);
  EXPECT_EQ(duet.responder.on_bytes(ByteView(last).subspan(size)).value(), 0U);
}

TEST(NoiseHandshake, refuses_another_peer_than_expected_before_it_shows_its_own_identity) {
  Duet duet({{}, {}, PeerId::from_public_key(identity(77).public_key())});
  ASSERT_TRUE(duet.step(duet.initiator, duet.responder));
  const auto result = duet.step(duet.responder, duet.initiator);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Errc::mismatch);
  EXPECT_NE(result.error().text().find(PeerId::from_public_key(identity(77).public_key()).to_base58()),
            std::string::npos);
  EXPECT_FALSE(duet.initiator.has_output());
  EXPECT_FALSE(duet.initiator.finished());
}

TEST(NoiseHandshake, notices_every_changed_byte) {
  for (int message = 1; message <= 3; ++message) {
    std::size_t size = 3;
    for (std::size_t at = 2; at < size; ++at) {
      Duet duet;
      bool failed = false;
      for (int step = 1; step <= 3 && !failed; ++step) {
        auto& from = step == 2 ? duet.responder : duet.initiator;
        auto& to = step == 2 ? duet.initiator : duet.responder;
        Bytes bytes = from.take_output();
        if (step == message) {
          size = bytes.size();
          bytes[at] ^= 0x01;
        }
        failed = !to.on_bytes(bytes);
      }
      EXPECT_TRUE(failed) << "message " << message << " byte " << at;
    }
  }
}

TEST(NoiseHandshake, refuses_a_signature_by_another_key_or_over_another_static_key) {
  SeededRng rng(3);
  const auto honest = identity(1), forger = identity(2);
  const auto own = crypto::X25519KeyPair::generate(rng), other = crypto::X25519KeyPair::generate(rng);
  const auto payload_of = [](const Credentials& credentials) {
    return HandshakePayload{credentials.identity_key(), credentials.signature(), {}};
  };
  // Somebody else's identity with one's own signature; somebody's signature over somebody's static key.
  auto borrowed = payload_of(Credentials::make(forger, own).value());
  borrowed.identity_key = honest.public_key().to_protobuf();
  const auto replayed = payload_of(Credentials::make(honest, other).value());
  auto unsigned_one = payload_of(Credentials::make(honest, own).value());
  unsigned_one.identity_signature.clear();
  auto keyless = payload_of(Credentials::make(honest, own).value());
  keyless.identity_key.clear();
  for (const auto& payload : {borrowed, replayed, unsigned_one, keyless}) {
    Duet duet;
    HandshakeState peer(true, {}, own, crypto::X25519KeyPair::generate(rng));
    const auto send = [&](const Bytes& message) {
      Bytes framed(2);
      store_be16(framed.data(), static_cast<std::uint16_t>(message.size()));
      append(framed, message);
      return duet.responder.on_bytes(framed);
    };
    ASSERT_TRUE(send(peer.write_message({}).value()));
    ASSERT_TRUE(peer.read_message(ByteView(duet.responder.take_output()).subspan(2)));
    EXPECT_FALSE(send(peer.write_message(encode_payload(payload)).value()));
    EXPECT_FALSE(duet.responder.finished());
  }
}

TEST(NoiseHandshake, shows_extensions_only_of_a_verified_peer_and_ignores_a_first_payload) {
  Duet duet({{}, {{}, {"/yamux/1.0.0", "/mplex/6.7.0"}}, {}}, {{}, {{to_bytes("hash")}, {"/mplex/6.7.0"}}, {}});
  ASSERT_TRUE(duet.run());
  EXPECT_EQ(duet.initiator.remote_extensions().webtransport_certhashes.size(), 1U);
  EXPECT_EQ(choose_muxer(duet.responder.remote_extensions(), duet.initiator.remote_extensions()), "/mplex/6.7.0");
  EXPECT_EQ(choose_muxer({{}, {"/a"}}, {{}, {"/b"}}), "");
  EXPECT_EQ(choose_muxer({}, {{}, {"/b"}}), "");

  SeededRng rng(4);
  Duet second;
  HandshakeState peer(true, {}, crypto::X25519KeyPair::generate(rng), crypto::X25519KeyPair::generate(rng));
  const Bytes message = peer.write_message(as_bytes("early data that nobody asked for")).value();
  Bytes framed(2);
  store_be16(framed.data(), static_cast<std::uint16_t>(message.size()));
  append(framed, message);
  EXPECT_TRUE(second.responder.on_bytes(framed));
}

TEST(NoiseHandshake, refuses_messages_that_are_too_long_too_short_or_of_low_order) {
  const auto first = [](Bytes framed) {
    Duet duet;
    return duet.responder.on_bytes(framed);
  };
  Bytes huge(2);
  store_be16(huge.data(), static_cast<std::uint16_t>(kMaxHandshakeMessage + 1));
  EXPECT_EQ(first(huge).error().code(), Errc::too_large);
  store_be16(huge.data(), kMaxHandshakeMessage);
  EXPECT_EQ(first(huge).value(), 0U) << "the rest is still to come";
  EXPECT_EQ(first({0, 0}).error().code(), Errc::truncated);
  EXPECT_EQ(first({0, 3, 1, 2, 3}).error().code(), Errc::truncated);
  Bytes zero(34);
  zero[1] = 32;
  EXPECT_FALSE(first(zero));  // a key of low order would make the secret known to all
}

TEST(NoiseHandshake, differs_with_the_prologue) {
  Duet duet({to_bytes("one"), {}, {}}, {to_bytes("two"), {}, {}});
  EXPECT_FALSE(duet.run());
}

TEST(NoiseHandshake, pattern_refuses_messages_out_of_turn) {
  SeededRng rng(5);
  HandshakeState state(true, {}, crypto::X25519KeyPair::generate(rng), crypto::X25519KeyPair::generate(rng));
  EXPECT_EQ(state.read_message(Bytes(32)).error().code(), Errc::invalid_argument);
  EXPECT_EQ(state.write_message(Bytes(65535)).error().code(), Errc::too_large);
  ASSERT_TRUE(state.write_message({}));
  EXPECT_EQ(state.write_message({}).error().code(), Errc::invalid_argument);
}

TEST(NoisePayload, round_trips_and_skips_what_it_does_not_know) {
  const HandshakePayload payload{to_bytes("key"), to_bytes("signature"), {{to_bytes("h1"), {}}, {"/m", ""}}};
  Bytes encoded = encode_payload(payload);
  EXPECT_EQ(decode_payload(encoded).value(), payload);
  append(encoded, Bytes{0x18, 0x05});              // field 3, varint
  append(encoded, Bytes{0x08, 0x05});              // field 1 with another wire type
  append(encoded, Bytes{0x22, 0x02, 0x18, 0x01});  // extensions again, with an unknown field: merged
  EXPECT_EQ(decode_payload(encoded).value(), payload);
  EXPECT_EQ(decode_payload({}).value(), HandshakePayload{});
}

TEST(NoisePayload, refuses_broken_and_boundless_messages) {
  const Bytes encoded = encode_payload({to_bytes("key"), to_bytes("signature"), {{}, {"/m"}}});
  for (std::size_t n = 1; n < encoded.size(); ++n) {
    const auto cut = decode_payload(ByteView(encoded).first(n));
    EXPECT_TRUE(cut || cut.error().code() == Errc::malformed);
  }
  EXPECT_FALSE(decode_payload(Bytes{0x0a, 0x05, 1}));
  EXPECT_FALSE(decode_payload(Bytes{0x22, 0x02, 0x0a, 0x05}));
  HandshakePayload many;
  many.extensions.stream_muxers.assign(kMaxMuxers + 1, "/m");
  EXPECT_EQ(decode_payload(encode_payload(many)).error().code(), Errc::exhausted);
}

// A pair of transports that share their keys.
struct Ends {
  explicit Ends(std::uint64_t nonce = 0) : Ends(keys(), nonce) {}
  static TransportKeys keys() {
    SeededRng rng(8);
    return {rng.array<32>(), rng.array<32>()};
  }
  Ends(TransportKeys k, std::uint64_t nonce) : from(k, nonce, nonce), to({k.receive, k.send}, nonce, nonce) {}
  Bytes seal(ByteView plain) {
    Bytes message(plain.size() + kOverhead);
    std::copy(plain.begin(), plain.end(), message.begin() + kLengthSize);
    EXPECT_EQ(from.seal_in_place(message, plain.size()).value(), message.size());
    return message;
  }
  Transport from, to;
};

TEST(NoiseTransport, opens_all_whole_messages_in_place_and_leaves_the_rest) {
  Ends ends;
  Bytes wire = ends.seal(as_bytes("one"));
  append(wire, ends.seal({}));
  append(wire, ends.seal(Bytes(kMaxPlain, 7)));
  const std::size_t whole = wire.size();
  append(wire, ByteView(ends.seal(as_bytes("cut"))).first(10));
  Bytes all;
  const auto taken = ends.to.open_all(wire, [&](MutableBytes plain) -> Result<void> {
    EXPECT_GE(plain.data(), wire.data());
    append(all, plain);
    return {};
  });
  EXPECT_EQ(taken.value(), whole);
  EXPECT_EQ(all.size(), 3 + kMaxPlain);
}

TEST(NoiseTransport, refuses_changed_swapped_and_tagless_messages) {
  Ends ends;
  Bytes first = ends.seal(as_bytes("one")), second = ends.seal(as_bytes("two"));
  Bytes changed = first;
  changed.back() ^= 1;
  EXPECT_EQ(ends.to.open_front(changed).error().code(), Errc::mismatch);
  Bytes early = second;
  EXPECT_EQ(ends.to.open_front(early).error().code(), Errc::mismatch);
  EXPECT_TRUE(ends.to.open_front(first));
  Bytes tagless{0, 15};
  EXPECT_EQ(ends.to.open_front(tagless).error().code(), Errc::malformed);
}

TEST(NoiseTransport, refuses_what_does_not_fit) {
  Ends ends;
  Bytes message(kMaxPlain + kOverhead + 1);
  EXPECT_EQ(ends.from.seal_in_place(message, kMaxPlain + 1).error().code(), Errc::invalid_argument);
  EXPECT_EQ(ends.from.seal_in_place(MutableBytes(message).first(kOverhead), 1).error().code(), Errc::invalid_argument);
}

TEST(NoiseTransport, ends_before_a_nonce_would_be_reserved_or_reused) {
  Ends ends(std::numeric_limits<std::uint64_t>::max() - 1);
  Bytes last = ends.seal(as_bytes("last"));
  EXPECT_TRUE(ends.to.open_front(last));
  Bytes message(kOverhead + 1);
  EXPECT_EQ(ends.from.seal_in_place(message, 1).error().code(), Errc::exhausted);
  Bytes more = last;
  EXPECT_EQ(ends.to.open_front(more).error().code(), Errc::exhausted);
}

}  // namespace
}  // namespace libp2p::noise
