#include "opstack/payload/block.hpp"

#include <gtest/gtest.h>

#include "testing/blocks.hpp"

namespace opstack::payload {
namespace {

TEST(Block, that_was_decoded_keeps_the_very_bytes) {
  for (const Version version : {Version::v1, Version::v2, Version::v3, Version::v4}) {
    const Envelope envelope = testing_blocks::block(version, 7, 1000);
    Bytes message(65, 0xee);  // a gossiped body begins behind a signature
    libp2p::append(message, encode_envelope(version, envelope));
    const auto shared = libp2p::share(std::move(message));
    const auto block = decode_block(version, SharedSlice(shared).subslice(65));
    ASSERT_TRUE(block) << block.error().message();
    EXPECT_EQ(*block->envelope, envelope);
    EXPECT_EQ(block->body.data(), shared->data() + 65);
    EXPECT_EQ(block->body.owner(), shared);
    EXPECT_EQ(block->ref(), (BlockRef{7, envelope.payload.block_hash, envelope.payload.parent_hash}));
  }
}

TEST(Block, that_does_not_decode_is_an_error) {
  const auto block = decode_block(Version::v3, libp2p::share(Bytes(100)));
  ASSERT_FALSE(block);
  EXPECT_EQ(block.error(), libp2p::Errc::truncated);
}

TEST(Block, that_came_without_its_bytes_is_encoded) {
  const auto envelope = std::make_shared<const Envelope>(testing_blocks::block(Version::v2, 7, 1000));
  const Block block = encode_block(Version::v2, envelope);
  EXPECT_EQ(block.envelope, envelope);
  EXPECT_EQ(block.body, encode_envelope(Version::v2, *envelope));
}

TEST(Block, counts_all_that_its_bytes_keep_in_memory) {
  const auto envelope = std::make_shared<const Envelope>(testing_blocks::block(Version::v4, 7, 1000));
  const Bytes body = encode_envelope(Version::v4, *envelope);
  Bytes message(65);
  libp2p::append(message, body);
  message.shrink_to_fit();
  const Block alone(Version::v4, envelope, libp2p::share(Bytes(body)));
  const Block gossiped(Version::v4, envelope, SharedSlice(libp2p::share(std::move(message))).subslice(65));
  EXPECT_EQ(gossiped.memory_bytes(), alone.memory_bytes() + 65);
}

}  // namespace
}  // namespace opstack::payload
