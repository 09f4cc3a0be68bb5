#include "libp2p/multiformats/peer_id.hpp"

#include <gtest/gtest.h>

#include "libp2p/multiformats/multibase.hpp"
#include "libp2p/multiformats/multihash.hpp"

namespace libp2p::multiformats {
namespace {

PeerId some_id(crypto::KeyType type, std::uint64_t seed) {
  SeededRng rng(seed);
  return PeerId::from_public_key(crypto::PrivateKey::generate(type, rng).value().public_key());
}

TEST(PeerId, survives_every_form) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SeededRng rng(seed);
    const auto type = seed % 2 == 0 ? crypto::KeyType::ed25519 : crypto::KeyType::secp256k1;
    const auto key = crypto::PrivateKey::generate(type, rng).value().public_key();
    const auto id = PeerId::from_public_key(key);
    EXPECT_EQ(PeerId::from_bytes(id.bytes()).value(), id);
    EXPECT_EQ(PeerId::from_text(id.to_base58()).value(), id);
    EXPECT_EQ(PeerId::from_text(id.to_cid()).value(), id);
    EXPECT_EQ(id.public_key().value(), key);
    EXPECT_TRUE(id.matches(key));
    EXPECT_TRUE(id.to_base58().starts_with(type == crypto::KeyType::ed25519 ? "12D3Koo" : "16Uiu2"));
  }
}

TEST(PeerId, matches_no_other_key) {
  SeededRng rng(1);
  const auto key = crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng).value().public_key();
  EXPECT_FALSE(some_id(crypto::KeyType::ed25519, 2).matches(key));
  EXPECT_FALSE(PeerId().matches(key));
}

TEST(PeerId, refuses_every_cut_of_its_bytes_and_text) {
  const auto id = some_id(crypto::KeyType::secp256k1, 3);
  for (std::size_t n = 0; n < id.bytes().size(); ++n) EXPECT_FALSE(PeerId::from_bytes(id.bytes().first(n))) << n;
  Bytes longer = to_bytes(id.bytes());
  longer.push_back(0);
  EXPECT_FALSE(PeerId::from_bytes(longer));
  const auto cid = id.to_cid();
  for (std::size_t n = 0; n < cid.size(); ++n) EXPECT_FALSE(PeerId::from_text(cid.substr(0, n))) << n;
  // Base 58 has no frame: a cut text is another number, which may happen to be a multihash, but holds no key.
  const auto base58 = id.to_base58();
  for (std::size_t n = 0; n < base58.size(); ++n) {
    const auto cut = PeerId::from_text(base58.substr(0, n));
    EXPECT_TRUE(!cut || !cut->public_key()) << n;
  }
}

TEST(PeerId, takes_only_the_two_hashes_of_the_specification) {
  EXPECT_TRUE(PeerId::from_bytes(multihash_of(0x12, as_bytes("key")).value()));
  EXPECT_EQ(PeerId::from_bytes(multihash_of(0x1b, as_bytes("key")).value()).error(), Errc::malformed);
  EXPECT_EQ(PeerId::from_bytes(encode_multihash(0x12, Bytes(31))).error(), Errc::malformed);
  EXPECT_TRUE(PeerId::from_bytes(encode_multihash(0x00, Bytes(42))));
  EXPECT_EQ(PeerId::from_bytes(encode_multihash(0x00, Bytes(43))).error(), Errc::malformed);
  EXPECT_FALSE(PeerId::from_bytes(encode_multihash(0x00, Bytes(42))).value().public_key()) << "42 zeros are no key";
}

TEST(PeerId, refuses_other_cids) {
  Bytes raw_codec{0x01, 0x55};
  append(raw_codec, some_id(crypto::KeyType::ed25519, 4).bytes());
  EXPECT_EQ(PeerId::from_text(encode_multibase(Base::base32, raw_codec)).error(), Errc::unsupported);
  raw_codec[0] = 2;
  EXPECT_EQ(PeerId::from_text(encode_multibase(Base::base32, raw_codec)).error(), Errc::unsupported);
  EXPECT_EQ(PeerId::from_text(std::string(513, 'z')).error(), Errc::too_large);
}

TEST(PeerId, is_ordered_as_its_bytes_are_and_the_shorter_one_comes_first) {
  std::vector<Bytes> multihashes;
  for (const std::uint8_t last : {0, 1, 0x7f, 0x80, 0xff}) {
    for (const std::size_t size : {0, 1, 5, 41, 42}) {
      Bytes digest(size);
      if (size != 0) digest.back() = last;
      multihashes.push_back(encode_multihash(0x00, digest));
    }
    multihashes.push_back(encode_multihash(0x12, Bytes(32, last)));
  }
  for (const Bytes& a : multihashes) {
    for (const Bytes& b : multihashes) {
      const auto id_a = PeerId::from_bytes(a).value();
      const auto id_b = PeerId::from_bytes(b).value();
      EXPECT_EQ(id_a < id_b, as_text(a) < as_text(b)) << to_hex(a) << ' ' << to_hex(b);
      EXPECT_EQ(id_a == id_b, a == b) << to_hex(a) << ' ' << to_hex(b);
    }
  }
}

TEST(PeerId, is_empty_only_when_unknown_and_hashes_by_value) {
  EXPECT_TRUE(PeerId().empty());
  const auto id = some_id(crypto::KeyType::ed25519, 5);
  EXPECT_FALSE(id.empty());
  EXPECT_EQ(std::hash<PeerId>{}(id), std::hash<PeerId>{}(PeerId::from_bytes(id.bytes()).value()));
  EXPECT_LT(PeerId(), id);
}

}  // namespace
}  // namespace libp2p::multiformats
