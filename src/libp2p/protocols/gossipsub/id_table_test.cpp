#include "libp2p/protocols/gossipsub/id_table.hpp"

#include <gtest/gtest.h>

#include <map>

#include "libp2p/base/rng.hpp"

namespace libp2p::gossipsub {
namespace {

MessageId tabled_id(std::uint64_t number, std::size_t size) {
  Bytes bytes(size);
  if (size >= 8) store_le64(bytes.data(), number);
  return MessageId::from(bytes).value();
}

TEST(GossipsubIdTable, holds_what_a_map_holds_after_any_changes) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SeededRng rng(seed);
    IdTable<std::uint64_t> table(seed);
    std::map<MessageId, std::uint64_t> map;
    const std::uint64_t range = 1 + rng.below(120);
    for (int step = 0; step < 600; ++step) {
      const MessageId id = tabled_id(rng.below(range), rng.below(10) == 0 ? 0 : 20);
      const std::uint64_t value = rng.below(6);
      const std::uint64_t what = rng.below(40);
      if (what < 20) {
        const auto [at, is_new] = table.try_emplace(id, value);
        const auto [known, is_new_there] = map.try_emplace(id, value);
        EXPECT_EQ(is_new, is_new_there);
        EXPECT_EQ(*at, known->second);
        *at = known->second = value;
      } else if (what < 39) {
        EXPECT_EQ(table.erase(id), map.erase(id) == 1);
      } else {
        table.erase_if([&](std::uint64_t held) { return held <= value; });
        std::erase_if(map, [&](const auto& entry) { return entry.second <= value; });
      }
      table.check();
      ASSERT_EQ(table.size(), map.size());
      EXPECT_EQ(table.contains(id), map.contains(id));
    }
    std::size_t found = 0;
    table.for_each([&](const MessageId& id, std::uint64_t value) {
      const auto known = map.find(id);
      EXPECT_TRUE(known != map.end() && known->second == value);
      ++found;
    });
    EXPECT_EQ(found, map.size());
    for (const auto& [id, value] : map) {
      ASSERT_NE(table.find(id), nullptr);
      EXPECT_EQ(*table.find(id), value);
    }
  }
}

TEST(GossipsubIdTable, tells_ids_apart_that_begin_alike) {
  IdTable<int> table;
  for (std::size_t size = 0; size <= kMaxMessageIdSize; ++size) {
    EXPECT_TRUE(table.try_emplace(tabled_id(0, size), static_cast<int>(size)).second) << size;
  }
  for (std::size_t size = 0; size <= kMaxMessageIdSize; ++size) {
    EXPECT_EQ(*table.find(tabled_id(0, size)), static_cast<int>(size));
  }
  Bytes last(kMaxMessageIdSize);
  last.back() = 1;
  EXPECT_EQ(table.find(MessageId::from(last).value()), nullptr);
}

}  // namespace
}  // namespace libp2p::gossipsub
