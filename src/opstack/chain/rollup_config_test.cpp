#include "opstack/chain/rollup_config.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace opstack::chain {
namespace {

namespace json = boost::json;
using libp2p::Errc;

// A configuration that op-node accepts, with every optional key.
constexpr std::string_view kFull = R"({
  "genesis": {
    "l1": {"hash": "0x1111111111111111111111111111111111111111111111111111111111111111", "number": 17422590},
    "l2": {"hash": "0x2222222222222222222222222222222222222222222222222222222222222222", "number": 100},
    "l2_time": 1000,
    "system_config": {
      "batcherAddr": "0x6887246668a3b87f54deb3b94ba47a6f63f32985",
      "overhead": "0x00000000000000000000000000000000000000000000000000000000000000bc",
      "scalar": "0x00000000000000000000000000000000000000000000000000000000000a6fe0",
      "gasLimit": 30000000,
      "eip1559Params": "0x0000000000000000",
      "operatorFeeParams": "0x0000000000000000000000000000000000000000000000000000000000000000",
      "minBaseFee": 0,
      "daFootprintGasScalar": 0
    }
  },
  "block_time": 2,
  "max_sequencer_drift": 600,
  "seq_window_size": 3600,
  "channel_timeout": 300,
  "l1_chain_id": 1,
  "l2_chain_id": 10,
  "regolith_time": 0,
  "canyon_time": 1100,
  "delta_time": 1200,
  "ecotone_time": 1300,
  "fjord_time": 1400,
  "granite_time": 1500,
  "holocene_time": 1600,
  "isthmus_time": 1700,
  "jovian_time": 1800,
  "karst_time": 1900,
  "keep_karst_upgrade_gas": true,
  "lagoon_time": 2000,
  "batch_inbox_address": "0xff00000000000000000000000000000000000010",
  "deposit_contract_address": "0xbeb5fc579115071764c7423a4f12edde41f106ed",
  "l1_system_config_address": "0x229047fed2591dbec1ef1118d64f7af3db9eb290",
  "chain_op_config": {"eip1559Elasticity": 6, "eip1559Denominator": 50, "eip1559DenominatorCanyon": 250},
  "alt_da": {
    "da_challenge_contract_address": "0x0000000000000000000000000000000000000001",
    "da_commitment_type": "KeccakCommitment",
    "da_max_input_size": 130672,
    "da_challenge_window": 160,
    "da_resolve_window": 161
  },
  "pectra_blob_schedule_time": 1650
})";

json::object full() { return json::parse(kFull).as_object(); }

RollupConfig good() { return RollupConfig::from_text(kFull).value(); }

TEST(RollupConfig, is_written_as_it_was_read_key_by_key) {
  EXPECT_EQ(json::serialize(good().to_json()), json::serialize(full()));
}

TEST(RollupConfig, what_is_not_set_is_left_out_and_unknown_keys_are_ignored_and_not_kept) {
  auto object = full();
  for (const char* key : {"regolith_time", "canyon_time", "delta_time", "ecotone_time", "fjord_time", "granite_time",
                          "holocene_time", "isthmus_time", "jovian_time", "karst_time", "keep_karst_upgrade_gas",
                          "lagoon_time", "chain_op_config", "alt_da", "pectra_blob_schedule_time"})
    object.erase(key);
  auto with_unknown = object;
  with_unknown["protocol_versions_address"] = "0x8062abc286f5e7d9428a0ccb9abd71e50d93b935";
  with_unknown["interop_time"] = nullptr;
  with_unknown["genesis"].as_object()["extra"] = json::array{1, 2};
  const auto read = RollupConfig::from_json(with_unknown);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->to_json(), object);
}

// Each check: a change to the good configuration, the error and the key that its text names.
struct Broken {
  const char* key;
  json::value value;
  Errc code;
};

