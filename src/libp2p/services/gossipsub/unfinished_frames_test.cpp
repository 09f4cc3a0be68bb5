#include "libp2p/services/gossipsub/unfinished_frames.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace libp2p {
namespace {

TEST(UnfinishedFrames, bounds_all_frames_of_an_address_to_a_quarter) {
  const AddressBlocks one{{10, 0, 0, 1}, {}};
  const AddressBlocks other{{10, 0, 0, 2}, {}};
  UnfinishedFrames frames(1000, 100);
  for (std::uint64_t stream = 1; stream <= 3; ++stream) frames.add(stream, one);
  frames.add(4, other);
  frames.change(1, 0, 100);
  frames.change(2, 0, 100);
  frames.change(4, 0, 200);
  EXPECT_EQ(frames.exceeded(2), ShareFull::none);
  frames.change(3, 0, 100);
  EXPECT_EQ(frames.exceeded(3), ShareFull::narrow);
  EXPECT_EQ(frames.exceeded(4), ShareFull::none) << "the neighbour is not touched";
  EXPECT_TRUE(frames.shares(3, 1, ShareFull::narrow));
  EXPECT_FALSE(frames.shares(3, 4, ShareFull::narrow));
  EXPECT_EQ(frames.bytes(), 500U);
  frames.check();
  for (std::uint64_t stream = 1; stream <= 4; ++stream) frames.remove(stream);
  EXPECT_EQ(frames.bytes(), 0U);
}

TEST(UnfinishedFrames, counts_what_a_stream_holds_as_it_grows_and_shrinks) {
  UnfinishedFrames frames(1000, 100);
  frames.add(1, {});
  std::size_t before = 0;
  for (const std::size_t held : {90U, 100U, 30U, 29U, 0U, 7U}) {
    frames.change(1, std::exchange(before, held), held);
    EXPECT_EQ(frames.bytes(), held);
    frames.check();
  }
}

TEST(UnfinishedFrames, lets_the_slow_go_first_then_large_ones_of_strangers_and_small_ones_last) {
  const UnfinishedFrames frames(256'000, 100);
  using Claim = UnfinishedFrames::Claim;
  const std::vector<Claim> order = {{true, true, 20},     {true, false, 10},   {false, false, 2000},
                                    {false, false, 1001}, {false, true, 9000}, {false, false, 1000},
                                    {false, true, 10}};
  for (std::size_t i = 0; i + 1 < order.size(); ++i) {
    EXPECT_TRUE(frames.goes_before(order[i], order[i + 1])) << i;
    EXPECT_FALSE(frames.goes_before(order[i + 1], order[i])) << i;
  }
}

}  // namespace
}  // namespace libp2p
