#include "libp2p/storage/memory_datastore.hpp"

#include <gmock/gmock.h>

#include "libp2p/testing/datastore_suite.hpp"

namespace libp2p::storage {
namespace {

class MemoryDatastoreSuite : public ::testing::TestWithParam<std::string> {};

TEST_P(MemoryDatastoreSuite, passes) {
  const DatastoreFactory factory{"memory", [] { return std::make_unique<MemoryDatastore>(); }, false};
  EXPECT_EQ(run_datastore_case(GetParam(), factory), Failures());
}

INSTANTIATE_TEST_SUITE_P(Datastore, MemoryDatastoreSuite, ::testing::ValuesIn(datastore_suite_cases()),
                         [](const auto& one) { return one.param; });

TEST(MemoryDatastore, counts_what_it_holds) {
  MemoryDatastore store;
  const std::vector<Change> changes = {{"/a", Bytes(10)}, {"/b", Bytes(1)}, {"/a", Bytes(3)}};
  ASSERT_TRUE(store.apply(changes));
  EXPECT_EQ(store.entries(), 2u);
  EXPECT_EQ(store.bytes(), 2 * MemoryDatastore::kEntryCost + 4 + 4);
  const std::vector<Change> erased = {{"/a", std::nullopt}, {"/b", std::nullopt}};
  ASSERT_TRUE(store.apply(erased));
  EXPECT_EQ(store.entries(), 0u);
  EXPECT_EQ(store.bytes(), 0u);
}

TEST(MemoryDatastore, is_full_at_its_bound_and_takes_what_makes_it_smaller) {
  constexpr std::size_t kBound = 2 * MemoryDatastore::kEntryCost + 100;
  MemoryDatastore store(kBound);
  const std::vector<Change> fits = {{"/a", Bytes(48)}, {"/b", Bytes(48)}};
  ASSERT_TRUE(store.apply(fits));
  EXPECT_EQ(store.bytes(), kBound);
  const std::vector<Change> more = {{"/a", Bytes(49)}};
  const auto refused = store.apply(more);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::exhausted);
  EXPECT_THAT(refused.error().text(), ::testing::HasSubstr(std::to_string(kBound)));
  EXPECT_EQ(store.get("/a")->value().size(), 48u);
  const std::vector<Change> swapped = {{"/a", Bytes(49)}, {"/b", Bytes(47)}};
  EXPECT_TRUE(store.apply(swapped));
}

}  // namespace
}  // namespace libp2p::storage
