#include "libp2p/multiformats/multibase.hpp"

#include <gtest/gtest.h>

#include "libp2p/base/rng.hpp"

namespace libp2p::multiformats {
namespace {

constexpr Base kAll[] = {Base::identity,         Base::base2,      Base::base10,           Base::base16,
                         Base::base16_upper,     Base::base32,     Base::base32_upper,     Base::base32_pad,
                         Base::base32_pad_upper, Base::base32_hex, Base::base32_hex_upper, Base::base36,
                         Base::base36_upper,     Base::base58btc,  Base::base58flickr,     Base::base64,
                         Base::base64_pad,       Base::base64_url, Base::base64_url_pad};

bool is_number(Base base) {
  return base == Base::base10 || base == Base::base36 || base == Base::base36_upper || base == Base::base58btc ||
         base == Base::base58flickr;
}

TEST(Multibase, reads_back_what_it_wrote_in_every_base) {
  SeededRng rng(1);
  for (const auto base : kAll) {
    for (std::size_t n = 0; n < 80; ++n) {
      Bytes bytes(n);
      rng.fill(bytes);
      for (std::size_t zeros = rng.below(4); zeros > 0 && zeros <= n; --zeros) bytes[zeros - 1] = 0;
      const auto text = encode_multibase(base, bytes);
      const auto back = decode_multibase(text);
      if (n == 0 && is_number(base)) {
        ASSERT_EQ(back.error(), Errc::truncated) << "as the reference: a number has digits";
        continue;
      }
      ASSERT_TRUE(back) << text << ": " << back.error().message();
      ASSERT_EQ(back->base, base);
      ASSERT_EQ(to_hex(back->bytes), to_hex(bytes)) << text;
    }
  }
}

// From the test vectors of the multibase specification: the text "yes mani !".
TEST(Multibase, writes_the_published_texts) {
  const auto bytes = as_bytes("yes mani !");
  EXPECT_EQ(encode_multibase(Base::base2, bytes),
            "001111001011001010111001100100000011011010110000101101110011010010010000000100001");
  EXPECT_EQ(encode_multibase(Base::base10, bytes), "9573277761329450583662625");
  EXPECT_EQ(encode_multibase(Base::base16, bytes), "f796573206d616e692021");
  EXPECT_EQ(encode_multibase(Base::base32, bytes), "bpfsxgidnmfxgsibb");
  EXPECT_EQ(encode_multibase(Base::base32_hex, bytes), "vf5in683dc5n6i811");
  EXPECT_EQ(encode_multibase(Base::base32_pad, bytes), "cpfsxgidnmfxgsibb");
  EXPECT_EQ(encode_multibase(Base::base36, bytes), "k2lcpzo5yikidynfl");
  EXPECT_EQ(encode_multibase(Base::base58btc, bytes), "z7paNL19xttacUY");
  EXPECT_EQ(encode_multibase(Base::base58flickr, bytes), "Z7Pznk19XTTzBtx");
  EXPECT_EQ(encode_multibase(Base::base64, bytes), "meWVzIG1hbmkgIQ");
  EXPECT_EQ(encode_multibase(Base::base64_url_pad, bytes), "UeWVzIG1hbmkgIQ==");
}

TEST(Multibase, refuses_wrong_padding) {
  for (const auto* text : {"c=", "c========", "cme", "cme=====", "cme=======", "cmf======a",
                           "cmfrggZ==", "M====", "MAA=", "MA===", "MAA==="})
    EXPECT_EQ(decode_multibase(text).error(), Errc::malformed) << text;
  EXPECT_EQ(decode_multibase("cme======").value().bytes, to_bytes("a"));
}

TEST(Multibase, bounds_the_bases_that_take_quadratic_time) {
  EXPECT_TRUE(from_base58(std::string(kMaxNumberText, 'z')));
  EXPECT_EQ(from_base58(std::string(kMaxNumberText + 1, 'z')).error(), Errc::too_large);
  EXPECT_EQ(decode_multibase("k" + std::string(kMaxNumberText + 1, 'z')).error(), Errc::too_large);
}

TEST(Multibase, names_the_character_that_is_wrong) {
  EXPECT_EQ(from_base58("1230").error().offset(), 3U);
  EXPECT_EQ(decode_multibase("").error(), Errc::truncated);
  EXPECT_EQ(decode_multibase("?abc").error(), Errc::unsupported);
}

TEST(Multibase, reads_a_letter_that_is_in_the_alphabet_in_one_case_only_in_that_case) {
  for (const auto* text : {"zl", "zI", "zO", "Zl", "ZI", "ZO"})
    EXPECT_EQ(decode_multibase(text).error(), Errc::malformed) << text;
  EXPECT_EQ(decode_multibase("kA").value().bytes, decode_multibase("ka").value().bytes);
  EXPECT_EQ(decode_multibase("Ka").value().bytes, decode_multibase("KA").value().bytes);
}

TEST(Multibase, survives_any_text) {
  SeededRng rng(2);
  for (int i = 0; i < 20000; ++i) {
    Bytes noise(rng.below(24));
    rng.fill(noise);
    if (!noise.empty() && rng.below(2) == 0) noise[0] = static_cast<std::uint8_t>(kAll[rng.below(std::size(kAll))]);
    const auto back = decode_multibase(as_text(noise));
    if (back) {
      ASSERT_LE(back->bytes.size(), noise.size());
    }
  }
}

}  // namespace
}  // namespace libp2p::multiformats