void set(json::object& object, std::string_view path, const json::value& value) {
  const auto dot = path.find('.');
  if (dot == std::string_view::npos)
    object[path] = value;
  else
    set(object[path.substr(0, dot)].as_object(), path.substr(dot + 1), value);
}

TEST(RollupConfig, every_check_names_its_key) {
  const std::string zero_hash = "0x" + std::string(64, '0');
  const std::string zero_address = "0x" + std::string(40, '0');
  const Broken table[] = {
      {"block_time", 0, Errc::invalid_argument},
      {"block_time", nullptr, Errc::invalid_argument},
      {"block_time", -1, Errc::malformed},
      {"block_time", "2", Errc::malformed},
      {"block_time", 2.5, Errc::malformed},
      {"block_time", 1e30, Errc::malformed},
      {"channel_timeout", 0, Errc::invalid_argument},
      {"seq_window_size", 1, Errc::invalid_argument},
      {"max_sequencer_drift", 0, Errc::invalid_argument},
      {"genesis", 5, Errc::malformed},
      {"genesis.l1.hash", json::value(zero_hash), Errc::invalid_argument},
      {"genesis.l1.hash", "0x11", Errc::malformed},
      {"genesis.l2.hash", json::value(zero_hash), Errc::invalid_argument},
      {"genesis.l2.hash", json::value("0x" + std::string(64, '1')), Errc::invalid_argument},
      {"genesis.l2_time", 0, Errc::invalid_argument},
      {"genesis.system_config.batcherAddr", json::value(zero_address), Errc::invalid_argument},
      {"genesis.system_config.scalar", json::value(zero_hash), Errc::invalid_argument},
      {"genesis.system_config.gasLimit", 0, Errc::invalid_argument},
      {"genesis.system_config.daFootprintGasScalar", 70000, Errc::malformed},
      {"batch_inbox_address", json::value(zero_address), Errc::invalid_argument},
      {"deposit_contract_address", json::value(zero_address), Errc::invalid_argument},
      {"deposit_contract_address", "beb5fc579115071764c7423a4f12edde41f106ed", Errc::malformed},
      {"l1_chain_id", 0, Errc::invalid_argument},
      {"l2_chain_id", 0, Errc::invalid_argument},
      {"l2_chain_id", 1, Errc::invalid_argument},
      {"l2_chain_id", -10, Errc::malformed},
      {"keep_karst_upgrade_gas", 1, Errc::malformed},
      {"canyon_time", 1201, Errc::invalid_argument},
      {"isthmus_time", 1599, Errc::invalid_argument},
      {"alt_da.da_commitment_type", "Other", Errc::invalid_argument},
      {"alt_da.da_commitment_type", "GenericCommitment", Errc::invalid_argument},
      {"alt_da.da_max_input_size", 0, Errc::invalid_argument},
      {"alt_da.da_challenge_contract_address", json::value(zero_address), Errc::invalid_argument},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(std::string(row.key) + " = " + json::serialize(row.value));
    auto object = full();
    set(object, row.key, row.value);
    const auto read = RollupConfig::from_json(object);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error(), row.code) << read.error().message();
    // The error of an order names the later of two forks.
    if (std::string_view(row.key) == "canyon_time") {
      EXPECT_NE(read.error().text().find("delta_time"), std::string::npos);
    } else if (std::string_view(row.value.is_string() ? row.value.get_string() : "") == "GenericCommitment") {
      EXPECT_NE(read.error().text().find("alt_da."), std::string::npos);
    } else {
      EXPECT_NE(read.error().text().find(row.key), std::string::npos) << read.error().text();
    }
  }
}

TEST(RollupConfig, a_generic_commitment_has_no_contract) {
  auto object = full();
  set(object, "alt_da.da_commitment_type", "GenericCommitment");
  object["alt_da"].as_object().erase("da_max_input_size");
  EXPECT_FALSE(RollupConfig::from_json(object));
  object["alt_da"].as_object().erase("da_challenge_contract_address");
  EXPECT_TRUE(RollupConfig::from_json(object));
}

