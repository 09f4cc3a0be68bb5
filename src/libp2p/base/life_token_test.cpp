#include "libp2p/base/life_token.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>

namespace libp2p {
namespace {

TEST(LifeToken, a_watch_says_so_when_the_token_is_gone) {
  std::optional<LifeToken> token(std::in_place);
  const LifeWatch watch = token->watch();
  const LifeWatch copy = watch;
  EXPECT_TRUE(watch);
  token.reset();
  EXPECT_FALSE(watch);
  EXPECT_FALSE(copy);
}

TEST(LifeToken, ends_before_it_is_destroyed) {
  LifeToken token;
  const LifeWatch watch = token.watch();
  token.end();
  EXPECT_FALSE(watch);
  EXPECT_FALSE(token.watch());
}

TEST(LifeToken, a_guarded_call_does_nothing_once_the_token_is_gone) {
  int sum = 0;
  std::optional<LifeToken> token(std::in_place);
  const std::function<void(int)> add = token->guard([&sum](int n) { sum += n; });
  add(3);
  EXPECT_EQ(sum, 3);
  token.reset();
  add(4);
  EXPECT_EQ(sum, 3);
}

TEST(LifeToken, a_guarded_call_may_destroy_the_object) {
  struct Object {
    LifeToken life;
  };
  auto object = std::make_unique<Object>();
  const std::function<void()> destroy = object->life.guard([&object] { object.reset(); });
  destroy();
  EXPECT_EQ(object, nullptr);
  destroy();
}

}  // namespace
}  // namespace libp2p
