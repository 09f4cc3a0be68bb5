#include "libp2p/crypto/aead.hpp"

#include <gtest/gtest.h>

#include "libp2p/base/rng.hpp"

namespace libp2p::crypto {
namespace {

ByteArray<32> key_of(std::string_view hex) {
  const auto raw = from_hex(hex).value();
  ByteArray<32> key;
  std::copy(raw.begin(), raw.end(), key.begin());
  return key;
}

// RFC 8439 has nonces with a 32-bit prefix; only appendix A.5's begins with zeros, as Noise wants.
TEST(Aead, opens_the_message_of_rfc_8439_a5) {
  ChaCha20Poly1305 cipher(key_of("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0"));
  const auto sealed = from_hex(
                          "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e382d"
                          "26b0bdb7b73c321b0100"
                          "d4f03b7f355894cf332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c8559797a06ef4f0"
                          "ef61c186324e2b350638"
                          "3606907b6a7c02b0f9f6157b53c867e4b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c"
                          "523eaf4534d7f83fa115"
                          "5b0047718cbc546a0d072b04b3564eea1b422273f548271a0bb2316053fa76991955ebd63159434ecebb4e466dae"
                          "5a1073a6727627097a10"
                          "49e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b02709beead9d6789"
                          "0cbb22392336fea1851f"
                          "38")
                          .value();
  const auto associated = from_hex("f33388860000000000004e91").value();
  Bytes plain(sealed.size() - 16);
  const auto n = cipher.open(0x0807060504030201, associated, sealed, plain);
  ASSERT_TRUE(n) << n.error().message();
  EXPECT_EQ(*n, 265U);
  EXPECT_EQ(as_text(plain).substr(0, 44), "Internet-Drafts are draft documents valid fo");
  Bytes again(sealed.size());
  cipher.seal(0x0807060504030201, associated, plain, again);
  EXPECT_EQ(to_hex(again), to_hex(sealed));
}

TEST(Aead, opens_what_it_sealed_in_place_and_apart) {
  SeededRng rng(3);
  ChaCha20Poly1305 cipher(rng.array<32>());
  for (std::uint64_t nonce = 0; nonce < 300; ++nonce) {
    Bytes plain(rng.below(nonce < 200 ? 200 : 70000));
    Bytes associated(rng.below(40));
    rng.fill(plain);
    rng.fill(associated);
    Bytes apart(plain.size() + 16);
    cipher.seal(nonce, associated, plain, apart);
    Bytes in_place = plain;
    in_place.resize(plain.size() + 16);
    cipher.seal(nonce, associated, ByteView(in_place).first(plain.size()), in_place);
    ASSERT_EQ(in_place, apart);
    const auto n = cipher.open(nonce, associated, in_place, in_place);
    ASSERT_TRUE(n);
    ASSERT_TRUE(equal(ByteView(in_place).first(*n), plain));
    Bytes out(plain.size());
    ASSERT_EQ(cipher.open(nonce, associated, apart, out).value(), plain.size());
    ASSERT_EQ(out, plain);
  }
}

TEST(Aead, refuses_every_changed_bit_and_every_cut_and_stays_usable) {
  SeededRng rng(4);
  ChaCha20Poly1305 cipher(rng.array<32>());
  const Bytes associated = {1, 2, 3};
  const Bytes plain(33, 7);
  Bytes sealed(plain.size() + 16);
  cipher.seal(9, associated, plain, sealed);
  Bytes out(plain.size());
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes changed = sealed;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    ASSERT_EQ(cipher.open(9, associated, changed, out).error(), Errc::mismatch);
  }
  for (std::size_t n = 0; n < sealed.size(); ++n) {
    const auto cut = cipher.open(9, associated, ByteView(sealed).first(n), out);
    ASSERT_EQ(cut.error(), n < 16 ? Errc::truncated : Errc::mismatch) << n;
  }
  EXPECT_EQ(cipher.open(8, associated, sealed, out).error(), Errc::mismatch);
  EXPECT_EQ(cipher.open(9, {}, sealed, out).error(), Errc::mismatch);
  EXPECT_EQ(cipher.open(9, associated, sealed, MutableBytes(out).first(32)).error(), Errc::invalid_argument);
  EXPECT_EQ(cipher.open(9, associated, sealed, out).value(), plain.size());
}

TEST(Aead, refuses_to_seal_into_too_small_a_place) {
  ChaCha20Poly1305 cipher(ByteArray<32>{});
  Bytes out(20);
  EXPECT_THROW(cipher.seal(0, {}, Bytes(5), out), std::length_error);
}

}  // namespace
}  // namespace libp2p::crypto
