#include <gtest/gtest.h>

#include <map>

#include "libp2p/multiformats/multibase.hpp"
#include "libp2p/multiformats/multihash.hpp"
#include "testing/vectors.hpp"

namespace multibase_multihash_vectors {
namespace {

using namespace testing_vectors;
using libp2p::multiformats::Base;
constexpr auto kFamily = "libp2p/multibase-multihash";

// go-multibase's names.
const std::map<std::string, Base>& bases() {
  static const std::map<std::string, Base> all = {{"identity", Base::identity},
                                                  {"base2", Base::base2},
                                                  {"base10", Base::base10},
                                                  {"base16", Base::base16},
                                                  {"base16upper", Base::base16_upper},
                                                  {"base32", Base::base32},
                                                  {"base32upper", Base::base32_upper},
                                                  {"base32pad", Base::base32_pad},
                                                  {"base32padupper", Base::base32_pad_upper},
                                                  {"base32hex", Base::base32_hex},
                                                  {"base32hexupper", Base::base32_hex_upper},
                                                  {"base36", Base::base36},
                                                  {"base36upper", Base::base36_upper},
                                                  {"base58btc", Base::base58btc},
                                                  {"base58flickr", Base::base58flickr},
                                                  {"base64", Base::base64},
                                                  {"base64pad", Base::base64_pad},
                                                  {"base64url", Base::base64_url},
                                                  {"base64urlpad", Base::base64_url_pad}};
  return all;
}

TEST(MultibaseVectors, have_no_unknown_key) {
  expect_known_root_keys(kFamily, {"multibase_encode", "multibase_decode", "multihash", "multihash_decode"});
}

TEST(MultibaseVectors, encode) {
  for_each_case(
      kFamily, "multibase_encode",
      {"data", "base2", "base10", "base16", "base16upper", "base32", "base32upper", "base32pad", "base32hex", "base36",
       "base36upper", "base58btc", "base58flickr", "base64", "base64pad", "base64url", "base64urlpad"},
      [](const json::object& item, const std::string&) {
        const auto data = bytes(item, "data");
        for (const auto& [name, base] : bases()) {
          if (!has(item, name)) continue;
          const auto expected = text(item, name);
          EXPECT_EQ(libp2p::multiformats::encode_multibase(base, data), expected) << name;
          // No bytes are no digits; the bases that write one number do not read that back.
          if (data.empty()) continue;
          const auto back = libp2p::multiformats::decode_multibase(expected);
          ASSERT_TRUE(back) << name;
          EXPECT_EQ(back->base, base);
          EXPECT_EQ(back->bytes, data);
        }
      });
}

TEST(MultibaseVectors, decode) {
  for_each_case(kFamily, "multibase_decode", {"text", "valid", "base", "data", "reference_error"},
                [](const json::object& item, const std::string&) {
                  const auto in = text(item, "text");
                  const auto decoded = libp2p::multiformats::decode_multibase(in);
                  ASSERT_EQ(decoded.has_value(), boolean(item, "valid")) << in;
                  if (!decoded) return;
                  EXPECT_EQ(decoded->bytes, bytes(item, "data"));
                  ASSERT_TRUE(bases().contains(text(item, "base"))) << "not known: " << text(item, "base");
                  EXPECT_EQ(decoded->base, bases().at(text(item, "base")));
                });
}

TEST(MultihashVectors, encode) {
  for_each_case(kFamily, "multihash", {"name", "code", "data", "multihash", "base58btc"},
                [](const json::object& item, const std::string&) {
                  const auto code = unsigned_integer(item, "code");
                  const auto made = libp2p::multiformats::multihash_of(code, bytes(item, "data"));
                  ASSERT_TRUE(made) << made.error().message();
                  EXPECT_EQ(*made, bytes(item, "multihash"));
                  EXPECT_EQ(libp2p::multiformats::to_base58(*made), text(item, "base58btc"));
                  EXPECT_EQ(libp2p::multiformats::from_base58(text(item, "base58btc")).value(), *made);
                  EXPECT_EQ(libp2p::multiformats::decode_multihash(*made).value().code, code);
                });
}

TEST(MultihashVectors, decode) {
  for_each_case(kFamily, "multihash_decode", {"bytes", "valid", "code", "length", "why", "reference_error"},
                [](const json::object& item, const std::string&) {
                  const auto decoded = libp2p::multiformats::decode_multihash(bytes(item, "bytes"));
                  ASSERT_EQ(decoded.has_value(), boolean(item, "valid"));
                  if (!decoded) return;
                  EXPECT_EQ(decoded->code, unsigned_integer(item, "code"));
                  EXPECT_EQ(decoded->digest.size(), unsigned_integer(item, "length"));
                });
}

}  // namespace
}  // namespace multibase_multihash_vectors
