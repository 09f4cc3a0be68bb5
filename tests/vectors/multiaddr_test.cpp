#include "libp2p/multiformats/multiaddr.hpp"

#include <gtest/gtest.h>

#include "testing/vectors.hpp"

namespace multiaddr_vectors {
namespace {

using namespace testing_vectors;
using libp2p::Multiaddr;
constexpr auto kFamily = "libp2p/multiaddr";

TEST(MultiaddrVectors, have_no_unknown_key) { expect_known_root_keys(kFamily, {"text", "binary"}); }

void expect_components(const Multiaddr& address, const json::array& expected) {
  const auto components = address.components();
  ASSERT_EQ(components.size(), expected.size());
  for (std::size_t i = 0; i < components.size(); ++i) {
    ASSERT_TRUE(expected[i].is_object());
    const auto& item = expected[i].get_object();
    for (const auto& field : item) {
      const auto key = field.key();
      EXPECT_TRUE(key == "code" || key == "name" || key == "value" || key == "value_bytes")
          << "unknown key '" << key << "'";
    }
    const auto protocol = components[i].protocol;
    EXPECT_EQ(static_cast<std::uint64_t>(protocol), unsigned_integer(item, "code"));
    EXPECT_EQ(libp2p::multiformats::to_string(protocol), text(item, "name"));
    EXPECT_EQ(components[i].value, bytes(item, "value_bytes"));
    bool first = true;
    for (std::size_t j = 0; j < i; ++j) first = first && components[j].protocol != protocol;
    if (first) {
      EXPECT_EQ(address.value_of(protocol), text(item, "value"));
    }
  }
}

TEST(MultiaddrVectors, text) {
  for_each_case(kFamily, "text", {"text", "valid", "bytes", "canonical_text", "components", "reference_error"},
                [](const json::object& item, const std::string&) {
                  const auto in = text(item, "text");
                  const auto address = Multiaddr::from_text(in);
                  ASSERT_EQ(address.has_value(), boolean(item, "valid"))
                      << in << ": " << (address ? address->text() : address.error().message());
                  if (!address) return;
                  EXPECT_EQ(libp2p::to_hex(address->bytes()), libp2p::to_hex(bytes(item, "bytes"))) << in;
                  EXPECT_EQ(address->text(), text(item, "canonical_text"));
                  EXPECT_EQ(Multiaddr::from_bytes(bytes(item, "bytes")).value().text(), address->text());
                  EXPECT_EQ(Multiaddr::from_text(address->text()).value(), *address);
                  ASSERT_TRUE(has(item, "components") && item.at("components").is_array());
                  expect_components(*address, item.at("components").get_array());
                });
}

TEST(MultiaddrVectors, binary) {
  for_each_case(kFamily, "binary", {"bytes", "valid", "text", "reference_error"},
                [](const json::object& item, const std::string&) {
                  const auto in = bytes(item, "bytes");
                  const auto address = Multiaddr::from_bytes(in);
                  ASSERT_EQ(address.has_value(), boolean(item, "valid"))
                      << (address ? address->text() : address.error().message());
                  if (!address) return;
                  EXPECT_EQ(address->text(), text(item, "text"));
                  EXPECT_TRUE(libp2p::equal(address->bytes(), in));
                  EXPECT_EQ(Multiaddr::from_text(text(item, "text")).value(), *address);
                });
}

}  // namespace
}  // namespace multiaddr_vectors
