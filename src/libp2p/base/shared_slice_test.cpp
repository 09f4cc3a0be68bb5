#include "libp2p/base/shared_slice.hpp"

#include <gtest/gtest.h>

namespace libp2p {
namespace {

TEST(SharedSlice, keeps_the_whole_string_alive_without_a_copy) {
  SharedBytes owner = share(Bytes{1, 2, 3, 4, 5});
  const std::uint8_t* const at = owner->data();
  const std::weak_ptr<const Bytes> watched(owner);
  SharedSlice slice(std::move(owner), 1, 3);
  EXPECT_EQ(slice.data(), at + 1);
  EXPECT_EQ(to_bytes(slice), (Bytes{2, 3, 4}));
  EXPECT_EQ(slice.memory_bytes(), 5u);
  EXPECT_FALSE(slice.is_whole());
  SharedSlice rest = slice.subslice(2);
  slice = {};
  EXPECT_EQ(rest, SharedSlice(share(Bytes{4})));
  EXPECT_EQ(rest.data(), at + 3);
  EXPECT_FALSE(watched.expired());
  rest = {};
  EXPECT_TRUE(watched.expired());
}

TEST(SharedSlice, counts_the_room_that_its_string_has_not_used) {
  Bytes bytes{1, 2, 3};
  bytes.reserve(100);
  EXPECT_EQ(SharedSlice(share(std::move(bytes)), 0, 1).memory_bytes(), 100u);
}

TEST(SharedSlice, of_all_of_a_string_says_so_and_one_of_nothing_is_empty) {
  const SharedBytes owner = share(Bytes{7, 8});
  EXPECT_TRUE(SharedSlice(owner).is_whole());
  EXPECT_EQ(SharedSlice(owner).owner(), owner);
  EXPECT_TRUE(SharedSlice(owner).subslice(2).empty());
  const SharedSlice nothing(nullptr);
  EXPECT_TRUE(nothing.empty());
  EXPECT_TRUE(nothing.is_whole());
  EXPECT_EQ(nothing.memory_bytes(), 0u);
  EXPECT_EQ(nothing, SharedSlice());
}

TEST(SharedSlice, that_was_moved_from_is_a_slice_of_nothing) {
  SharedSlice slice(share(Bytes{1, 2, 3}), 1, 2);
  const SharedSlice taken = std::move(slice);
  EXPECT_EQ(taken, (Bytes{2, 3}));
  EXPECT_TRUE(slice.empty());
  EXPECT_EQ(slice.owner(), nullptr);
  SharedSlice other(share(Bytes{9}));
  slice = std::move(other);
  EXPECT_EQ(slice, (Bytes{9}));
  EXPECT_TRUE(other.empty());
}

TEST(SharedSliceDeathTest, beyond_its_string_ends_the_process) {
  const SharedBytes owner = share(Bytes{1, 2, 3});
  EXPECT_DEATH(SharedSlice(owner, 2, 2), "a slice lies within its owner");
  EXPECT_DEATH(SharedSlice(owner, 4, 0), "a slice lies within its owner");
  EXPECT_DEATH(SharedSlice(owner, 1, SIZE_MAX), "a slice lies within its owner");
  EXPECT_DEATH(SharedSlice(owner).subslice(4), "a slice lies within its owner");
}

}  // namespace
}  // namespace libp2p
