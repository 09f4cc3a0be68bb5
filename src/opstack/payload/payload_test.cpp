#include "opstack/payload/payload.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "opstack/payload/payload_json.hpp"
#include "testing/blocks.hpp"

namespace opstack::payload {
namespace {

namespace json = boost::json;
using libp2p::Errc;
using testing_blocks::block;

constexpr Version kAll[] = {Version::v1, Version::v2, Version::v3, Version::v4};

TEST(PayloadSsz, every_version_comes_back_and_is_as_long_as_told) {
  for (const Version version : kAll) {
    auto envelope = block(version, 7, 1000);
    if (envelope.payload.withdrawals) envelope.payload.withdrawals = {{1, 2, {3}, 4}, {5, 6, {7}, 8}};
    envelope.payload.extra_data = Bytes(17, 9);
    envelope.payload.transactions.push_back({});
    const Bytes body = encode_envelope(version, envelope);
    EXPECT_EQ(body.size(), encoded_envelope_size(version, envelope));
    const auto again = decode_envelope(version, body);
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(*again, envelope);
    EXPECT_EQ(encode_payload(version, envelope.payload).size(), encoded_payload_size(version, envelope.payload));
  }
}

TEST(PayloadSsz, no_prefix_of_a_payload_decodes) {
  const Bytes body = encode_envelope(Version::v4, block(Version::v4, 7, 1000));
  for (std::size_t size = 0; size < body.size(); ++size) {
    const auto cut = decode_envelope(Version::v4, ByteView(body).first(size));
    ASSERT_FALSE(cut) << size;
    ASSERT_LE(*cut.error().offset(), size);
  }
}

TEST(PayloadSsz, an_isthmus_block_with_the_empty_tries_root_keeps_its_layout) {
  auto envelope = block(Version::v4, 7, 1000);
  envelope.payload.withdrawals_root = withdrawals_root({});
  const auto again = decode_envelope(Version::v4, encode_envelope(Version::v4, envelope));
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, envelope);
}

TEST(PayloadSsz, more_transactions_than_allowed_are_refused_before_they_are_read) {
  auto envelope = block(Version::v1, 7, 1000);
  envelope.payload.transactions.clear();
  Bytes body = encode_envelope(Version::v1, envelope);
  const std::size_t count = (1u << 20) + 1;
  const std::size_t list = body.size();
  body.resize(list + 4 * count);
  for (std::size_t i = 0; i < count; ++i)
    libp2p::store_le32(body.data() + list + 4 * i, static_cast<std::uint32_t>(4 * count));
  EXPECT_FALSE(decode_envelope(Version::v1, body));
  EXPECT_EQ(decode_envelope(Version::v1, body).error().offset(), list);
  // One less passes.
  body.resize(body.size() - 4);
  for (std::size_t i = 0; i + 1 < count; ++i)
    libp2p::store_le32(body.data() + list + 4 * i, static_cast<std::uint32_t>(4 * (count - 1)));
  EXPECT_EQ(decode_envelope(Version::v1, body)->payload.transactions.size(), count - 1);
}

TEST(PayloadSsz, an_envelope_is_encodable_in_its_own_version_only) {
  for (const Version made : kAll)
    for (const Version asked : kAll) EXPECT_EQ(check_encodable(asked, block(made, 7, 1000)).has_value(), made == asked);
  auto envelope = block(Version::v2, 7, 1000);
  envelope.payload.extra_data.resize(33);
  EXPECT_EQ(check_encodable(Version::v2, envelope).error(), Errc::invalid_argument);
  envelope.payload.extra_data.clear();
  envelope.payload.withdrawals->resize(17);
  EXPECT_EQ(check_encodable(Version::v2, envelope).error(), Errc::invalid_argument);
}

TEST(PayloadJson, every_version_comes_back) {
  for (const Version version : kAll) {
    auto envelope = block(version, 7, 1000);
    if (envelope.payload.withdrawals) envelope.payload.withdrawals->push_back({1, 2, {3}, ~std::uint64_t{0}});
    envelope.payload.base_fee_per_gas.fill(0xff);
    const auto again = envelope_from_json(json::parse(json::serialize(to_json(envelope))));
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(*again, envelope);
  }
}

TEST(PayloadJson, quantities_have_no_leading_zeros) {
  EXPECT_EQ(to_quantity(std::uint64_t{0}), "0x0");
  EXPECT_EQ(to_quantity(std::uint64_t{0x1000}), "0x1000");
  EXPECT_EQ(to_quantity(~std::uint64_t{0}), "0xffffffffffffffff");
  EXPECT_EQ(to_quantity(Uint256{}), "0x0");
}

TEST(PayloadJson, null_means_absent_and_unknown_keys_are_ignored) {
  auto object = to_json(block(Version::v1, 7, 1000));
  auto& p = object["executionPayload"].as_object();
  for (const char* key : {"withdrawals", "blobGasUsed", "excessBlobGas", "withdrawalsRoot"}) p[key] = nullptr;
  p["somethingNew"] = 1;
  object["parentBeaconBlockRoot"] = nullptr;
  EXPECT_EQ(*envelope_from_json(object), block(Version::v1, 7, 1000));
}

TEST(PayloadJson, errors_name_the_path_and_what_is_expected) {
  const std::pair<const char*, json::value> wrong[] = {
      {"parentHash", "0x1234"},
      {"parentHash", 5},
      {"feeRecipient", nullptr},
      {"blockNumber", "0x"},
      {"blockNumber", "0x01"},
      {"blockNumber", "7"},
      {"blockNumber", "0x10000000000000000"},
      {"timestamp", "0xzz"},
      {"baseFeePerGas", json::value("0x1" + std::string(64, '0'))},
      {"extraData", json::value("0x" + std::string(66, '0'))},
      {"extraData", "0x0"},
      {"transactions", nullptr},
      {"transactions", "0x"},
      {"transactions", json::array{"0x0g"}},
      {"withdrawals", json::array{1}},
      {"withdrawals", json::array{json::object{{"index", "0x1"}}}},
      {"withdrawalsRoot", "0x00"},
      {"blobGasUsed", 1},
  };
  for (const auto& [key, value] : wrong) {
    auto object = to_json(block(Version::v4, 7, 1000));
    object["executionPayload"].as_object()[key] = value;
    const auto read = envelope_from_json(object);
    ASSERT_FALSE(read) << key << " " << json::serialize(value);
    EXPECT_EQ(read.error(), Errc::malformed);
    EXPECT_NE(read.error().text().find(std::string("executionPayload.") + key), std::string::npos)
        << read.error().text();
  }
  EXPECT_FALSE(envelope_from_json(json::array{}));
  EXPECT_FALSE(envelope_from_json(json::object{}));
  EXPECT_FALSE(envelope_from_json(json::object{{"executionPayload", 1}}));
}

TEST(BlockHash, commits_to_every_field) {
  const auto base = block(Version::v4, 7, 1000);
  const std::function<void(Envelope&)> changes[] = {
      [](auto& e) { e.payload.parent_hash[0] ^= 1; },
      [](auto& e) { e.payload.fee_recipient[0] ^= 1; },
      [](auto& e) { e.payload.state_root[0] ^= 1; },
      [](auto& e) { e.payload.receipts_root[0] ^= 1; },
      [](auto& e) { e.payload.logs_bloom[0] ^= 1; },
      [](auto& e) { e.payload.prev_randao[0] ^= 1; },
      [](auto& e) { e.payload.block_number ^= 1; },
      [](auto& e) { e.payload.gas_limit ^= 1; },
      [](auto& e) { e.payload.gas_used ^= 1; },
      [](auto& e) { e.payload.timestamp ^= 1; },
      [](auto& e) { e.payload.extra_data.push_back(0); },
      [](auto& e) { e.payload.base_fee_per_gas[0] ^= 1; },
      [](auto& e) { e.payload.transactions = {{0x7e, 0x01, 0x02}, {0x03, 0xff}}; },
      [](auto& e) { e.payload.transactions = {{0x7e, 0x01, 0x02}}; },
      [](auto& e) { *e.payload.blob_gas_used ^= 1; },
      [](auto& e) { *e.payload.excess_blob_gas ^= 1; },
      [](auto& e) { (*e.payload.withdrawals_root)[0] ^= 1; },
      [](auto& e) { (*e.parent_beacon_block_root)[0] ^= 1; },
      [](auto& e) { e.payload.withdrawals_root.reset(); },
  };
  for (const auto& change : changes) {
    auto envelope = base;
    change(envelope);
    EXPECT_NE(compute_block_hash(envelope), base.payload.block_hash);
  }
  EXPECT_EQ(compute_block_hash(base), base.payload.block_hash);
}

TEST(BlockHash, roots_of_nothing_are_the_empty_tries) {
  const auto empty = "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421";
  EXPECT_EQ(libp2p::to_hex(transactions_root({})), empty);
  EXPECT_EQ(libp2p::to_hex(withdrawals_root({})), empty);
}

}  // namespace
}  // namespace opstack::payload
