#include "libp2p/base/event_source.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <variant>

namespace libp2p {
namespace {

using Source = EventSource<int>;

struct Ear {
  std::vector<int> heard;
  Source::Listener listener() {
    return [this](const int& event) { heard.push_back(event); };
  }
};

TEST(EventSource, tells_every_listener_in_order_and_each_event_once) {
  Source source;
  std::string order;
  const auto first = source.subscribe([&order](const int& event) { order += "a" + std::to_string(event); });
  const auto second = source.subscribe([&order](const int& event) { order += "b" + std::to_string(event); });
  source.emit(1);
  source.emit(2);
  EXPECT_EQ(order, "a1b1a2b2");
}

TEST(EventSource, a_subscription_ends_with_its_token_which_moves) {
  Source source;
  Ear ear;
  Subscription kept;
  {
    Subscription made = source.subscribe(ear.listener());
    kept = std::move(made);
  }
  source.emit(1);
  EXPECT_EQ(ear.heard, std::vector<int>{1}) << "the token was moved, not dropped";
  Subscription moved(std::move(kept));
  kept.reset();
  source.emit(2);
  EXPECT_EQ(ear.heard.size(), 2u);
  moved = Subscription();
  source.emit(3);
  EXPECT_EQ(ear.heard.size(), 2u);
  EXPECT_FALSE(source.has_listeners());
}

TEST(EventSource, a_token_that_takes_another_place_gives_up_its_own) {
  Source source;
  Ear one;
  Ear two;
  Subscription subscription = source.subscribe(one.listener());
  subscription = source.subscribe(two.listener());
  source.emit(1);
  EXPECT_TRUE(one.heard.empty());
  EXPECT_EQ(two.heard, std::vector<int>{1});
}

TEST(EventSource, a_token_may_outlive_the_source) {
  Ear ear;
  Subscription subscription;
  {
    Source source;
    subscription = source.subscribe(ear.listener());
  }
  subscription.reset();
  EXPECT_TRUE(ear.heard.empty());
}

TEST(EventSource, a_listener_may_unsubscribe_itself_and_is_destroyed_after_the_event) {
  Source source;
  const auto held = std::make_shared<int>(0);
  Subscription own;
  own = source.subscribe([&own, held](const int&) {
    own.reset();
    ++*held;  // what it holds is still there
  });
  EXPECT_EQ(held.use_count(), 2);
  source.emit(1);
  source.emit(2);
  EXPECT_EQ(*held, 1);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(EventSource, who_is_unsubscribed_inside_an_event_does_not_hear_of_it_any_more) {
  Source source;
  Ear later;
  Subscription victim;
  const auto first = source.subscribe([&victim](const int&) { victim.reset(); });
  victim = source.subscribe(later.listener());
  Ear last;
  const auto third = source.subscribe(last.listener());
  source.emit(1);
  EXPECT_TRUE(later.heard.empty());
  EXPECT_EQ(last.heard, std::vector<int>{1}) << "the others hear as before";
}

TEST(EventSource, who_subscribes_inside_an_event_hears_from_the_next_one_on) {
  Source source;
  std::vector<std::unique_ptr<Ear>> ears;
  std::vector<Subscription> more;
  const auto first = source.subscribe([&](const int&) {
    for (int i = 0; i < 50; ++i) {  // the table grows while it is being read
      ears.push_back(std::make_unique<Ear>());
      more.push_back(source.subscribe(ears.back()->listener()));
    }
  });
  source.emit(1);
  for (const auto& ear : ears) EXPECT_TRUE(ear->heard.empty());
  source.emit(2);
  for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(ears[i]->heard, std::vector<int>{2});
}

TEST(EventSource, an_event_that_is_told_late_is_told_to_those_who_were_there_when_it_happened) {
  Source source;
  Ear before;
  Ear after;
  const auto first = source.subscribe(before.listener());
  const auto happened = source.mark();
  const auto second = source.subscribe(after.listener());
  source.emit(1, happened);
  EXPECT_EQ(before.heard, std::vector<int>{1});
  EXPECT_TRUE(after.heard.empty());
}

TEST(EventSource, a_listener_may_emit) {
  Source source;
  std::string order;
  const auto first = source.subscribe([&](const int& event) {
    order += "a" + std::to_string(event);
    if (event < 3) source.emit(event + 1);
  });
  const auto second = source.subscribe([&order](const int& event) { order += "b" + std::to_string(event); });
  source.emit(1);
  EXPECT_EQ(order, "a1a2a3b3b2b1");
}

TEST(EventSource, a_listener_may_destroy_the_source_and_nobody_hears_more) {
  auto source = std::make_unique<Source>();
  Ear later;
  const auto held = std::make_shared<int>(7);
  const auto first = source->subscribe([&source, held](const int&) {
    source.reset();
    EXPECT_EQ(*held, 7);
  });
  const auto second = source->subscribe(later.listener());
  source->emit(1);
  EXPECT_EQ(source, nullptr);
  EXPECT_TRUE(later.heard.empty());
  EXPECT_EQ(held.use_count(), 1);
}

TEST(EventSource, what_a_listener_holds_may_subscribe_and_unsubscribe_when_it_is_destroyed) {
  Source source;
  Ear ear;
  Subscription late;
  Subscription other = source.subscribe(ear.listener());
  struct AtEnd {
    std::function<void()> act;
    ~AtEnd() { act(); }
  };
  auto at_end = std::make_shared<AtEnd>();
  at_end->act = [&] {
    other.reset();
    late = source.subscribe(ear.listener());
  };
  Subscription own = source.subscribe([at_end](const int&) {});
  at_end.reset();
  own.reset();
  source.emit(1);
  EXPECT_EQ(ear.heard, std::vector<int>{1}) << "by the late one";
}

TEST(EventSource, a_listener_that_throws_leaves_the_table_in_order) {
  Source source;
  Subscription own;
  own = source.subscribe([&own](const int&) {
    own.reset();
    throw std::runtime_error("the listener");
  });
  EXPECT_THROW(source.emit(1), std::runtime_error);
  EXPECT_FALSE(source.has_listeners());
}

TEST(EventSource, refuses_an_empty_listener) {
  Source source;
  EXPECT_THROW((void)source.subscribe(nullptr), std::invalid_argument);
}

TEST(EventSource, after_its_close_tells_nobody) {
  Source source;
  Ear ear;
  const auto subscription = source.subscribe(ear.listener());
  source.close();
  source.emit(1);
  EXPECT_TRUE(ear.heard.empty());
}

TEST(Overloaded, picks_the_function_of_the_kind) {
  EventSource<std::variant<int, std::string>> source;
  std::string heard;
  const auto subscription = source.subscribe([&heard](const std::variant<int, std::string>& event) {
    std::visit(Overloaded{[&heard](const std::string& text) { heard += text; }, [](const auto&) {}}, event);
  });
  source.emit(1);
  source.emit(std::string("x"));
  EXPECT_EQ(heard, "x");
}

}  // namespace
}  // namespace libp2p
