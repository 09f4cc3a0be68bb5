#include "libp2p/base/result.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace libp2p {
namespace {

// Boost's result<bool> copies a value that is not const by the constructor of its value: "has a value" instead of it.
TEST(Result, a_copy_of_a_bool_that_can_be_changed_has_its_value) {
  Result<bool> no = false;
  Result<bool> copied = no;
  auto deduced = no;
  const Result<bool> braced{no};
  std::optional<Result<bool>> kept(no);
  std::optional<Result<bool>> assigned;
  assigned = no;
  std::optional<Result<bool>> emplaced;
  emplaced.emplace(no);
  auto again = kept;
  for (const auto& one : {copied, deduced, braced, *kept, *assigned, *emplaced, *again}) {
    ASSERT_TRUE(one.has_value());
    EXPECT_FALSE(*one);
  }
  bool given = true;
  const std::function<void(Result<bool>)> take = [&given](const Result<bool>& one) { given = one.value(); };
  take(no);
  EXPECT_FALSE(given);
  EXPECT_FALSE([no]() mutable { return Result<bool>(no).value(); }());

  Result<bool> wrong = fail(Errc::io, "no");
  Result<bool> copy_of_wrong = wrong;
  ASSERT_FALSE(copy_of_wrong.has_value());
  EXPECT_EQ(copy_of_wrong.error().text(), "no");
  copy_of_wrong = no;
  EXPECT_FALSE(copy_of_wrong.value());
}

TEST(Result, is_made_of_what_its_value_is_made_of_and_of_a_result_that_converts) {
  struct Base {
    virtual ~Base() = default;
  };
  struct Derived : Base {};
  const auto upcast = []() -> Result<std::unique_ptr<Base>> {
    Result<std::unique_ptr<Derived>> out = std::make_unique<Derived>();
    return out;
  };
  EXPECT_NE(upcast().value(), nullptr);
  const Result<std::string> text = "text";
  EXPECT_EQ(text.value(), "text");
  const Result<std::string> failed(Errc::closed, "why");
  EXPECT_EQ(failed.error(), Errc::closed);
  const Result<std::optional<int>> nothing = std::nullopt;
  ASSERT_TRUE(nothing.has_value());
  EXPECT_FALSE(nothing->has_value());
  Result<void> done;
  const auto copy = done;
  EXPECT_TRUE(copy.has_value());
}

}  // namespace
}  // namespace libp2p
