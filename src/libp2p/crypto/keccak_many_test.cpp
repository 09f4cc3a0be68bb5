#include "libp2p/crypto/keccak_many.hpp"

#include <cryptopp/keccak.h>
#include <gtest/gtest.h>

#include "libp2p/base/rng.hpp"
#include "libp2p/crypto/keccak_permutation.hpp"

namespace libp2p::crypto {
namespace {

Hash256 oracle(ByteView head, ByteView tail) {
  CryptoPP::Keccak_256 hash;
  hash.Update(head.data(), head.size());
  hash.Update(tail.data(), tail.size());
  Hash256 out;
  hash.Final(out.data());
  return out;
}

std::vector<KeccakWidth> widths_here() {
  std::vector<KeccakWidth> out{KeccakWidth::one};
  if (keccak_width() >= KeccakWidth::four) out.push_back(KeccakWidth::four);
  if (keccak_width() >= KeccakWidth::eight) out.push_back(KeccakWidth::eight);
  return out;
}

TEST(KeccakMany, agrees_with_the_oracle_in_every_width_on_messages_of_all_lengths) {
  SeededRng rng(5);
  Bytes data(4096);
  rng.fill(data);
  for (const auto width : widths_here()) {
    for (std::size_t count = 0; count < 40; ++count) {
      std::vector<KeccakMessage> messages;
      for (std::size_t i = 0; i < count; ++i) {
        const auto from = static_cast<std::size_t>(rng.below(500));
        const auto head = static_cast<std::size_t>(rng.below(i % 3 == 0 ? 400 : 34));
        messages.push_back(
            {ByteView(data).subspan(from, head), ByteView(data).subspan(700, rng.below(i % 4 == 0 ? 3000 : 300))});
      }
      std::vector<Hash256> out(count);
      keccak256_many(width, messages, out);
      for (std::size_t i = 0; i < count; ++i)
        ASSERT_EQ(out[i], oracle(messages[i].head, messages[i].tail))
            << "width " << static_cast<int>(width) << ", message " << i << " of " << count;
    }
  }
}

TEST(KeccakMany, pads_at_every_place_of_a_block) {
  Bytes data(3 * 136, 0xa5);
  std::vector<KeccakMessage> messages;
  for (std::size_t size = 0; size <= data.size(); ++size) messages.push_back({{}, ByteView(data).first(size)});
  for (const auto width : widths_here()) {
    std::vector<Hash256> out(messages.size());
    keccak256_many(width, messages, out);
    for (std::size_t size = 0; size <= data.size(); ++size)
      ASSERT_EQ(out[size], oracle({}, messages[size].tail)) << size;
  }
}

TEST(KeccakMany, hashes_a_long_message_beside_others) {
  SeededRng rng(7);
  Bytes data(300'000);
  rng.fill(data);
  for (const auto width : widths_here()) {
    for (const std::size_t size : {0U, 1U, 135U, 136U, 137U, 272U, 5000U, 300'000U}) {
      const auto message = ByteView(data).first(size);
      KeccakBeside beside(message);
      for (std::size_t count = 0; count < 20; ++count) {
        std::vector<KeccakMessage> messages(count, KeccakMessage{{}, ByteView(data).subspan(count, 100 * count)});
        std::vector<Hash256> out(count);
        keccak256_many(width, messages, out, &beside);
        for (const Hash256& hash : out) ASSERT_EQ(hash, oracle({}, messages[0].tail)) << size << ' ' << count;
      }
      EXPECT_EQ(beside.exhausted(), size < 136U || (width != KeccakWidth::one && size < 300'000U))
          << "hundreds of permutations have gone by";
      EXPECT_EQ(beside.finish(), oracle({}, message))
          << "width " << static_cast<int>(width) << ", " << size << " bytes";
    }
  }
}

TEST(KeccakPermutation, of_this_processor_agrees_with_the_portable_one) {
  SeededRng rng(6);
  std::uint64_t mine[25];
  for (auto& word : mine) word = rng.next_u64();
  std::uint64_t portable[25];
  std::copy_n(mine, 25, portable);
  for (int i = 0; i < 1000; ++i) {
    keccak::permute_state(mine);
    keccak::permute_state_portably(portable);
    ASSERT_TRUE(std::equal(mine, mine + 25, portable)) << i;
    ByteArray<3 * Keccak256::kRate> blocks;
    rng.fill(blocks);
    keccak::absorb_blocks(mine, blocks.data(), 3);
    keccak::absorb_blocks_portably(portable, blocks.data(), 3);
    ASSERT_TRUE(std::equal(mine, mine + 25, portable)) << i;
  }
}

TEST(KeccakMany, chooses_a_width_by_itself) {
  const Bytes one{1};
  const Bytes two{2, 2};
  const std::vector<KeccakMessage> messages{{one, two}, {two, one}, {{}, {}}, {one, one}};
  std::vector<Hash256> out(messages.size());
  keccak256_many(messages, out);
  for (std::size_t i = 0; i < messages.size(); ++i) EXPECT_EQ(out[i], oracle(messages[i].head, messages[i].tail));
}

}  // namespace
}  // namespace libp2p::crypto
