#include "libp2p/multiformats/peer_record.hpp"

#include <gtest/gtest.h>

namespace libp2p::multiformats {
namespace {

using crypto::KeyType;
using crypto::PrivateKey;

struct Peer {
  PrivateKey key;
  PeerRecord record;
};

Peer make_peer(KeyType type, std::uint64_t seed) {
  SeededRng rng(seed);
  auto key = PrivateKey::generate(type, rng).value();
  PeerRecord record;
  record.peer_id = PeerId::from_public_key(key.public_key());
  record.seq = rng.next_u64();
  record.addresses = {Multiaddr::from_text("/ip4/192.0.2.1/tcp/9222").value(),
                      Multiaddr::from_text("/ip6/2001:db8::1/udp/4001/quic-v1").value()};
  return {std::move(key), std::move(record)};
}

TEST(PeerRecord, opens_what_its_peer_sealed) {
  for (const auto type : {KeyType::ed25519, KeyType::secp256k1}) {
    const auto peer = make_peer(type, 1);
    const auto opened = PeerRecord::open(peer.record.seal(peer.key).value()).value();
    EXPECT_EQ(opened.peer_id, peer.record.peer_id);
    EXPECT_EQ(opened.seq, peer.record.seq);
    EXPECT_EQ(opened.addresses, peer.record.addresses);
    EXPECT_EQ(opened.skipped_addresses, 0U);
  }
}

TEST(PeerRecord, opens_what_go_libp2p_opens) {
  const auto peer = make_peer(KeyType::ed25519, 9);
  const auto seal = [&](ByteView record) {
    return SignedEnvelope::seal(peer.key, kPeerRecordDomain, kPeerRecordType, record).value().encode();
  };
  Bytes record = peer.record.encode();
  append(record, Bytes{0x7b, 0x7c});      // a group
  append(record, *from_hex("c0a30900"));  // field 19000
  EXPECT_TRUE(PeerRecord::open(seal(record)));
  Bytes envelope = seal(record);
  append(envelope, Bytes{0x7b, 0x7c});
  append(envelope, Bytes{0x0a, 0x02, 0x7b, 0x7c});  // the key goes on with a group
  EXPECT_TRUE(PeerRecord::open(envelope));
  append(record, *from_hex("78ffffffffffffffffff02"));  // a number above 64 bits
  EXPECT_EQ(PeerRecord::open(seal(record)).error(), Errc::malformed);
  // Parts of the key that are no messages by themselves.
  const Bytes key = peer.key.public_key().to_protobuf();
  Bytes cut{0x0a, 0x03, key[0], key[1], key[2], 0x0a, static_cast<std::uint8_t>(key.size() - 3)};
  append(cut, ByteView(key).subspan(3));
  append(cut, ByteView(seal(peer.record.encode())).subspan(2 + key.size()));
  EXPECT_EQ(PeerRecord::open(cut).error(), Errc::malformed);
}

TEST(PeerRecord, may_have_no_addresses_and_sequence_zero) {
  auto peer = make_peer(KeyType::ed25519, 2);
  peer.record.seq = 0;
  peer.record.addresses.clear();
  const auto opened = PeerRecord::open(peer.record.seal(peer.key).value()).value();
  EXPECT_EQ(opened.seq, 0U);
  EXPECT_TRUE(opened.addresses.empty());
}

TEST(PeerRecord, of_another_peer_is_refused_on_both_sides) {
  const auto peer = make_peer(KeyType::ed25519, 3);
  const auto other = make_peer(KeyType::secp256k1, 4);
  EXPECT_EQ(peer.record.seal(other.key).error(), Errc::mismatch);
  const auto wire =
      SignedEnvelope::seal(other.key, kPeerRecordDomain, kPeerRecordType, peer.record.encode()).value().encode();
  EXPECT_EQ(PeerRecord::open(wire).error(), Errc::mismatch);
  const auto shown = PeerRecord::open_unmatched(wire).value();
  EXPECT_FALSE(shown.signer_matches);
  EXPECT_EQ(shown.record.peer_id, peer.record.peer_id);
}

TEST(PeerRecord, of_another_type_or_domain_is_refused) {
  const auto peer = make_peer(KeyType::ed25519, 5);
  const auto payload = peer.record.encode();
  const std::uint8_t other_type[] = {0x03, 0x02};
  const auto typed = SignedEnvelope::seal(peer.key, kPeerRecordDomain, other_type, payload).value();
  EXPECT_EQ(PeerRecord::open(typed.encode()).error(), Errc::unsupported);
  const auto elsewhere = SignedEnvelope::seal(peer.key, "other", kPeerRecordType, payload).value();
  EXPECT_EQ(PeerRecord::open(elsewhere.encode()).error(), Errc::mismatch);
}

TEST(PeerRecord, skips_addresses_that_it_does_not_understand) {
  const auto peer = make_peer(KeyType::ed25519, 6);
  auto payload = peer.record.encode();
  append(payload, Bytes{0x1a, 0x04, 0x0a, 0x02, 0x01, 0x04});  // a protocol that is not in the table
  append(payload, Bytes{0x1a, 0x00});                          // an address without bytes
  const auto wire = SignedEnvelope::seal(peer.key, kPeerRecordDomain, kPeerRecordType, payload).value().encode();
  const auto opened = PeerRecord::open(wire).value();
  EXPECT_EQ(opened.addresses, peer.record.addresses);
  EXPECT_EQ(opened.skipped_addresses, 2U);
}

TEST(PeerRecord, bounds_its_addresses) {
  auto peer = make_peer(KeyType::ed25519, 7);
  const auto one = Multiaddr::from_text("/tcp/1").value();
  peer.record.addresses.assign(kMaxRecordAddresses, one);
  EXPECT_EQ(PeerRecord::open(peer.record.seal(peer.key).value()).value().addresses.size(), kMaxRecordAddresses);
  peer.record.addresses.push_back(one);
  EXPECT_EQ(peer.record.seal(peer.key).error(), Errc::too_large);
  EXPECT_EQ(PeerRecord::decode(peer.record.encode()).error(), Errc::too_large);
}

TEST(PeerRecord, refuses_every_cut_and_every_changed_byte) {
  const auto peer = make_peer(KeyType::ed25519, 8);
  const auto wire = peer.record.seal(peer.key).value();
  for (std::size_t n = 0; n < wire.size(); ++n) ASSERT_FALSE(PeerRecord::open(ByteView(wire).first(n))) << n;
  for (std::size_t at = 0; at < wire.size(); ++at) {
    auto changed = wire;
    changed[at] ^= 0x01;
    ASSERT_FALSE(PeerRecord::open(changed)) << at;
  }
  const auto payload = peer.record.encode();
  for (std::size_t n = 0; n < payload.size(); ++n) {
    const auto cut = PeerRecord::decode(ByteView(payload).first(n));
    // A cut between two fields is a shorter record: only the signature holds the whole together.
    ASSERT_TRUE(!cut || cut->addresses.size() < 2) << n;
  }
}

TEST(SignedEnvelope, needs_a_domain_and_a_type_and_has_a_bound) {
  const auto peer = make_peer(KeyType::ed25519, 9);
  EXPECT_EQ(SignedEnvelope::seal(peer.key, "", kPeerRecordType, {}).error(), Errc::invalid_argument);
  EXPECT_EQ(SignedEnvelope::seal(peer.key, "d", {}, {}).error(), Errc::invalid_argument);
  EXPECT_EQ(SignedEnvelope::open({}, "").error(), Errc::invalid_argument);
  EXPECT_EQ(SignedEnvelope::open({}, "d").error(), Errc::malformed);
  EXPECT_EQ(SignedEnvelope::seal(peer.key, "d", kPeerRecordType, Bytes(kMaxEnvelopeSize)).error(), Errc::too_large);
  EXPECT_EQ(SignedEnvelope::open(Bytes(kMaxEnvelopeSize + 1), "d").error(), Errc::too_large);
}

TEST(SignedEnvelope, binds_each_part_of_what_it_signs) {
  const auto peer = make_peer(KeyType::secp256k1, 10);
  // The same bytes in a row, cut elsewhere, are another input to the signature.
  const auto sealed = SignedEnvelope::seal(peer.key, "ab", as_bytes("cd"), as_bytes("ef")).value();
  EXPECT_TRUE(SignedEnvelope::open(sealed.encode(), "ab"));
  EXPECT_EQ(SignedEnvelope::open(sealed.encode(), "abc").error(), Errc::mismatch);
  EXPECT_EQ(SignedEnvelope::open(sealed.encode(), "a").error(), Errc::mismatch);
  const auto shifted = SignedEnvelope::seal(peer.key, "ab", as_bytes("c"), as_bytes("def")).value();
  EXPECT_FALSE(equal(shifted.signature(), sealed.signature()));
}

TEST(PeerRecord, survives_any_bytes) {
  SeededRng rng(11);
  const auto peer = make_peer(KeyType::ed25519, 11);
  const auto wire = peer.record.seal(peer.key).value();
  for (int i = 0; i < 5000; ++i) {
    auto noise = wire;
    for (std::uint64_t n = 1 + rng.below(6); n > 0; --n)
      noise[rng.below(noise.size())] = static_cast<std::uint8_t>(rng.next_u64());
    noise.resize(rng.below(noise.size() + 1));
    (void)PeerRecord::open(noise);
    (void)PeerRecord::decode(noise);
  }
}

}  // namespace
}  // namespace libp2p::multiformats
