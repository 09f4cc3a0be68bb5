#include "opp2p/base/json_text.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "libp2p/base/rng.hpp"

namespace opp2p {
namespace {

namespace json = boost::json;

TEST(JsonText, a_string_of_any_bytes_is_valid_json) {
  EXPECT_EQ(json_text(json::value("caf\xe9/1")), "\"caf\xef\xbf\xbd/1\"");
  EXPECT_EQ(json_text(json::value("a\"\\\n\x01\x7f\xc3\xa4")), "\"a\\\"\\\\\\n\\u0001\x7f\xc3\xa4\"");
  libp2p::SeededRng rng(4);
  for (int i = 0; i < 2'000; ++i) {
    libp2p::Bytes bytes(rng.below(64));
    rng.fill(bytes);
    json::object object;
    const std::string text(libp2p::as_text(bytes));  // boost copies keys with memcpy, which takes no null pointer
    object.emplace(text, json::array{json::string(text), 1.5, nullptr, true});
    ASSERT_NO_THROW(json::parse(json_text(object)));
  }
}

TEST(JsonText, keeps_order_and_values) {
  const std::string text =
      R"({"z":1,"a":[true,false,null,-7,18446744073709551615,"x"],"empty":{},"none":[],"half":0.5,"\u0001":"\b\f\r\t"})";
  EXPECT_EQ(json_text(json::parse(text)), text);
}

}  // namespace
}  // namespace opp2p
