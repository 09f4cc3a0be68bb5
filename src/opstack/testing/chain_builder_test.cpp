#include "opstack/testing/chain_builder.hpp"

#include <gtest/gtest.h>

#include <set>

#include "libp2p/crypto/hash.hpp"
#include "libp2p/multiformats/rlp.hpp"

namespace opstack::testing {
namespace {

namespace payload = opstack::payload;
namespace secp256k1 = libp2p::crypto::secp256k1;

ChainBuilder builder(Fork fork, std::size_t block_size = 4096) {
  libp2p::SeededRng rng(7);
  ChainOptions options;
  options.fork = fork;
  options.genesis_time = 1'700'000'000;
  options.block_size = block_size;
  return ChainBuilder(options, rng);
}

TEST(ChainBuilder, blocks_of_every_fork_link_and_survive_their_own_encoding) {
  for (const auto fork : kBlockForks) {
    SCOPED_TRACE(to_string(fork));
    auto chain = builder(fork);
    auto parent = chain.genesis();
    for (std::uint64_t number = 1; number <= 3; ++number) {
      const auto block = chain.next();
      EXPECT_EQ(block.payload.block_number, number);
      EXPECT_EQ(block.payload.parent_hash, parent.payload.block_hash);
      EXPECT_EQ(block.payload.timestamp, 1'700'000'000 + 2 * number);
      const auto body = payload::encode_envelope(version_of(fork), block);
      const auto again = payload::decode_envelope(version_of(fork), body);
      ASSERT_TRUE(again) << again.error().message();
      EXPECT_EQ(*again, block);
      EXPECT_EQ(payload::compute_block_hash(*again), block.payload.block_hash);
      parent = block;
    }
  }
}

// Who signed an EIP-1559 transaction, by its own bytes alone.
secp256k1::Address sender_of(ByteView transaction) {
  libp2p::multiformats::RlpReader outer(transaction.subspan(1));
  auto fields = outer.list().value();
  Bytes unsigned_fields;
  for (int i = 0; i < 9; ++i) libp2p::append(unsigned_fields, fields.item().value().encoding);
  Bytes signed_part = {0x02};
  libp2p::multiformats::append_rlp_list_header(signed_part, unsigned_fields.size());
  libp2p::append(signed_part, unsigned_fields);
  const auto parity = fields.uint64().value();
  secp256k1::Signature signature{};
  for (int part = 0; part < 2; ++part) {
    const auto value = fields.string().value();
    std::copy(value.begin(), value.end(),
              signature.begin() + 32 * (part + 1) - static_cast<std::ptrdiff_t>(value.size()));
  }
  signature[64] = static_cast<std::uint8_t>(parity);
  return secp256k1::recover_address(libp2p::crypto::keccak256(signed_part), signature).value();
}

TEST(ChainBuilder, a_block_opens_with_a_deposit_and_goes_on_with_signed_transactions) {
  auto chain = builder(Fork::isthmus);
  std::set<secp256k1::Address> senders;
  std::size_t transactions = 0;
  for (int i = 0; i < 4; ++i) {
    const auto block = chain.next();
    ASSERT_GE(block.payload.transactions.size(), 2u);
    EXPECT_EQ(block.payload.transactions[0][0], 0x7e);
    for (std::size_t t = 1; t < block.payload.transactions.size(); ++t, ++transactions) {
      ASSERT_EQ(block.payload.transactions[t][0], 0x02);
      senders.insert(sender_of(block.payload.transactions[t]));
    }
  }
  EXPECT_GT(transactions, 32u);
  EXPECT_EQ(senders.size(), 8u);  // a wrong signature would recover to an address of its own
}

TEST(ChainBuilder, blocks_have_about_the_wished_size) {
  for (const std::size_t wished : {10'000u, 300'000u, 2'000'000u}) {
    auto chain = builder(Fork::isthmus, wished);
    std::size_t size = 0;
    for (const auto& transaction : chain.next().payload.transactions) size += transaction.size();
    EXPECT_NEAR(static_cast<double>(size), static_cast<double>(wished), static_cast<double>(wished) * 0.06);
  }
}

TEST(ChainBuilder, a_block_never_uses_more_gas_than_its_limit) {
  auto chain = builder(Fork::jovian, 2'000'000);
  const auto block = chain.next();
  EXPECT_LE(block.payload.gas_used, block.payload.gas_limit);
  EXPECT_GT(*block.payload.blob_gas_used, 0u);
}

TEST(ChainBuilder, the_base_fee_falls_while_blocks_are_nearly_empty) {
  auto chain = builder(Fork::canyon, 200);
  const auto first = chain.next();
  const auto second = chain.next();
  EXPECT_LT(second.payload.base_fee_per_gas, first.payload.base_fee_per_gas);
}

TEST(ChainBuilder, the_configuration_activates_exactly_the_forks_up_to_the_chosen_one) {
  const auto bedrock = builder(Fork::bedrock).rollup_config();
  EXPECT_TRUE(bedrock.contains("regolith_time"));
  EXPECT_FALSE(bedrock.contains("canyon_time"));
  const auto isthmus = builder(Fork::isthmus).rollup_config();
  EXPECT_TRUE(isthmus.contains("holocene_time"));
  EXPECT_FALSE(isthmus.contains("jovian_time"));
}

TEST(ChainBuilder, the_same_seed_makes_the_same_chain) {
  auto a = builder(Fork::ecotone);
  auto b = builder(Fork::ecotone);
  EXPECT_EQ(a.next(), b.next());
}

}  // namespace
}  // namespace opstack::testing
