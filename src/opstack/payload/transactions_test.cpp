#include "opstack/payload/transactions.hpp"

#include <gtest/gtest.h>

#include "testing/blocks.hpp"

namespace opstack::payload {
namespace {

TEST(Transactions, of_a_decoded_block_lie_in_the_bytes_that_it_was_decoded_from) {
  const Envelope envelope = testing_blocks::block(Version::v4, 7, 1000);
  const auto body = libp2p::share(encode_envelope(Version::v4, envelope));
  const auto decoded = decode_envelope(Version::v4, SharedSlice(body)).value();
  EXPECT_EQ(decoded, envelope);
  ASSERT_EQ(decoded.payload.transactions.size(), 2u);
  for (const ByteView transaction : decoded.payload.transactions) {
    EXPECT_GE(transaction.data(), body->data());
    EXPECT_LE(transaction.data() + transaction.size(), body->data() + body->size());
  }
  EXPECT_EQ(body.use_count(), 2);
}

TEST(Transactions, outlive_the_bytes_that_a_view_was_decoded_from) {
  const Envelope envelope = testing_blocks::block(Version::v2, 7, 1000);
  Bytes body = encode_envelope(Version::v2, envelope);
  const auto decoded = decode_envelope(Version::v2, ByteView(body)).value();
  std::fill(body.begin(), body.end(), std::uint8_t{0});
  EXPECT_EQ(decoded, envelope);
}

TEST(Transactions, are_equal_by_their_bytes) {
  const Transactions list = {{1, 2}, {}, {3}};
  Transactions same;
  same.push_back({1, 2});
  same.push_back({});
  same.push_back({3});
  EXPECT_EQ(list, same);
  EXPECT_FALSE(list == Transactions({{1, 2}, {}, {4}}));
  EXPECT_FALSE(list == Transactions({{1, 2}, {}}));
  EXPECT_FALSE(list == Transactions({{1, 2}, {3}, {}}));
  same.clear();
  EXPECT_TRUE(same.empty());
}

TEST(Transactions, count_the_memory_of_their_bytes_once) {
  const auto owner = libp2p::share(Bytes(1000));
  const auto list = Transactions::within(owner, {ByteView(*owner).first(10), ByteView(*owner).subspan(10, 500)});
  EXPECT_EQ(list.memory_bytes(owner), 2 * sizeof(ByteView));
  EXPECT_GE(list.memory_bytes(nullptr), 1000 + 2 * sizeof(ByteView));
}

}  // namespace
}  // namespace opstack::payload
