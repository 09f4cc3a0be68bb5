#include "libp2p/protocols/gossipsub/recent_messages.hpp"

#include <gtest/gtest.h>

#include "libp2p/protocols/gossipsub/router_test_support.hpp"

namespace libp2p::gossipsub {
namespace {

using namespace test;

SharedSlice slice(std::size_t size, std::uint8_t fill) { return share(Bytes(size, fill)); }

TEST(RecentMessages, tells_copies_by_all_their_bytes_and_their_topic) {
  RecentMessages recent;
  const auto message = slice(1000, 7);
  const auto id = id_of("a", message.view());
  recent.add("a", message, id);
  ASSERT_NE(recent.find("a", slice(1000, 7).view()), nullptr);
  EXPECT_EQ(*recent.find("a", slice(1000, 7).view()), id);
  EXPECT_EQ(recent.find("b", message.view()), nullptr);
  EXPECT_EQ(recent.find("a", slice(999, 7).view()), nullptr);
  Bytes other(1000, 7);
  other.back() = 8;
  EXPECT_EQ(recent.find("a", other), nullptr);
  EXPECT_EQ(recent.find("a", {}), nullptr);
}

TEST(RecentMessages, keeps_few_and_few_bytes) {
  RecentMessages recent;
  for (std::uint8_t i = 0; i < 100; ++i) recent.add("a", slice(100, i), id_of("a", slice(100, i).view()));
  EXPECT_EQ(recent.bytes(), RecentMessages::kItems * 100);
  EXPECT_EQ(recent.find("a", slice(100, 0).view()), nullptr);
  EXPECT_NE(recent.find("a", slice(100, 99).view()), nullptr);
  for (std::uint8_t i = 0; i < 5; ++i) recent.add("a", slice(6 << 20, i), id_of("a", {}));
  EXPECT_EQ(recent.bytes(), 12u << 20);
  recent.add("a", slice(RecentMessages::kBytes + 1, 1), id_of("a", {}));
  EXPECT_EQ(recent.bytes(), 12u << 20);
  recent.add("a", slice(RecentMessages::kBytes, 1), id_of("a", {}));
  EXPECT_EQ(recent.bytes(), RecentMessages::kBytes);
}

TEST(RecentMessages, keeps_what_was_accepted_whatever_else_comes) {
  RecentMessages recent;
  const auto block = slice(1000, 7);
  recent.add("a", block, id_of("a", block.view()));
  recent.accept("a", block, id_of("a", block.view()));
  for (std::uint8_t i = 0; i < 100; ++i) recent.add("a", slice(100, i), id_of("a", slice(100, i).view()));
  EXPECT_NE(recent.find("a", slice(1000, 7).view()), nullptr);
  const auto late = slice(2000, 8);
  recent.accept("a", late, id_of("a", late.view()));
  EXPECT_NE(recent.find("a", slice(2000, 8).view()), nullptr) << "pushed out before it was accepted";
  for (std::uint8_t i = 100; i < 200; ++i) recent.accept("a", slice(300, i), id_of("a", slice(300, i).view()));
  EXPECT_EQ(recent.find("a", slice(1000, 7).view()), nullptr);
  EXPECT_EQ(recent.items(), 2 * RecentMessages::kItems - 1) << "one made room for those that were accepted late";
}

TEST(GossipsubRouter, names_a_message_once_however_many_peers_send_it) {
  int named = 0;
  Bench bench({}, {}, 1, [&named](std::string_view topic, ByteView data) {
    ++named;
    return Named(id_of(topic, data));
  });
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  for (std::uint32_t peer = 1; peer <= 5; ++peer) bench.add_subscriber(peer);
  for (std::uint32_t peer = 1; peer <= 5; ++peer) bench.send_message(peer, "the same");
  EXPECT_EQ(named, 1);
  EXPECT_EQ(bench.router.counters().duplicates, 4u);
  bench.send_message(1, "another");
  EXPECT_EQ(named, 2);
}

TEST(GossipsubRouter, hands_what_naming_unpacked_to_the_validator_and_counts_its_bytes) {
  Params params;
  params.validation.max_bytes = 1000;
  const auto contents = share(Bytes(600, 1));
  Bench bench(params, {}, 1,
              [&](std::string_view topic, ByteView data) { return Named(id_of(topic, data), contents); });
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  bench.add_subscriber(1);
  while (bench.router.poll_action()) {
  }
  bench.send_message(1, "packed");
  bench.send_message(1, "too much for the bound");
  std::vector<Validate> asked;
  while (auto action = bench.router.poll_action()) {
    if (const auto* validate = std::get_if<Validate>(&*action)) asked.push_back(*validate);
  }
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].contents, contents);
  EXPECT_EQ(bench.router.counters().dropped_validation_full, 1u);
  EXPECT_TRUE(bench.router.on_validation(asked[0].request, ValidationResult::accept, bench.now));
  bench.send_message(1, "there is room again");
  EXPECT_EQ(bench.router.counters().dropped_validation_full, 1u);
}

}  // namespace
}  // namespace libp2p::gossipsub
