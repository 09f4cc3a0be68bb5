#include "libp2p/base/json_number.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "libp2p/base/rng.hpp"

namespace libp2p {
namespace {

std::string number(double value) {
  std::string out;
  append_json_number(out, value);
  return out;
}

// What encoding/json of Go 1.24 writes for the same numbers.
TEST(JsonNumber, numbers_are_plain_as_go_writes_them) {
  EXPECT_EQ(number(3.690452), "3.690452");
  EXPECT_EQ(number(3.69), "3.69");
  EXPECT_EQ(number(0), "0");
  EXPECT_EQ(number(-0.0), "-0");
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(-2.5), "-2.5");
  EXPECT_EQ(number(100), "100");
  EXPECT_EQ(number(12345.678), "12345.678");
  EXPECT_EQ(number(1e6), "1000000");
  EXPECT_EQ(number(1e20), "100000000000000000000");
  EXPECT_EQ(number(1.2345678901234567e20), "123456789012345670000");
  EXPECT_EQ(number(1e21), "1e+21");
  EXPECT_EQ(number(1.5e300), "1.5e+300");
  EXPECT_EQ(number(1e-6), "0.000001");
  EXPECT_EQ(number(1.5e-7), "1.5e-7");
  EXPECT_EQ(number(5e-324), "5e-324");
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), "null");
}

TEST(JsonNumber, every_number_reads_back_as_it_was) {
  SeededRng rng(3);
  for (int i = 0; i < 20'000; ++i) {
    std::uint64_t bits = 0;
    for (int k = 0; k < 4; ++k) bits = bits << 16 | rng.below(1 << 16);
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    ASSERT_EQ(std::strtod(number(value).c_str(), nullptr), value) << number(value);
    const double near = static_cast<double>(rng.below(1'000'000'000)) / 1000;
    ASSERT_EQ(std::strtod(number(near).c_str(), nullptr), near) << number(near);
    ASSERT_EQ(number(near).find('e'), std::string::npos);
  }
}

}  // namespace
}  // namespace libp2p