TEST(RollupConfig, a_fork_without_the_one_before_is_refused_up_to_isthmus_only) {
  auto object = full();
  object.erase("delta_time");
  const auto read = RollupConfig::from_json(object);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().text().find("ecotone_time is 1300, but delta_time is not set"), std::string::npos);
  object = full();
  object.erase("jovian_time");
  EXPECT_TRUE(RollupConfig::from_json(object));
}

TEST(RollupConfig, text_that_is_no_JSON_object_is_refused) {
  for (const char* text : {"", "{", "[]", "nope", "{} x"})
    EXPECT_EQ(RollupConfig::from_text(text).error(), Errc::malformed) << text;
  EXPECT_TRUE(RollupConfig::from_text(std::string(kFull) + "\n"));
}

TEST(RollupConfig, forks_are_active_from_their_time_on_and_give_the_version) {
  const auto config = good();
  EXPECT_EQ(config.fork_at(0), Fork::regolith);
  EXPECT_EQ(config.fork_at(1099), Fork::regolith);
  EXPECT_EQ(config.fork_at(1100), Fork::canyon);
  EXPECT_EQ(config.fork_at(5000), Fork::lagoon);
  EXPECT_FALSE(config.is_active(Fork::isthmus, 1699));
  EXPECT_TRUE(config.is_active(Fork::isthmus, 1700));
  EXPECT_TRUE(config.is_active(Fork::bedrock, 0));
  using payload::Version;
  EXPECT_EQ(config.payload_version(1099), Version::v1);
  EXPECT_EQ(config.payload_version(1100), Version::v2);
  EXPECT_EQ(config.payload_version(1299), Version::v2);
  EXPECT_EQ(config.payload_version(1300), Version::v3);
  EXPECT_EQ(config.payload_version(1699), Version::v3);
  EXPECT_EQ(config.payload_version(1700), Version::v4);
  EXPECT_EQ(config.payload_version(9999), Version::v4);
}

TEST(RollupConfig, numbers_and_times_of_blocks_follow_from_genesis) {
  const auto config = good();
  EXPECT_EQ(config.timestamp_for_block(100), 1000u);
  EXPECT_EQ(config.timestamp_for_block(103), 1006u);
  EXPECT_EQ(config.timestamp_for_block(3), 1000u);
  EXPECT_EQ(config.timestamp_for_block(std::numeric_limits<std::uint64_t>::max()),
            std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(*config.target_block_number(1000), 100u);
  EXPECT_EQ(*config.target_block_number(1001), 100u);
  EXPECT_EQ(*config.target_block_number(1006), 103u);
  EXPECT_EQ(config.target_block_number(999).error().text(), "did not reach genesis time (1000) yet");
}

TEST(Forks, names_are_read_as_they_are_written) {
  for (std::size_t i = 0; i < kForkCount; ++i)
    EXPECT_EQ(fork_from_string(to_string(static_cast<Fork>(i))), static_cast<Fork>(i));
  EXPECT_FALSE(fork_from_string("shanghai"));
}

TEST(ChainId, decimal_text_is_read_and_written_up_to_256_bits) {
  const std::string largest = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
  for (const std::string_view text : {std::string_view("0"), std::string_view("10"),
                                      std::string_view("18446744073709551616"), std::string_view(largest)}) {
    const auto id = ChainId::from_decimal(text);
    ASSERT_TRUE(id) << text;
    EXPECT_EQ(id->to_decimal(), text);
  }
  EXPECT_EQ(ChainId::from_decimal("901")->as_u64(), 901u);
  EXPECT_FALSE(ChainId::from_decimal("18446744073709551616")->as_u64());
  for (const char* text :
       {"", "-1", "0x10", " 1", "115792089237316195423570985008687907853269984665640564039457584007913129639936"})
    EXPECT_FALSE(ChainId::from_decimal(text)) << text;
}

}  // namespace
}  // namespace opstack::chain
